"""Requests of the models' API, checked as far as an answer depends on them.

Parameters that only steer sampling (temperature, seed, penalties) are taken and have no effect.
"""

import json
from dataclasses import dataclass
from typing import Any

from resources.sandbox.openai_errors import ApiError, error_object, invalid, missing, wrong_type, wrong_value
from resources.sandbox.openai_schema import Schema, strict_fault
from resources.sandbox.openai_tokens import TOKENS_PER_MESSAGE, count_tokens

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
MOST_CHOICES = 128
MOST_INPUTS = 2048
MOST_STOPS = 4


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat completion that was asked for.

    prompt is the text of all messages, last_user that of the last user message; wanted is the schema that the answer
    must follow, True where any JSON does, None where text is asked for.
    """

    model: str
    prompt: str
    prompt_tokens: int
    last_user: str
    task: str | None
    wanted: Schema | None
    is_stream: bool
    wants_usage: bool
    most_tokens: int | None
    choices: int
    stops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Vectors that were asked for; lengths are the inputs' tokens."""

    model: str
    inputs: tuple[str, ...]
    lengths: tuple[int, ...]
    dimensions: int | None
    is_base64: bool
    task: str | None


def parse_body(body: bytes) -> dict[str, Any]:
    """A request body.

    Raises:
        ApiError: it is not a JSON object.
    """
    try:
        raw = json.loads(body, parse_constant=refuse_constant)
        if not isinstance(raw, dict):
            raise ValueError("not an object")
        if b"\\u" in body:  # half a surrogate pair may be spelled, which no text can hold
            json.dumps(raw, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise invalid("We could not parse the JSON body of your request: it must be a JSON object.") from None
    return raw


def refuse_constant(name: str) -> Any:
    """NaN and the infinities are not JSON."""
    raise ValueError(f"{name} is not JSON")


def parse_chat(raw: dict[str, Any]) -> ChatRequest:
    """A chat request.

    Raises:
        ApiError: a parameter is missing, of a wrong type, out of range or not supported here.
    """
    for name in ("tools", "functions", "audio"):
        if raw.get(name):
            raise invalid(
                f"Unsupported parameter: '{name}' is not supported here.", name, "unsupported_parameter"
            )
    model, messages = text(raw, "model"), parse_messages(raw)
    contents = [content for _, content in messages]
    prompt = "\n".join(contents)
    wanted, schema_name = parse_format(raw, prompt)
    return ChatRequest(
        model=model,
        prompt=prompt,
        prompt_tokens=sum(TOKENS_PER_MESSAGE + count_tokens(content) for content in contents),
        last_user=next((content for role, content in reversed(messages) if role == "user"), ""),
        task=parse_task(raw) or schema_name,
        wanted=wanted,
        is_stream=raw.get("stream") is True,
        wants_usage=bool(mapping(raw, "stream_options").get("include_usage")),
        most_tokens=whole(raw, "max_completion_tokens", 1) or whole(raw, "max_tokens", 1),
        choices=whole(raw, "n", 1, MOST_CHOICES) or 1,
        stops=parse_stops(raw.get("stop")),
    )


def text(raw: dict[str, Any], name: str) -> str:
    """A parameter that must be text."""
    if raw.get(name) is None:
        raise missing(name)
    if not isinstance(raw[name], str):
        raise wrong_type(name, "a string")
    return str(raw[name])


def whole(raw: dict[str, Any], name: str, least: int, most: int | None = None) -> int | None:
    """A parameter that is a whole number in a range, or absent."""
    value = raw.get(name)
    if value is None:
        return None
    if type(value) is not int:
        raise wrong_type(name, "an integer")
    if value < least or (most is not None and value > most):
        raise wrong_value(name, f"a value of at least {least}" + (f" and at most {most}" if most else ""))
    return value


def mapping(raw: dict[str, Any], name: str) -> dict[str, Any]:
    """A parameter that is an object; empty where it is absent."""
    value = raw.get(name)
    if value is not None and not isinstance(value, dict):
        raise wrong_type(name, "an object")
    return value or {}


def parse_task(raw: dict[str, Any]) -> str | None:
    """``metadata.task``, by which a client may say what a call is for."""
    task = mapping(raw, "metadata").get("task")
    return task if isinstance(task, str) else None


def parse_messages(raw: dict[str, Any]) -> list[tuple[str, str]]:
    """Role and text of every message."""
    messages = raw.get("messages")
    if messages is None:
        raise missing("messages")
    if not isinstance(messages, list):
        raise wrong_type("messages", "an array of objects")
    if not messages:
        raise invalid("Invalid 'messages': empty array.", "messages", "empty_array")
    return [parse_message(message, f"messages[{number}]") for number, message in enumerate(messages)]


def parse_message(message: Any, place: str) -> tuple[str, str]:
    """Role and text of one message."""
    if not isinstance(message, dict):
        raise wrong_type(place, "an object")
    if message.get("role") not in ROLES:
        raise wrong_value(f"{place}.role", f"one of {', '.join(sorted(ROLES))}")
    content = message.get("content")
    if content is None and message["role"] == "assistant":
        content = ""
    if isinstance(content, list):
        content = "\n".join(parse_part(part, f"{place}.content[{n}]") for n, part in enumerate(content))
    if not isinstance(content, str):
        raise wrong_type(f"{place}.content", "a string or an array of text parts")
    return message["role"], content


def parse_part(part: Any, place: str) -> str:
    """The text of one part of a message."""
    if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
        raise invalid(f"Invalid '{place}': only parts of type 'text' are taken here.", place)
    return str(part["text"])


def parse_stops(raw: Any) -> tuple[str, ...]:
    """Texts at which the answer ends."""
    stops = [raw] if isinstance(raw, str) else raw or []
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise wrong_type("stop", "a string or an array of strings")
    if len(stops) > MOST_STOPS:
        raise wrong_value("stop", f"at most {MOST_STOPS} strings")
    return tuple(filter(None, stops))


def parse_format(raw: dict[str, Any], prompt: str) -> tuple[Schema | None, str | None]:
    """The schema of the answer and its name."""
    wanted = raw.get("response_format")
    if wanted is None:
        return None, None
    if not isinstance(wanted, dict):
        raise wrong_type("response_format", "an object")
    kind = wanted.get("type")
    if kind == "json_schema":
        return parse_schema(wanted.get("json_schema"))
    if kind == "json_object":
        if "json" not in prompt.lower():
            message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type"
            raise invalid(f"{message} 'json_object'.", "messages")
        return True, None
    if kind != "text":
        raise wrong_value("response_format.type", "'text', 'json_object' or 'json_schema'")
    return None, None


def parse_schema(raw: Any) -> tuple[Schema, str]:
    """The schema under ``json_schema`` and its name."""
    if not isinstance(raw, dict):
        raise missing("response_format.json_schema")
    name = raw.get("name")
    if not isinstance(name, str) or not name:
        raise missing("response_format.json_schema.name")
    schema = raw.get("schema", True)
    if not isinstance(schema, dict | bool):
        raise wrong_type("response_format.json_schema.schema", "an object")
    fault = strict_fault(schema) if raw.get("strict") is True else None
    if fault is not None:
        raise invalid(f"Invalid schema for response_format '{name}': {fault}", "response_format")
    return schema, name


def parse_embedding(raw: dict[str, Any]) -> EmbeddingRequest:
    """A request for vectors.

    Raises:
        ApiError: a parameter is missing, of a wrong type or out of range.
    """
    model, given = text(raw, "model"), raw.get("input")
    if given is None:
        raise missing("input")
    encoding = raw.get("encoding_format") or "float"
    if encoding not in ("float", "base64"):
        raise wrong_value("encoding_format", "'float' or 'base64'")
    inputs = parse_inputs(given)
    return EmbeddingRequest(
        model=model,
        inputs=tuple(shown for shown, _ in inputs),
        lengths=tuple(length for _, length in inputs),
        dimensions=whole(raw, "dimensions", 1),
        is_base64=encoding == "base64",
        task=parse_task(raw),
    )


def parse_inputs(given: Any) -> list[tuple[str, int]]:
    """Text and tokens of every input; a list of numbers is one input of so many tokens."""
    inputs = given if isinstance(given, list) and not is_token_list(given) else [given]
    if not inputs or len(inputs) > MOST_INPUTS:
        raise wrong_value("input", f"between 1 and {MOST_INPUTS} inputs")
    parsed = []
    for one in inputs:
        if is_token_list(one):
            parsed.append((" ".join(map(str, one)), len(one)))
        elif isinstance(one, str) and one:
            parsed.append((one, count_tokens(one)))
        else:
            raise invalid("'$.input' is invalid: texts that are not empty, or arrays of tokens.", "input")
    return parsed


def is_token_list(value: Any) -> bool:
    """Whether a value is an array of token ids."""
    return isinstance(value, list) and bool(value) and all(type(token) is int for token in value)


def too_large(limit: int) -> ApiError:
    """A body that is not read any further."""
    message = f"The request body is larger than {limit} bytes."
    return ApiError(413, error_object(message, "invalid_request_error", code="request_too_large"))
