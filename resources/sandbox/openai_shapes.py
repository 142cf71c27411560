"""Answers of the models' API as it spells them; fields after OpenAI's public reference and its client's types."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

from resources.sandbox.openai_tokens import split_tokens

FINGERPRINT = "rehearsal"
OWNER = "rehearsal"
TOKENS_PER_CHUNK = 5
MODEL_CREATED = 1_767_225_600
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said: a text or a refusal, and why it ended."""

    text: str | None
    refusal: str | None
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer before it is spelled; usage is None where it is left out."""

    id: str
    created: int
    model: str
    replies: tuple[Reply, ...]
    usage: Body | None


def new_id() -> str:
    """An id as completions have them."""
    return f"chatcmpl-{secrets.token_hex(12)}"


def usage_body(prompt: int, completion: int, cached: int) -> Body:
    """Token counts of a chat completion."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def completion_body(completion: Completion) -> Body:
    """A completion in one piece."""
    choices: list[Body] = [
        {
            "index": number,
            "message": {
                "role": "assistant",
                "content": reply.text,
                "refusal": reply.refusal,
                "annotations": [],
            },
            "logprobs": None,
            "finish_reason": reply.finish_reason,
        }
        for number, reply in enumerate(completion.replies)
    ]
    body = {**head(completion, "chat.completion"), "choices": choices}
    return body if completion.usage is None else {**body, "usage": completion.usage}


def head(completion: Completion, kind: str) -> Body:
    """The fields that a completion and each of its chunks begin with."""
    return {
        "id": completion.id,
        "object": kind,
        "created": completion.created,
        "model": completion.model,
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }


def completion_events(completion: Completion, *, wants_usage: bool) -> list[bytes]:
    """A completion as server-sent events, ``[DONE]`` included."""
    shared = head(completion, "chat.completion.chunk")
    if wants_usage:
        shared["usage"] = None
    events = []
    for number, reply in enumerate(completion.replies):
        events += [event({**shared, "choices": [choice]}) for choice in reply_chunks(number, reply)]
    if wants_usage and completion.usage is not None:
        events.append(event({**shared, "choices": [], "usage": completion.usage}))
    return [*events, b"data: [DONE]\n\n"]


def reply_chunks(number: int, reply: Reply) -> list[Body]:
    """One choice in chunks: its role, its text, its end."""
    deltas: list[Body] = [{"role": "assistant", "content": "", "refusal": None}]
    deltas += [{"content": piece} for piece in split_tokens(reply.text or "", TOKENS_PER_CHUNK)]
    deltas += [{"refusal": piece} for piece in split_tokens(reply.refusal or "", TOKENS_PER_CHUNK)]
    chunks: list[Body] = [
        {"index": number, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas
    ]
    return [*chunks, {"index": number, "delta": {}, "logprobs": None, "finish_reason": reply.finish_reason}]


def event(body: Body) -> bytes:
    """One server-sent event."""
    return b"data: " + as_json(body) + b"\n\n"


def as_json(body: Any) -> bytes:
    """JSON on the wire, without spaces; half a surrogate pair stays an escape."""
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def embeddings_body(model: str, vectors: list[list[float]] | list[str], prompt: int) -> Body:
    """Vectors in the order of their inputs."""
    data = [
        {"object": "embedding", "index": number, "embedding": vector} for number, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": prompt, "total_tokens": prompt}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def model_body(name: str) -> Body:
    """One model."""
    return {"id": name, "object": "model", "created": MODEL_CREATED, "owned_by": OWNER}
