"""JSON made from schemas: it validates, whatever the schema; what has no value says so."""

import json
from typing import Any, Literal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from resources.sandbox.openai_sample import sample, spoil
from resources.sandbox.openai_sample_leaves import Unsatisfiable
from resources.sandbox.openai_schema import strict_fault

NAMES = st.sampled_from(["claim", "quote", "score", "label", "parts"])


@st.composite
def bounded(draw: st.DrawFn, low: str, high: str, numbers: st.SearchStrategy[Any]) -> dict[str, Any]:
    """Two bounds of which none, one or both are given, in order."""
    first, second = sorted([draw(numbers), draw(numbers)])
    return {name: bound for name, bound in ((low, first), (high, second)) if draw(st.booleans())}


COUNTS = st.integers(0, 30)
STRINGS = st.builds(
    lambda bounds, more: {"type": "string", **bounds, **more},
    bounded("minLength", "maxLength", COUNTS),
    st.sampled_from([{}, {"description": "[ignored]"}]),
)
NUMBERS = st.builds(
    lambda kind, bounds, more: {"type": kind, **bounds, **more},
    st.sampled_from(["integer", "number"]),
    bounded("minimum", "maximum", st.integers(-50, 50) | st.floats(-50, 50)),
    st.sampled_from([{}, {}, {"multipleOf": 1}, {"exclusiveMinimum": -3}, {"exclusiveMaximum": 4.5}]),
)
LEAVES = st.one_of(
    STRINGS,
    NUMBERS,
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {}, {"const": "fixed"}, {"format": "date"}]),
    st.lists(st.integers() | st.text(max_size=5), min_size=1, max_size=3).map(lambda held: {"enum": held}),
    st.sampled_from(["^[a-z]+$", r"^\d{4}$", "^[A-Z]{2,3}$", "x?"]).map(
        lambda held: {"type": "string", "pattern": held}
    ),
    st.just({"type": ["null", "string"]}),
    st.just({"$ref": "#/$defs/tree"}),
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects over properties of which some are required."""
    made = st.dictionaries(NAMES, inner, max_size=4).flatmap(
        lambda properties: st.builds(
            lambda required, closed: {
                "type": "object", "properties": properties,
                "required": required, "additionalProperties": not closed,
            },
            st.lists(st.sampled_from(sorted(properties)), unique=True) if properties else st.just([]),
            st.booleans(),
        )
    )  # fmt: skip
    counted = st.integers(0, 3).map(lambda least: {"type": "object", "minProperties": least})
    return made | counted


def arrays(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Arrays of items, of a fixed beginning, of different strings."""
    sizes = bounded("minItems", "maxItems", st.integers(0, 4))
    plain = st.builds(lambda items, size: {"type": "array", "items": items, **size}, inner, sizes)
    fixed = st.lists(inner, min_size=1, max_size=3).map(
        lambda held: {"type": "array", "prefixItems": held, "minItems": len(held), "maxItems": len(held)}
    )
    different = sizes.map(
        lambda size: {"type": "array", "items": {"type": "string"}, "uniqueItems": True, **size}
    )
    return plain | fixed | different


SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        objects(inner),
        arrays(inner),
        st.lists(inner, min_size=1, max_size=3).map(lambda held: {"anyOf": held}),
        inner.map(lambda held: {"allOf": [held, {"title": "t"}]}),
    ),
    max_leaves=12,
)
TREE = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 5},
        "left": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]},
        "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
    },
    "required": ["name", "left", "children"],
    "additionalProperties": False,
}


@settings(deadline=None, max_examples=200)
@given(SCHEMAS)
def test_what_is_made_validates(schema: dict[str, Any]) -> None:
    root = {**schema, "$defs": {"tree": TREE}}
    validator = jsonschema.Draft202012Validator(root)
    try:
        made = sample(root)
    except Unsatisfiable:
        # Only bounds between which no such number lies.
        text = json.dumps(schema)
        assert any(word in text for word in ("multipleOf", "exclusive", "integer"))
        return
    validator.validate(json.loads(json.dumps(made)))


