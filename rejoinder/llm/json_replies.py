"""Asking a language model for JSON: what it is told in words, and the answer as a value.

What belongs here: the sentences and the shapes. Reading an answer leniently and checking it is the gateway's
(resources/llm/gateway/structured.py).
"""

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from rejoinder.errors import ReplyInvalid
from rejoinder.llm.requests import LlmReply, LlmRequest, Message, ReplySchema
from rejoinder.llm.schemas import schema_of

if TYPE_CHECKING:
    from rejoinder.llm.ports import Llm

Value = TypeVar("Value", bound=BaseModel)
# Of an answer that is shown to the model again: enough to see what was wrong, not enough to overflow its context.
SHOWN_CHARS = 8_000
# The character 0 as JSON writes it, behind any number of backslashes that are meant as such.
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
TOLD = "Answer with JSON only, without any other text and without a code fence. It must keep to this JSON Schema:"
REPAIR = (
    "This answer cannot be used: {problem}. Give the whole answer once more, as JSON only, without any other text and "
    "without a code fence. It must keep to this JSON Schema:\n{schema}"
)


def generate(llm: "Llm", request: LlmRequest) -> LlmReply:
    """A free text; a schema that the request has is left out.

    Raises:
        ModelTrouble, BudgetSpent, ModelRefusal: as `Llm.complete`.
    """
    return llm.complete(replace(request, schema=None))


def json_generate(llm: "Llm", request: LlmRequest, model: type[Value]) -> tuple[Value, LlmReply]:
    """The answer as a value of a pydantic model, and the reply that it was read from.

    Raises:
        ReplyInvalid: no answer keeps to the model's schema, or to what the model checks beyond it.
        ModelTrouble, BudgetSpent, ModelRefusal: as `Llm.complete`.
    """
    reply = llm.complete(replace(request, schema=schema_of(model)))
    try:
        return model.model_validate_json(reply.text), reply
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise ReplyInvalid(
            f"{reply.endpoint}: its answer is no {model.__name__}: {where}: {first['msg']}"
        ) from None


def told_in_words(request: LlmRequest, schema: ReplySchema) -> LlmRequest:
    """The request with its schema written at the end of the last message, for a model that has no schemas."""
    *before, last = request.messages or (Message("user", ""),)
    text = f"{last.text}\n\n{TOLD}\n{schema.json}".lstrip()
    return replace(request, messages=(*before, replace(last, text=text)))


def repair_request(asked: LlmRequest, schema: ReplySchema, answer: str, problem: str) -> LlmRequest:
    """The request once more, followed by the answer that cannot be used and what is wrong with it."""
    words = REPAIR.format(problem=problem, schema=schema.json)
    answered = Message("assistant", answer[:SHOWN_CHARS] or "(nothing)")
    return replace(asked, messages=(*asked.messages, answered, Message("user", words)))


def canonical_reply(value: object) -> str:
    """The one text of a JSON value: keys sorted, no blanks, letters of every script as they are.

    >>> canonical_reply({"b": 1, "a": "\u00e9"})
    '{"a":"é","b":1}'
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    # Neither half of a pair of surrogates nor the character 0 is a letter: no table could hold them.
    return _NUL.sub("\\1\N{SYMBOL FOR NULL}", text.encode("utf-8", "replace").decode("utf-8"))
