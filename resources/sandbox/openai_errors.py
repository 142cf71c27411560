"""Refusals of the models' API, in the shape that its clients read.

Statuses, types and codes are those of OpenAI's public error guide and of answers that clients report; where a
wording is load-bearing (clients look for "maximum context length is") it is kept, else the sentence is ours.
"""

from collections.abc import Mapping
from typing import Any

Body = dict[str, Any]
INVALID = "invalid_request_error"


class ApiError(Exception):
    """The API says no: status, the four fields of its error object, and headers of its own."""

    def __init__(self, status: int, error: Body, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error["message"])
        self.status = status
        self.body: Body = {"error": error}
        self.headers = dict(headers or {})


def error_object(message: str, kind: str, param: str | None = None, code: str | None = None) -> Body:
    """The object under ``error``; all four fields are always there."""
    return {"message": message, "type": kind, "param": param, "code": code}


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """A request that cannot be served: 400."""
    return ApiError(400, error_object(message, INVALID, param, code))


def missing(param: str) -> ApiError:
    """A parameter that has to be there."""
    return invalid(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")


def wrong_type(param: str, wanted: str) -> ApiError:
    """A parameter of another type than the API takes."""
    return invalid(f"Invalid type for '{param}': expected {wanted}.", param, "invalid_type")


def wrong_value(param: str, wanted: str) -> ApiError:
    """A parameter outside of its range."""
    return invalid(f"Invalid value for '{param}': expected {wanted}.", param, "invalid_value")


def no_key() -> ApiError:
    """A request without a key."""
    message = "You didn't provide an API key. Send it as 'Authorization: Bearer KEY'."
    return ApiError(401, error_object(message, INVALID))


def wrong_key() -> ApiError:
    """A request with a key that the sandbox never gave out; the key is not repeated."""
    message = "Incorrect API key provided. GET /sandbox/credentials shows the sandbox's own."
    return ApiError(401, error_object(message, INVALID, code="invalid_api_key"))


def unknown_model(name: str) -> ApiError:
    """A model that is not there."""
    message = f"The model `{name[:200]}` does not exist or you do not have access to it."
    return ApiError(404, error_object(message, INVALID, code="model_not_found"))


def too_long_for_context(limit: int, prompt: int, completion: int) -> ApiError:
    """Messages, or messages and the asked completion, that the context cannot hold; in tokens."""
    if completion:
        said = (
            f"you requested {prompt + completion} tokens ({prompt} in the messages, {completion} in the completion). "
            "Please reduce the length of the messages or completion."
        )
    else:
        said = f"your messages resulted in {prompt} tokens. Please reduce the length of the messages."
    message = f"This model's maximum context length is {limit} tokens. However, {said}"
    return invalid(message, "messages", "context_length_exceeded")


def too_long_to_embed(limit: int, prompt: int) -> ApiError:
    """An input that an embedding model cannot hold; the API gives it no code."""
    return invalid(
        f"This model's maximum context length is {limit} tokens, however you requested {prompt} tokens "
        f"({prompt} in your prompt; 0 for the completion). Please reduce your prompt; or completion length."
    )


def rate_limited(model: str, what: str, limit: int, headers: Mapping[str, str]) -> ApiError:
    """More requests or tokens than a minute allows; what is ``requests`` or ``tokens``."""
    message = f"Rate limit reached for {model} on {what} per min: Limit {limit}. Please try again later."
    return ApiError(429, error_object(message, what, code="rate_limit_exceeded"), headers)
