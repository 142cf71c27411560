"""What is said: the scripted answer or a rehearsed one, and what an ordered fault makes of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from resources.sandbox.openai_errors import invalid
from resources.sandbox.openai_request import ChatRequest
from resources.sandbox.openai_sample import sample, spoil
from resources.sandbox.openai_sample_leaves import MARK, Unsatisfiable
from resources.sandbox.openai_script import Scripted
from resources.sandbox.openai_shapes import Body, Reply
from resources.sandbox.openai_tokens import count_tokens, cut_to_tokens

SENTENCE = f"{MARK} No model has read this: the sandbox answers with this sentence in its place."
REFUSAL = f"{MARK} I'm sorry, but I can't help with that."
PROSE = f"{MARK} Sure! Here is the JSON that you asked for:"


def compose(request: ChatRequest, scripted: Scripted, kind: str | None, most_tokens: int) -> Reply:
    """The reply to a request, with the change that a fault of this kind makes.

    Raises:
        ApiError: nothing is scripted and no value for the asked schema is known.
    """
    if scripted.refusal is not None:
        reply = Reply(None, scripted.refusal, scripted.finish_reason or "stop")
    else:
        said = rehearsed(request) if scripted.text is None else scripted.text
        reply = Reply(said, None, scripted.finish_reason or "stop")
    change = CHANGES.get(kind or "")
    changed = reply if change is None else change(request, reply)
    return bounded(changed, request.stops, most_tokens)


def rehearsed(request: ChatRequest) -> str:
    """The answer that nobody scripted: JSON for the asked schema, else a sentence."""
    if request.wanted is None:
        return SENTENCE
    if request.wanted is True:
        return json.dumps({"rehearsal": SENTENCE})
    try:
        return json.dumps(sample(request.wanted))
    except Unsatisfiable as error:
        raise invalid(f"No rehearsed value for this schema: {error}.", "response_format") from None


def bounded(reply: Reply, stops: tuple[str, ...], most_tokens: int) -> Reply:
    """A reply that ends before the first stop text and within its tokens."""
    if not reply.text:
        return reply
    ends = [place for place in (reply.text.find(stop) for stop in stops) if place >= 0]
    said = reply.text[: min(ends)] if ends else reply.text
    if count_tokens(said) > most_tokens:
        return Reply(cut_to_tokens(said, most_tokens), reply.refusal, "length")
    return replace(reply, text=said)


def wrong_schema(request: ChatRequest, reply: Reply) -> Reply:
    """JSON that the asked schema refuses; without a schema an array in place of an object."""
    try:
        value: Any = json.loads(reply.text or "null")
    except ValueError:
        value = {}
    spoiled = spoil(True if request.wanted is None else request.wanted, value)
    return replace(reply, text=json.dumps(spoiled))


def cut_off(_: ChatRequest, reply: Reply) -> Reply:
    """The first half, as when the tokens ran out."""
    said = reply.text or ""
    return Reply(said[: len(said) // 2], None, "length")


CHANGES: dict[str, Callable[[ChatRequest, Reply], Reply]] = {
    "wrong_schema": wrong_schema,
    "fenced": lambda _, reply: replace(reply, text=f"```json\n{reply.text}\n```"),
    "prose": lambda _, reply: replace(reply, text=f"{PROSE}\n\n{reply.text}"),
    "cut_off": cut_off,
    "not_json": lambda _, reply: replace(reply, text=SENTENCE),
    "refusal": lambda _, reply: Reply(None, REFUSAL, "stop"),
    "empty": lambda _, reply: Reply("", None, "stop"),
    "content_filter": lambda _, reply: Reply("", None, "content_filter"),
}


def change_usage(usage: Body, kind: str | None) -> Body | None:
    """Token counts as a fault leaves them."""
    if kind == "no_usage":
        return None
    if kind == "wrong_usage":
        return {**usage, "completion_tokens": 0, "total_tokens": usage["prompt_tokens"] + 1_000_000}
    return usage
