"""JSON schemas as values: following references, joining what stands beside each other, what strict mode asks for."""

import math
from collections.abc import Iterator
from functools import reduce
from typing import Any

from resources.sandbox.openai_sample_leaves import Unsatisfiable

Schema = dict[str, Any] | bool
TIGHTER_WHEN_LARGER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
TIGHTER_WHEN_SMALLER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})

SHAPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("properties", "$defs", "definitions"), (dict,)),
    **dict.fromkeys(("required", "enum", "anyOf", "oneOf", "allOf", "prefixItems"), (list,)),
    **dict.fromkeys(("items", "additionalProperties"), (dict, bool)),
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), (int, float)
    ),
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), (int,)
    ),
    **dict.fromkeys(("$ref", "pattern"), (str,)),
    "type": (str, list),
    "uniqueItems": (bool,),
}


def check_shape(schema: dict[str, Any]) -> None:
    """Ask that the keywords of one schema hold what JSON Schema lets them hold; parts inside are not looked at.

    Raises:
        Unsatisfiable: one does not.
    """
    for name, held in schema.items():
        shape = SHAPES.get(name)
        if shape is None:
            continue
        is_right = isinstance(held, shape) and (bool in shape or not isinstance(held, bool))
        if is_right and shape[0] is int:
            is_right = is_bound(name, held)
        if is_right and name in ("required", "type") and isinstance(held, list):
            is_right = all(isinstance(entry, str) for entry in held)
        if not is_right:
            raise Unsatisfiable(f"'{name}' holds what JSON Schema does not let it hold")


def is_bound(name: str, value: float) -> bool:
    """Whether a number can be the bound of this name."""
    if not math.isfinite(value):
        return False
    return value > 0 if name == "multipleOf" else "imum" in name or value >= 0


def flatten(root: Schema, schema: Schema, entered: frozenset[str]) -> tuple[dict[str, Any], frozenset[str]]:
    """A schema without ``$ref`` and ``allOf`` at its top, and the references that were entered for it.

    Raises:
        Unsatisfiable: the schema is false or none, a reference leads nowhere or back into itself.
    """
    if not isinstance(schema, dict):
        if not isinstance(schema, bool):
            raise Unsatisfiable("a part of it is neither an object nor true or false")
        if not schema:
            raise Unsatisfiable("a part of it allows nothing")
        return {}, entered
    check_shape(schema)
    parts, on_the_way = list(schema.get("allOf", [])), entered
    reference = schema.get("$ref")
    if reference is not None:
        if reference in entered:
            raise Unsatisfiable(f"{reference} cannot end")
        parts.append(resolve(root, reference))
        entered = entered | {reference}
        on_the_way = entered
    flats = [{name: held for name, held in schema.items() if name not in ("$ref", "allOf")}]
    for part in parts:
        flat, inside = flatten(root, part, entered)
        flats.append(flat)
        on_the_way |= inside
    return reduce(merge, flats), on_the_way


def resolve(root: Schema, reference: Any) -> Schema:
    """What a reference inside of the root points at, by RFC 6901."""
    held: Any = root
    pointer = str(reference)
    if not pointer.startswith("#"):
        raise Unsatisfiable(f"$ref {pointer} does not stay inside of the schema")
    for step in pointer[1:].split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        held = held.get(key) if isinstance(held, dict) else None
    if not isinstance(held, dict | bool):
        raise Unsatisfiable(f"$ref {pointer} leads nowhere")
    return held


def merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """A schema that asks for what both ask for, as far as keywords can be joined.

    >>> merge({"minimum": 1, "required": ["a"]}, {"minimum": 2, "required": ["b"]})
    {'minimum': 2, 'required': ['a', 'b']}
    """
    joined = dict(one)
    for name, held in other.items():
        joined[name] = join(name, one[name], held) if name in one else held
    return joined


def join(name: str, one: Any, other: Any) -> Any:
    """One keyword that stands in both schemas."""
    if name in TIGHTER_WHEN_LARGER:
        return max(one, other)
    if name in TIGHTER_WHEN_SMALLER:
        return min(one, other)
    if name == "required":
        return list(dict.fromkeys([*one, *other]))
    if name in ("anyOf", "oneOf"):
        return [{"allOf": [left, right]} for left in one for right in other]
    if name == "properties":
        both = {key: {"allOf": [one[key], other[key]]} for key in one if key in other}
        return {**one, **other, **both}
    if name == "enum":
        return [held for held in one if held in other]
    return join_types(one, other) if name == "type" else other


def join_types(one: str | list[str], other: str | list[str]) -> list[str]:
    """The types that both allow; an integer is a number."""
    left, right = ({kinds} if isinstance(kinds, str) else set(kinds) for kinds in (one, other))
    shared = [kind for kind in ([one] if isinstance(one, str) else one) if kind in right]
    if "integer" not in shared and (
        ("integer" in left and "number" in right) or ("number" in left and "integer" in right)
    ):
        shared.append("integer")
    return shared


def strict_fault(schema: Schema) -> str | None:
    """What strict structured output refuses in a schema, or None.

    Of OpenAI's rules these are checked: the root is an object and no anyOf; every object forbids other properties
    and requires all of its own.
    """
    if not isinstance(schema, dict) or "anyOf" in schema or not is_object(schema):
        return "schema must be a JSON Schema of 'type: \"object\"'."
    try:
        return next(filter(None, (open_object(path, part) for path, part in walk(schema, ()))), None)
    except Unsatisfiable as error:
        return str(error)
    except RecursionError:
        return "it is nested too deep."


def open_object(path: tuple[str, ...], part: dict[str, Any]) -> str | None:
    """What strict mode refuses in one part of a schema, or None."""
    if not is_object(part):
        return None
    if part.get("additionalProperties") is not False:
        return f"In context={path}, 'additionalProperties' is required to be supplied and to be false."
    if set(part.get("required", [])) != set(part.get("properties", {})):
        return (
            f"In context={path}, 'required' is required to be supplied and to be an array including every key "
            "in properties."
        )
    return None


def is_object(schema: dict[str, Any]) -> bool:
    """Whether a schema describes an object."""
    return schema.get("type") == "object" or "properties" in schema


def walk(schema: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every schema inside of a schema with its path, itself first.

    Raises:
        Unsatisfiable: a keyword holds what it may not.
    """
    if not isinstance(schema, dict):
        return
    check_shape(schema)
    yield path, schema
    for name in ("properties", "$defs", "definitions"):
        for key, part in (schema.get(name) or {}).items():
            yield from walk(part, (*path, name, key))
    for name in ("anyOf", "allOf", "oneOf", "prefixItems"):
        for number, part in enumerate(schema.get(name) or []):
            yield from walk(part, (*path, name, str(number)))
    yield from walk(schema.get("items"), (*path, "items"))
