"""How many answers of a local model keep to their JSON Schema: the way is measured, not what the model says.

What belongs here: the cases and the count. Every schema is bounded, and each call is allowed the longest answer.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from rejoinder.errors import ModelRefusal, ModelTrouble
from rejoinder.llm.endpoints import Endpoint, parse_uri
from rejoinder.llm.ports import ModelClient
from rejoinder.llm.requests import LlmRequest, Message, ReplySchema, Sampling

TIMEOUT_S = 300.0
CONTEXT_TOKENS = 4_096
# Half of the cases draw freely, by a seed: greedy answers alone would hardly differ.
TEMPERATURES = (0.0, 1.0)
PROMPTS = (
    "What is a podcast about bees likely to say?",
    "Somebody writes: I slept two hours. Are they well?",
    "List what a beginner needs to bake bread.",
    "Is the claim 'coffee stunts growth' supported? Be brief.",
    'Quote this: "{\\"a\\": [1, 2" and go on.',
    "Antworte auf Deutsch: Wie spät ist es?",
    "用中文回答：你好吗？",
    "Rate this reply from 1 to 5: thanks for sharing!",
    "Which minute of the episode speaks of sleep?",
    "Say nothing at all.",
)
LINE = {"type": "string", "maxLength": 30}
WORD = {"type": "string", "minLength": 1, "maxLength": 12}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


SCHEMAS = (
    _object(answer=LINE),
    _object(verdict={"enum": ["supported", "refuted", "unclear"]}, reason=LINE),
    _object(claims={"type": "array", "items": WORD, "minItems": 1, "maxItems": 3}),
    _object(score={"type": "integer", "minimum": 1, "maximum": 5}, is_kind={"type": "boolean"}),
    _object(quote=_object(text=LINE, second={"type": "integer", "minimum": 0, "maximum": 9_999})),
    _object(share={"type": "number"}, note={"anyOf": [WORD, {"type": "null"}]}),
    {"type": "array", "items": _object(name=WORD), "minItems": 1, "maxItems": 2},
    {"$defs": {"part": _object(title=WORD)}, **_object(first={"$ref": "#/$defs/part"})},
    _object(code={"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"}),
    _object(kind={"const": "reply"}, tags={"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2}),
)


def measure_json(model: str, cases: int, *, advance: Callable[[int], None]) -> dict[str, Any]:
    """Ask a model so many times for JSON and count the answers that keep to their schema.

    Args:
        model: URI of a model on this machine, such as llamacpp::smollm2.
        cases: how many, of the pairs of the prompts and schemas above.
        advance: told of each case.

    Raises:
        ConfigInvalid: there is no such model, or its library is not installed.
    """
    from resources.llm.providers.registry import open_client

    client = open_client(
        Endpoint("bench", parse_uri(model), context_tokens=CONTEXT_TOKENS, max_concurrent=1), None
    )
    began, failures, tokens = time.monotonic(), [], 0
    for number, request in enumerate(itertools.islice(_requests(), cases)):
        trouble, n_tokens = _asked(client, request)
        tokens += n_tokens
        if trouble:
            failures.append({"case": number, "schema": json.loads(_shape(request)), "trouble": trouble})
        advance(1)
    return {
        "model": model,
        "cases": cases,
        "valid": cases - len(failures),
        "valid_pct": round(100 * (1 - len(failures) / cases), 1),
        "tokens_out": tokens,
        "seconds": round(time.monotonic() - began, 1),
        "failures": failures,
    }


def _requests() -> Iterator[LlmRequest]:
    """Cases without end: every prompt with every schema, greedy and drawn by turns, then again with other seeds."""
    from resources.llm.providers.schema_length import longest_tokens

    pairs = [(PROMPTS[(at + turn) % len(PROMPTS)], SCHEMAS[at]) for turn in range(10) for at in range(10)]
    for number, (prompt, schema) in enumerate(itertools.cycle(pairs)):
        written = json.dumps(schema)
        most = longest_tokens(written) or CONTEXT_TOKENS // 2
        drawn = Sampling(max_tokens=most, temperature=TEMPERATURES[number // 10 % 2], seed=number)
        yield LlmRequest("json", (Message("user", prompt),), ReplySchema("answer", written), drawn)


def _asked(client: ModelClient, request: LlmRequest) -> tuple[str | None, int]:
    """What is wrong with the answer, None where nothing is, and the tokens that were written."""
    try:
        reply = client.complete(request, TIMEOUT_S)
    except (ModelRefusal, ModelTrouble) as error:
        return str(error), 0
    return _wrong(reply.text, _shape(request)), reply.usage.tokens_out if reply.usage else 0


def _wrong(text: str, schema: str) -> str | None:
    import jsonschema

    try:
        jsonschema.validate(json.loads(text), json.loads(schema), cls=jsonschema.Draft202012Validator)
    except ValueError as error:
        return f"no JSON: {error}: {text[:200]}"
    except jsonschema.ValidationError as error:
        return f"{error.json_path}: {error.message[:200]}"
    return None


def _shape(request: LlmRequest) -> str:
    assert request.schema is not None
    return request.schema.json
