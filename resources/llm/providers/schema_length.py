"""How many tokens the longest answer of a JSON Schema takes: what a model that is held to it has to be allowed.

What belongs here: an upper bound for tokenizers that write any byte as a token, with llama.cpp's blanks between parts.
"""

import json
from collections.abc import Callable
from typing import Any

from rejoinder.errors import ModelRefusal
from rejoinder.llm.requests import LlmRequest, RawReply

# A character may be written as an escape of six, each a token of its own.
CHARACTER = 6
# A line break or two and twenty blanks may stand between two parts.
BLANKS = 22
# A sign, 16 digits, a point, 16 digits, an exponent.
NUMBER = 40
INTEGER = 17
DEEPEST = 12


def whole(reply: RawReply, request: LlmRequest) -> RawReply:
    """The reply, where it was not cut off in the middle of the JSON that was asked for.

    Raises:
        ModelRefusal: it was; the message says how many tokens the longest answer takes.
    """
    if request.schema is None or reply.finish != "length":
        return reply
    longest = longest_tokens(request.schema.json)
    allowed = request.sampling.max_tokens
    most = "has no bound" if longest is None else f"takes up to {longest} tokens"
    raise ModelRefusal(
        "request",
        f"The JSON was cut off; max_tokens was {allowed}, and the schema's longest answer {most}.",
        fix="Allow more tokens (and context), or bound the schema's strings and lists (maxLength, maxItems).",
    )


def longest_tokens(schema: str) -> int | None:
    """Tokens of the longest answer that keeps to a JSON Schema, given as JSON; None where nothing bounds it.

    >>> longest_tokens('{"type": "object", "properties": {"ok": {"type": "boolean"}}}')
    101
    >>> longest_tokens('{"type": "string"}') is None
    True
    """
    read = json.loads(schema)
    try:
        return int(_longest(read, read, 0))
    except (OverflowError, ValueError):
        return None


def _longest(part: Any, whole: dict[str, Any], depth: int) -> float:
    if not isinstance(part, dict) or depth > DEEPEST:
        return float("inf")

    def inner(found: Any) -> float:
        return _longest(found, whole, depth + 1)

    if "$ref" in part:
        return inner(_at(str(part["$ref"]), whole))
    if "const" in part or "enum" in part:
        return max(_written(value) for value in part.get("enum", [part.get("const")]))
    for either in ("anyOf", "oneOf"):
        if either in part:
            return max(map(inner, part[either]))
    kinds = part.get("type")
    many = kinds if isinstance(kinds, list) else [kinds]
    return max(_of_kind(kind, part, inner) for kind in many)


def _of_kind(kind: Any, part: dict[str, Any], inner: Callable[[Any], float]) -> float:
    if kind == "object":
        return _object(part, inner)
    if kind == "array":
        return (
            2 + BLANKS + float(part.get("maxItems", float("inf"))) * (inner(part.get("items")) + 1 + BLANKS)
        )
    if kind == "string":
        return 2 + CHARACTER * float(part.get("maxLength", float("inf")))
    return {"integer": INTEGER, "number": NUMBER, "boolean": 5, "null": 4}.get(kind, float("inf"))


def _object(part: dict[str, Any], inner: Callable[[Any], float]) -> float:
    if part.get("additionalProperties"):
        return float("inf")
    named = part.get("properties", {}).items()
    return 2 + 2 * BLANKS + sum(_written(name) + 2 + BLANKS * 2 + inner(value) for name, value in named)


def _written(value: Any) -> int:
    return len(json.dumps(value))


def _at(reference: str, whole: dict[str, Any]) -> Any:
    found: Any = whole
    for step in reference.removeprefix("#").strip("/").split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    return found
