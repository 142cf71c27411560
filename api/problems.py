"""What callers are told when something is wrong: problem details as RFC 9457 has them, each with what helps.

What belongs here: the kinds of problem, and how the project's own errors become one. No token nor
whole body is quoted; what has to be corrected is named, which can be a few words of the request.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from rejoinder.errors import RejoinderError
from resources.postgres import is_outage

log = logging.getLogger("rejoinder.api")
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = "2"
WRONG_SHOWN, LONGEST_PLACE = 20, 200
Kind = Literal[
    "malformed", "no-token", "token-refused", "scope-missing", "not-allowed", "not-found", "method", "too-slow",
    "conflict", "too-large", "media-type", "invalid", "too-many", "busy", "unavailable", "internal",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Nature:
    """What a kind of problem is: its status, its name, and what helps unless more is known."""

    status: int
    title: str
    fix: str


KINDS: dict[Kind, Nature] = {
    "malformed": Nature(400, "Malformed request", "Correct the request as the detail says."),
    "no-token": Nature(
        401, "No token", "Send `Authorization: Bearer TOKEN`; `rejoinder api token` makes one."
    ),
    "token-refused": Nature(401, "Token refused", "Get a new token: `rejoinder api token`."),
    "scope-missing": Nature(403, "Scope missing", "Get a token with the scope that the detail names."),
    "not-allowed": Nature(403, "Not allowed", "Ask an admin for the role, or for a token of this project."),
    "not-found": Nature(404, "Not found", "Look at /openapi.json for paths, at GET /sources for numbers."),
    "method": Nature(405, "Method not allowed", "Look at /openapi.json for what the path takes."),
    "too-slow": Nature(408, "Request too slow", "Send the whole body without long pauses."),
    "conflict": Nature(409, "Changed in between", "Look again, then decide on what stands there now."),
    "too-large": Nature(413, "Too large", "Send less at once; docs/api.md has the limits."),
    "media-type": Nature(415, "Unsupported media type", "Send what /openapi.json says the path takes."),
    "invalid": Nature(422, "Cannot be done as asked", "Correct what the detail names."),
    "too-many": Nature(429, "Too many requests", "Wait as long as Retry-After says, then send it again."),
    "busy": Nature(503, "Busy", "Wait as long as Retry-After says, then send it again."),
    "unavailable": Nature(503, "Unavailable", "Wait as long as Retry-After says, then send it again."),
    "internal": Nature(500, "Unforeseen error", "Tell the operator the request id: the log has the error."),
}
OF_ERRORS: dict[str, Kind] = {
    "ConfigInvalid": "invalid",
    "InputUnreadable": "invalid",
    "DecisionInvalid": "invalid",
    "NotAllowed": "not-allowed",
    "StaleView": "conflict",
    "IllegalMove": "conflict",
    "LeaseLost": "conflict",
    "ServiceUnavailable": "unavailable",
    "StorageFailed": "unavailable",
    "PassingTrouble": "unavailable",
    "ModelRefusal": "invalid",
    "ReplyInvalid": "unavailable",
}
AWAY = "PostgreSQL, the object store or a model is not there for it."
OF_STATUS: dict[int, Kind] = {404: "not-found", 405: "method", 413: "too-large", 415: "media-type"}


class Wrong(BaseModel):
    """One part of a request that is wrong."""

    at: str = Field(description="Where: body.text, query.limit.")
    message: str


class Problem(BaseModel):
    """What is wrong (RFC 9457), and what helps."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:rejoinder:problem:scope-missing",
                "title": "Scope missing",
                "status": 403,
                "detail": "This needs the scope sources:write.",
                "fix": "Get a token with the scope that the detail names.",
                "request_id": "5f0c1b1e7a3d4c6f",
            }
        }
    )

    type: str = Field(description="Names the kind of problem; stays the same from version to version.")
    title: str
    status: int
    detail: str
    fix: str = Field(description="What helps.")
    request_id: str
    errors: list[Wrong] | None = Field(None, description="Part by part, where a request is wrong.")


class Refusal(HTTPException):
    """A request that is answered with a problem."""

    def __init__(
        self, kind: Kind, detail: str, *, fix: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.kind: Kind = kind
        self.fix = fix
        super().__init__(KINDS[kind].status, detail, dict(headers or {}))


def answer(
    request: Request,
    kind: Kind,
    detail: str,
    *,
    fix: str | None = None,
    headers: Mapping[str, str] | None = None,
    errors: list[Wrong] | None = None,
) -> JSONResponse:
    """The problem as a response."""
    nature = KINDS[kind]
    problem = Problem(
        type=f"urn:rejoinder:problem:{kind}",
        title=nature.title,
        status=nature.status,
        detail=detail,
        fix=fix or nature.fix,
        request_id=request.scope.get("rejoinder.request_id", ""),
        errors=errors,
    )
    waits = {"Retry-After": RETRY_AFTER_S} if nature.status in (429, 503) else {}
    return JSONResponse(
        problem.model_dump(exclude_none=True), nature.status, {**waits, **(headers or {})}, MEDIA_TYPE
    )


def handle_problems(app: FastAPI) -> None:
    """Make the application answer every error with a problem."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RejoinderError, _own_error)
    app.add_exception_handler(RequestValidationError, _wrong_parts)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unforeseen)


def _refused(request: Request, error: Any) -> JSONResponse:
    return answer(request, error.kind, error.detail, fix=error.fix, headers=error.headers)


def _own_error(request: Request, error: Any) -> JSONResponse:
    kinds = [OF_ERRORS[cls.__name__] for cls in type(error).__mro__ if cls.__name__ in OF_ERRORS]
    if not kinds:
        return _unforeseen(request, error)
    kind = kinds[0]
    if kind == "unavailable":  # the words of the driver name sockets and hosts, and anybody may ask /ready
        log.error("%s: %s", request.scope.get("rejoinder.request_id"), error)
        return answer(request, kind, AWAY)
    return answer(request, kind, str(error), fix=error.fix)


def _wrong_parts(request: Request, error: Any) -> JSONResponse:
    wrong = [Wrong(at=_place(e["loc"]), message=e["msg"]) for e in error.errors()[:WRONG_SHOWN]]
    return answer(request, "invalid", "The request is not as this path takes it.", errors=wrong)


def _place(steps: tuple[str | int, ...]) -> str:
    """Where something is wrong; a field that is not known has any name, half a surrogate pair in it too."""
    return ".".join(map(str, steps)).encode("utf-8", "replace").decode()[:LONGEST_PLACE]


def _http_error(request: Request, error: Any) -> JSONResponse:
    kind = OF_STATUS.get(error.status_code, "malformed")
    return answer(request, kind, str(error.detail), headers=error.headers)


def _gone(request: Request, error: Any) -> JSONResponse:
    return answer(request, "malformed", "The connection ended before the request did.")


def _unforeseen(request: Request, error: Any) -> JSONResponse:
    if is_outage(error):
        log.error("PostgreSQL is away: %s", type(error).__name__)
        return answer(request, "unavailable", AWAY)
    log.error("request %s failed", request.scope.get("rejoinder.request_id"), exc_info=error)
    return answer(request, "internal", "Something went wrong that nobody foresaw.")


def documented(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """The problems that a route can answer with, for its OpenAPI document."""
    titles: dict[int, list[str]] = {}
    for kind in kinds:
        titles.setdefault(KINDS[kind].status, []).append(KINDS[kind].title)
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": " / ".join(names), "content": content} for status, names in titles.items()
    }
