"""Schema-valid JSON by constrained decoding: some of the benchmark's cases, and the bound on an answer's length."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.json_answers import _wrong, measure_json
from resources.llm.providers.schema_length import longest_tokens


def test_answers_keep_to_their_schemas() -> None:
    done: list[int] = []
    found = measure_json("llamacpp::smollm2", 4, advance=done.append)
    assert (found["valid"], found["failures"], sum(done)) == (4, [], 4)


@pytest.mark.parametrize("text", ["{", '{"a": 1}', "[]"])
def test_a_wrong_answer_is_counted_as_one(text: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    assert _wrong(text, json.dumps(schema)) is not None
    assert _wrong('{"a": "b"}', json.dumps(schema)) is None


BOUNDED: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": "integer"}])
    | st.integers(0, 9).map(lambda n: {"type": "string", "maxLength": n}),
    lambda inner: (
        st.tuples(inner, st.integers(0, 3)).map(
            lambda pair: {"type": "array", "items": pair[0], "maxItems": pair[1]}
        )
        | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3).map(
            lambda named: {"type": "object", "properties": named}
        )
    ),
    max_leaves=6,
)


def longest_value(schema: dict[str, Any]) -> Any:
    """A value of the schema that takes as many characters as any: bytes are its tokens at most."""
    kind = schema["type"]
    if kind == "array":
        return [longest_value(schema["items"])] * schema["maxItems"]
    if kind == "object":
        return {name: longest_value(value) for name, value in schema["properties"].items()}
    if kind == "string":
        return "\x01" * schema["maxLength"]
    return {"boolean": False, "null": None, "integer": -(10**15)}[kind]


@given(BOUNDED)
def test_no_answer_is_longer_than_the_bound(schema: dict[str, Any]) -> None:
    bound = longest_tokens(json.dumps(schema))
    assert bound is not None and bound >= len(json.dumps(longest_value(schema), indent=8))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "array", "items": {"type": "null"}},
        {"type": "object", "additionalProperties": True},
        {
            "$ref": "#/$defs/a",
            "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}, "maxItems": 2}},
        },
        {},
    ],
)
def test_what_nothing_bounds_has_no_bound(schema: dict[str, Any]) -> None:
    assert longest_tokens(json.dumps(schema)) is None