class Part(BaseModel):
    """A part as pydantic writes schemas: references, optional fields, literals, tuples."""

    kind: Literal["quote", "claim"]
    text: str = Field(max_length=40, min_length=3)
    seconds: tuple[float, float]
    next: "Part | None"


class Whole(BaseModel):
    """Bounds of numbers and lists."""

    parts: list[Part] = Field(min_length=2, max_length=3)
    score: float = Field(gt=0, lt=1)
    rank: int = Field(ge=1)
    tags: set[str] = Field(min_length=3)
    language: str = Field(pattern="^[a-z]{2}$")
    notes: dict[str, str]
    spare: str = "left out"


def test_a_pydantic_model_reads_its_own_sample() -> None:
    made = sample(Whole.model_json_schema())
    whole = Whole.model_validate_json(json.dumps(made))
    assert whole.parts[0].text == "[rehearsal]" and whole.parts[0].next is None
    assert whole.parts[0].kind == "quote" and len(whole.tags) == 3 and "spare" not in made


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({"enum": ["b", "a"]}, "b"),
        ({"type": "string", "enum": [1, "a"]}, "a"),
        ({"type": "string", "maxLength": 0}, ""),
        ({"type": "integer", "minimum": 2.5}, 3),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, 1),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "integer", "minimum": 1, "multipleOf": 7}, 7),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, None),
        ({"anyOf": [False, {"type": "integer"}]}, 0),
        ({"properties": {"a": {"type": "boolean"}}, "anyOf": [{"required": ["a"]}]}, {"a": False}),
        ({"allOf": [{"minimum": 1}, {"minimum": 5}]}, 5),
        ({"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True, "minItems": 2}, [1, 2]),
        ({"type": "array", "items": {"type": "boolean"}, "uniqueItems": True, "minItems": 2}, [False, True]),
        ({"type": "array", "items": False}, []),
        (True, "[rehearsal]"),
    ],
)
def test_smallest_values(schema: Any, made: Any) -> None:
    assert sample(schema) == made


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (False, "allows nothing"),
        ({"$ref": "#"}, "cannot end"),
        ({"$ref": "#/$defs/gone"}, "leads nowhere"),
        ({"$ref": "https://example.com/x"}, "does not stay inside"),
        ({"type": "integer", "minimum": 1, "maximum": 0}, "no number"),
        ({"type": "string", "minLength": 9, "maxLength": 1}, "minLength"),
        ({"type": "string", "pattern": "^(?=a)b$"}, "script an answer"),
        ({"type": "string", "pattern": "("}, "not a regular expression"),
        ({"type": "void"}, "not a type"),
        ({"enum": [1], "type": "string"}, "no value of its type"),
        ({"type": "array", "items": {"const": 1}, "uniqueItems": True, "minItems": 2}, "different items"),
    ],
)
def test_what_has_no_value_says_why(schema: Any, reason: str) -> None:
    with pytest.raises(Unsatisfiable, match=reason):
        sample(schema)


@settings(deadline=None)
@given(SCHEMAS)
def test_a_spoiled_value_is_refused(schema: dict[str, Any]) -> None:
    root = {**schema, "$defs": {"tree": TREE}}
    if not (isinstance(schema.get("type"), str) and schema["type"] in ("object", "array", "string")):
        return
    try:
        spoiled = spoil(root, sample(root))
    except Unsatisfiable:
        return
    assert not jsonschema.Draft202012Validator(root).is_valid(spoiled)


@pytest.mark.parametrize(
    ("schema", "refused"),
    [
        (TREE, None),
        ({"type": "string"}, "must be a JSON Schema of"),
        ({"anyOf": [TREE]}, "must be a JSON Schema of"),
        ({"type": "object", "properties": {}}, "additionalProperties"),
        ({**TREE, "required": ["name"]}, "every key"),
        ({**TREE, "properties": {**TREE["properties"], "left": {"type": "object"}}}, "'properties', 'left'"),  # type: ignore[dict-item]
    ],
)
def test_strict_mode_refuses_open_objects(schema: dict[str, Any], refused: str | None) -> None:
    found = strict_fault(schema)
    assert found is None if refused is None else refused in str(found)
