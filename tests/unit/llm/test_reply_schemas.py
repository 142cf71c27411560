"""Schemas of pydantic models in the strict form, and answers as values of them."""

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field, model_validator

from rejoinder.errors import ReplyInvalid
from rejoinder.llm.json_replies import generate, json_generate, repair_request, told_in_words
from rejoinder.llm.requests import LlmReply, LlmRequest, Message, ReplySchema, Usage
from rejoinder.llm.schemas import schema_of

REQUEST = LlmRequest("verdicts", (Message("system", "Judge."), Message("user", "The sky is green.")))


class Label(Enum):
    SUPPORTED = "supported"
    REFUTED = "refuted"


class Quote(BaseModel):
    """A quotation."""

    text: str = Field(min_length=1, max_length=200, description="Word for word.")
    at_s: float | None = None


class Verdict(BaseModel):
    reason: str = Field(max_length=300)
    label: Label = Field(Label.SUPPORTED, description="What the evidence says.")
    quotes: list[Quote] = Field(default_factory=list, max_length=3)
    strength: Annotated[int, Field(ge=0, le=10)] = 5
    kind: Literal["fact", "opinion"] = "fact"

    @model_validator(mode="after")
    def _weak_without_quotes(self) -> "Verdict":
        if self.strength > 5 and not self.quotes:
            raise ValueError("a strong verdict needs a quote")
        return self


class Loose(BaseModel):
    counts: dict[str, int]


class Tree(BaseModel):
    name: str
    children: list["Tree"]


@dataclass
class Saying:
    """A model that says always the same."""

    text: str
    asked: list[LlmRequest] = field(default_factory=list)

    def complete(self, request: LlmRequest) -> LlmReply:
        self.asked.append(request)
        return LlmReply(self.text, "m::m", "first", Usage(1, 1), 0.0, "stop", 1.0)


def strict_of(model: type[BaseModel]) -> object:
    return json.loads(schema_of(model).json)


def objects_in(schema: object) -> list[dict[str, object]]:
    if isinstance(schema, list):
        return [found for part in schema for found in objects_in(part)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "object" else []
    return own + [found for part in schema.values() for found in objects_in(part)]


@pytest.mark.parametrize("model", [Verdict, Tree])
def test_every_object_is_closed_and_asks_for_all_it_has(model: type[BaseModel]) -> None:
    found = objects_in(strict_of(model))
    assert len(found) >= 1
    for schema in found:
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])  # type: ignore[call-overload]
    assert '"title"' not in schema_of(model).json and '"default"' not in schema_of(model).json


def test_lengths_ranges_words_and_order_are_kept() -> None:
    schema = strict_of(Verdict)
    assert isinstance(schema, dict)
    assert list(schema["properties"]) == ["reason", "label", "quotes", "strength", "kind"]
    assert schema["properties"]["reason"] == {"maxLength": 300, "type": "string"}
    assert schema["properties"]["strength"] == {"maximum": 10, "minimum": 0, "type": "integer"}
    assert schema["$defs"]["Quote"]["properties"]["text"]["maxLength"] == 200
    assert schema["$defs"]["Quote"]["properties"]["text"]["description"] == "Word for word."


def test_a_reference_stands_alone() -> None:
    label = strict_of(Verdict)["properties"]["label"]  # type: ignore[index]
    assert label == {
        "enum": ["supported", "refuted"], "type": "string", "description": "What the evidence says.",
    }  # fmt: skip


def test_a_whole_answer_keeps_to_it_and_half_of_one_does_not() -> None:
    schema = strict_of(Verdict)
    whole = {"reason": "r", "label": "refuted", "quotes": [], "strength": 1, "kind": "fact"}
    jsonschema.validate(whole, schema)
    for name in whole:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({key: value for key, value in whole.items() if key != name}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**whole, "more": 1}, schema)


def test_a_mapping_with_free_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="free keys"):
        schema_of(Loose)


def test_an_answer_becomes_a_value() -> None:
    text = '{"kind":"fact","label":"refuted","quotes":[],"reason":"r","strength":1}'
    llm = Saying(text)
    value, reply = json_generate(llm, REQUEST, Verdict)
    assert (value.label, value.strength, reply.text) == (Label.REFUTED, 1, text)
    assert llm.asked[0].schema == schema_of(Verdict)


def test_what_only_the_model_checks_is_invalid_too() -> None:
    text = '{"kind":"fact","label":"refuted","quotes":[],"reason":"r","strength":9}'
    with pytest.raises(ReplyInvalid, match=r"first: its answer is no Verdict: the whole: .*needs a quote"):
        json_generate(Saying(text), REQUEST, Verdict)


def test_free_text_has_no_schema() -> None:
    llm = Saying("so")
    assert generate(llm, LlmRequest("reply", REQUEST.messages, schema_of(Verdict))).text == "so"
    assert llm.asked[0].schema is None


def test_a_schema_is_told_at_the_end_of_the_last_message() -> None:
    schema = ReplySchema("s", '{"type":"object"}')
    told = told_in_words(REQUEST, schema)
    assert told.messages[0] == REQUEST.messages[0] and len(told.messages) == 2
    assert told.messages[1].text.startswith("The sky is green.\n\n")
    assert told.messages[1].text.endswith(schema.json)


def test_a_repair_shows_the_answer_and_what_is_wrong() -> None:
    schema = ReplySchema("s", '{"type":"object"}')
    again = repair_request(REQUEST, schema, "x" * 99_999, "at $: 'label' is a required property")
    assert again.messages[:2] == REQUEST.messages
    assert [message.role for message in again.messages[2:]] == ["assistant", "user"]
    assert len(again.messages[2].text) == 8_000
    assert (
        "'label' is a required property" in again.messages[3].text and schema.json in again.messages[3].text
    )
    assert repair_request(REQUEST, schema, "", "nothing").messages[2].text
