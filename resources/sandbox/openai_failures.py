"""Ordered faults that are an answer of their own: refusals, server errors and pages of proxies."""

import math
import time
from email.utils import formatdate

from resources.sandbox.openai_errors import (
    INVALID,
    ApiError,
    error_object,
    too_long_for_context,
    unknown_model,
)
from resources.sandbox.openai_faults import ModelFault

RATE_LIMITS = ("429", "429_http_date", "429_ratelimit", "429_no_headers")
DEFAULT_RETRY_S = 1.0
PAGE = (
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>[rehearsal] Bad Gateway</h1></body></html>"
)
NOT_JSON = (
    b'{"id": "chatcmpl-rehearsal", "object": "chat.completion", "choices": [{"index": 0, "message": {"role'
)
MESSAGES = {
    "401": (401, INVALID, "invalid_api_key", "Incorrect API key provided."),
    "403": (403, INVALID, "model_not_found", "The key may not use this model."),
    "408": (408, "timeout", "timeout", "The server gave up waiting for the request."),
    "insufficient_quota": (
        429, "insufficient_quota", "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "500": (500, "server_error", None, "The server had an error while processing your request."),
    "stream_error": (500, "server_error", None, "The server had an error while processing your request."),
    "502": (502, "server_error", None, "Bad gateway."),
    "503": (503, "server_error", None, "The engine is currently overloaded, please try again later."),
    "529": (529, "overloaded_error", None, "Overloaded."),
}  # fmt: skip


def refusal_of(fault: ModelFault, model: str, context_tokens: int) -> ApiError | None:
    """The error that a fault answers with, or None if it is of another kind."""
    if fault.kind in RATE_LIMITS:
        return rate_limit(fault, model)
    if fault.kind == "context_overflow":
        return too_long_for_context(context_tokens, context_tokens + 1, 0)
    if fault.kind == "unknown_model":
        return unknown_model(model)
    if fault.kind not in MESSAGES:
        return None
    status, kind, code, message = MESSAGES[fault.kind]
    headers = {} if fault.retry_after_s is None else retry_in_seconds(fault.retry_after_s)
    return ApiError(status, error_object(f"[rehearsal] {message}", kind, code=code), headers)


def rate_limit(fault: ModelFault, model: str) -> ApiError:
    """A rate limit that says in one of four ways, or does not, when to come back."""
    wait_s = DEFAULT_RETRY_S if fault.retry_after_s is None else fault.retry_after_s
    headers = {}
    if fault.kind != "429_no_headers":
        headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": span(wait_s)}
    if fault.kind == "429":
        headers |= retry_in_seconds(wait_s)
    if fault.kind == "429_http_date":
        headers["retry-after"] = formatdate(math.ceil(time.time() + wait_s), usegmt=True)
    message = f"[rehearsal] Rate limit reached for {model} on requests per min. Please try again later."
    return ApiError(429, error_object(message, "requests", code="rate_limit_exceeded"), headers)


def retry_in_seconds(wait_s: float) -> dict[str, str]:
    """The two headers that name a wait: whole seconds, rounded up, and milliseconds."""
    return {"retry-after": str(math.ceil(wait_s)), "retry-after-ms": str(round(wait_s * 1000))}


def span(seconds: float) -> str:
    """A span of time as the rate limit headers write it.

    >>> span(0.0124), span(1), span(366.5)
    ('12ms', '1s', '6m6.5s')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    minutes, rest = divmod(seconds, 60)
    left = f"{rest:.3f}".rstrip("0").rstrip(".")
    return f"{minutes:.0f}m{left}s" if minutes else f"{left}s"
