"""A small value that a JSON schema accepts: what a model that only rehearses answers with.

Enumerations give their first value, strings say ``[rehearsal]`` as far as their length allows, numbers are 0 or the
nearest allowed, arrays have one item where they may, objects what is required. A ``$ref`` is not entered a second time
on one path: a smallest value never needs that. ``not``, ``if``, ``contains`` and ``patternProperties`` are not
looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from resources.sandbox.openai_sample_leaves import MARK, Unsatisfiable, sample_number, sample_text
from resources.sandbox.openai_schema import Schema, flatten, merge

MOST_ITEMS = 1000
MOST_VALUES = 20_000
KEYWORDS = {
    "properties": "object",
    "required": "object",
    "additionalProperties": "object",
    "minProperties": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "minimum": "number",
    "maximum": "number",
    "exclusiveMinimum": "number",
    "exclusiveMaximum": "number",
    "multipleOf": "number",
}


def sample(schema: Schema) -> Any:
    """A value that the schema accepts.

    Raises:
        Unsatisfiable: none was found; the message says where.

    >>> sample({"type": "object", "properties": {"n": {"minimum": 3}}, "required": ["n"]})
    {'n': 3}
    """
    try:
        return Sampler(schema).value(schema, frozenset())
    except RecursionError:
        raise Unsatisfiable("it is nested too deep") from None


@dataclass(slots=True)
class Sampler:
    """Samples under one root, which its references point into; made counts the values, of which not all are kept."""

    root: Schema
    made: int = field(default=0)

    def value(self, schema: Schema, entered: frozenset[str]) -> Any:
        """A value for a part of the root; entered are the references on the way to it."""
        self.made += 1
        if self.made > MOST_VALUES:
            raise Unsatisfiable(f"it asks for more than {MOST_VALUES} values")
        flat, entered = flatten(self.root, schema, entered)
        if "const" in flat:
            return flat["const"]
        if "enum" in flat:
            return first_of_type(flat)
        for keyword in ("anyOf", "oneOf"):
            if keyword in flat:
                return self.branch(flat, keyword, entered)
        return self.first(types_of(flat), lambda kind: self.of_type(kind, flat, entered))

    def branch(self, flat: dict[str, Any], keyword: str, entered: frozenset[str]) -> Any:
        """A value for one branch and for what stands beside it."""
        rest = {name: held for name, held in flat.items() if name != keyword}

        def joined(branch: Schema) -> Any:
            inside, on_the_way = flatten(self.root, branch, entered)
            return self.value(merge(rest, inside), on_the_way)

        return self.first(flat[keyword], joined)

    def first(self, choices: list[Any], make: Callable[[Any], Any]) -> Any:
        """The value of the first choice that has one."""
        reason = "it has no branches"
        for choice in choices:
            try:
                return make(choice)
            except Unsatisfiable as error:
                reason = str(error)
        raise Unsatisfiable(reason)

    def of_type(self, kind: str, flat: dict[str, Any], entered: frozenset[str]) -> Any:
        """A value of one type."""
        if kind == "object":
            return self.object(flat, entered)
        if kind == "array":
            return self.array(flat, entered)
        if kind in ("integer", "number"):
            return sample_number(flat, is_integer=kind == "integer")
        if kind not in ("string", "boolean", "null"):
            raise Unsatisfiable(f"type {kind!r} is not a type of JSON")
        return sample_text(flat) if kind == "string" else {"boolean": False, "null": None}[kind]

    def object(self, flat: dict[str, Any], entered: frozenset[str]) -> dict[str, Any]:
        """What is required, and as much more as minProperties asks for."""
        known, others = flat.get("properties", {}), flat.get("additionalProperties", True)
        if flat.get("minProperties", 0) > MOST_ITEMS:
            raise Unsatisfiable(f"minProperties is more than {MOST_ITEMS}")
        made = {name: self.value(known.get(name, others), entered) for name in flat.get("required", [])}
        spare = [name for name in known if name not in made]
        spare += [f"rehearsal_{number}" for number in range(flat.get("minProperties", 0))]
        for name in spare:
            if len(made) >= flat.get("minProperties", 0):
                break
            made[name] = self.value(known.get(name, others), entered)
        return made

    def array(self, flat: dict[str, Any], entered: frozenset[str]) -> list[Any]:
        """As few items as may be, but one if one may be and can be made."""
        least = flat.get("minItems", 0)
        if least > MOST_ITEMS:
            raise Unsatisfiable(f"minItems is more than {MOST_ITEMS}")
        try:
            return self.items(flat, max(least, min(1, flat.get("maxItems", 1))), entered)
        except Unsatisfiable:
            if least:
                raise
            return []

    def items(self, flat: dict[str, Any], count: int, entered: frozenset[str]) -> list[Any]:
        """This many items."""
        prefix, rest = flat.get("prefixItems", [])[:count], flat.get("items", True)
        made = [self.value(schema, entered) for schema in prefix]
        if not flat.get("uniqueItems"):
            return made + [self.value(rest, entered) for _ in range(count - len(made))]
        while len(made) < count:
            made.append(self.another(rest, made, entered))
        return made

    def another(self, schema: Schema, before: list[Any], entered: frozenset[str]) -> Any:
        """A value unlike those before it: the next of an enumeration, a longer text, a larger number."""
        flat, inner = flatten(self.root, schema, entered)
        if "enum" in flat:
            return self.first([held for held in flat["enum"] if held not in before], lambda held: held)
        changes: list[dict[str, Any]] = [{}]
        numbers = [held for held in before if isinstance(held, int | float) and not isinstance(held, bool)]
        if numbers:
            changes += [{"exclusiveMinimum": max(numbers)}, {"exclusiveMaximum": min(numbers)}]
        changes += [
            {"minLength": 1 + max((len(held) for held in before if isinstance(held, str)), default=0)}
        ]
        changes += [{"const": held} for held in (False, True) if "boolean" in types_of(flat)]
        return self.first(
            changes, lambda change: unlike(before, self.value(reduce(merge, [flat, change]), inner))
        )


def unlike(before: list[Any], value: Any) -> Any:
    """The value, if it is new."""
    if value in before:
        raise Unsatisfiable("uniqueItems asks for more different items than were found")
    return value


def first_of_type(flat: dict[str, Any]) -> Any:
    """The first of an enumeration that is of an allowed type."""
    kinds = types_of({"type": flat["type"]}) if "type" in flat else None
    for held in flat["enum"]:
        if kinds is None or type_name(held) in kinds or (type_name(held) == "integer" and "number" in kinds):
            return held
    raise Unsatisfiable("enum holds no value of its type")


def type_name(value: Any) -> str:
    """JSON's name for a value's type."""
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


def types_of(flat: dict[str, Any]) -> list[str]:
    """The allowed types in order; without ``type`` the one that the other keywords speak of."""
    named = flat.get("type")
    if named is not None:
        return [named] if isinstance(named, str) else list(named)
    return [next((kind for keyword, kind in KEYWORDS.items() if keyword in flat), "string")]


def spoil(root: Schema, value: Any) -> Any:
    """A value that the schema refuses, made from one it accepts: a required field is gone, or the type is another."""
    flat, _ = flatten(root, root, frozenset())
    required = [name for name in flat.get("required", []) if isinstance(value, dict) and name in value]
    if required:
        return {name: held for name, held in value.items() if name != required[0]}
    return {MARK: "wrong for the schema"} if isinstance(value, list) else [f"{MARK} wrong for the schema"]
