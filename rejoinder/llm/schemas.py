"""From a pydantic model to the schema that a language model is asked to keep to.

What belongs here: the strict form, which every provider with schemas of its own takes: objects have no other
properties than those named, and all of those. Source: OpenAI, "Structured model outputs", section "Supported schemas".
"""

import json
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from rejoinder.llm.requests import ReplySchema

Json = dict[str, Any]
# Say nothing to a model that the property's name does not, or are refused by strict mode.
LEFT_OUT = ("title", "default")
# Under these stand schemas by names of somebody's choice, under the others schemas themselves.
BY_NAME = ("properties", "$defs")
SEVERAL = ("anyOf", "allOf", "prefixItems")


@lru_cache(maxsize=256)
def schema_of(model: type[BaseModel]) -> ReplySchema:
    """The strict JSON Schema of a pydantic model, named like it.

    All properties are required: one that may be missing is asked for as null, if its type allows that. Lengths, ranges
    and descriptions are kept, and so is the order of the fields: a model writes them in this order, so a reason that
    stands before a verdict is thought of first.

    Raises:
        ValueError: the model has a mapping with free keys, which the strict form does not know.

    >>> from pydantic import Field
    >>> class Verdict(BaseModel):
    ...     label: str = Field("none", max_length=9)
    >>> schema_of(Verdict).json
    '{"properties":{"label":{"maxLength":9,"type":"string"}},"type":"object","additionalProperties":false,"required":["label"]}'
    """
    whole = model.model_json_schema()
    return ReplySchema(model.__name__, json.dumps(_strict(whole, whole), separators=(",", ":")))


def _strict(schema: Json, whole: Json) -> Json:
    kept = _without_siblings({k: v for k, v in schema.items() if k not in LEFT_OUT}, whole)
    made = {key: _part(key, value, whole) for key, value in kept.items()}
    if made.get("type") == "object":
        if isinstance(kept.get("additionalProperties"), dict) or "properties" not in made:
            raise ValueError("a mapping with free keys has no strict schema: list its entries as objects")
        made |= {"additionalProperties": False, "required": list(made["properties"])}
    return made


def _without_siblings(schema: Json, whole: Json) -> Json:
    """A reference stands alone in the strict form: what stands beside it is written into a copy of what it names."""
    if len(schema.get("allOf", ())) == 1:
        schema = {**schema["allOf"][0], **{k: v for k, v in schema.items() if k != "allOf"}}
    if "$ref" not in schema or len(schema) == 1:
        return schema
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    named: Json = whole["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return {key: value for key, value in {**named, **beside}.items() if key not in LEFT_OUT}


def _part(key: str, value: Any, whole: Json) -> Any:
    if key in BY_NAME:
        return {name: _strict(schema, whole) for name, schema in value.items()}
    if key in SEVERAL:
        return [_strict(schema, whole) for schema in value]
    if key == "items" and isinstance(value, dict):
        return _strict(value, whole)
    return value
