"""The paths of the models' API, under /openai/v1, and the way that every request of it takes.

Time is real here, not the sandbox's: a client waits for an answer with its own clock.
"""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any

from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from resources.sandbox.openai_calls import answer, begin, refused
from resources.sandbox.openai_errors import ApiError, invalid, no_key, wrong_key
from resources.sandbox.openai_match import Occasion
from resources.sandbox.openai_models import Ticket
from resources.sandbox.openai_rehearsal import Rehearsal
from resources.sandbox.openai_request import (
    ChatRequest,
    EmbeddingRequest,
    parse_body,
    parse_chat,
    parse_embedding,
    too_large,
)
from resources.sandbox.openai_shapes import as_json, model_body
from resources.sandbox.openai_wire import Delivery, Gone, Line, deliver

BASE = "/openai/v1"
LARGEST_BODY = 32_000_000
LARGEST_REMEMBERED = 64_000
UNANSWERED = frozenset({"drop", "hang"})
Parse = Callable[[dict[str, Any]], ChatRequest | EmbeddingRequest]


def openai_routes(rehearsal: Rehearsal) -> list[BaseRoute]:
    """Every route of the API; a path or method that is not there is answered in its shape too."""
    return [
        Route(f"{BASE}/chat/completions", Operation(rehearsal, parse_chat), methods=["POST"]),
        Route(f"{BASE}/embeddings", Operation(rehearsal, parse_embedding), methods=["POST"]),
        Route(f"{BASE}/models", Reading(rehearsal, list_models), methods=["GET"]),
        Route(f"{BASE}/models/{{model:path}}", Reading(rehearsal, show_model), methods=["GET"]),
        Route(f"{BASE}/{{path:path}}", Reading(rehearsal, unknown_path), methods=None),
    ]


@dataclass(frozen=True, slots=True)
class Operation:
    """A path that asks a model, as an ASGI application."""

    rehearsal: Rehearsal
    parse: Parse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        line, headers = Line(scope, receive, send), new_headers()
        try:
            body = await read_body(receive)
            check_key(scope, self.rehearsal.api_key)
            raw = parse_body(body)
            request = self.parse(raw)
            station = self.rehearsal.station(request.model)
        except ApiError as error:
            await deliver(line, refused(error, headers))
            return
        except Gone:
            return
        ticket = self.rehearsal.enter(station)
        try:
            delivery = self.prepare(request, ticket, headers)
            self.remember(raw if len(body) <= LARGEST_REMEMBERED else {}, delivery, request)
            await deliver(line, delivery, ticket.leave)
        except Gone:
            ticket.count_gone()
        finally:
            ticket.leave()

    def prepare(
        self, request: ChatRequest | EmbeddingRequest, ticket: Ticket, headers: dict[str, str]
    ) -> Delivery:
        """The answer, counted."""
        station, occasion = self.rehearsal.station(request.model), occasion_of(request)
        turn = begin(self.rehearsal, station, ticket, occasion, headers)
        try:
            delivery = answer(turn, request)
        except ApiError as error:
            delivery = refused(error, turn.headers, turn.fault)
        released = self.rehearsal.released if turn.kind == "hold" else None
        delivery = replace(delivery, latency_s=station.card.latency_s, released=released)
        ticket.count(None if turn.kind in UNANSWERED else delivery.status, turn.kind)
        return delivery

    def remember(
        self, raw: dict[str, Any], delivery: Delivery, request: ChatRequest | EmbeddingRequest
    ) -> None:
        """Keep what was asked among the last calls; a large body is left out."""
        fault = None if delivery.fault is None else delivery.fault.kind
        self.rehearsal.recent.append(
            {
                "at_unix_s": time.time(),
                "request_id": delivery.headers["x-request-id"],
                "model": request.model,
                "task": request.task,
                "status": delivery.status,
                "fault": fault,
                "request": raw,
            }
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """A path that tells about models, as an ASGI application."""

    rehearsal: Rehearsal
    read: Callable[[Rehearsal, Scope], Any]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = new_headers()
        try:
            check_key(scope, self.rehearsal.api_key)
            delivery = Delivery(200, headers, (as_json(self.read(self.rehearsal, scope)),))
        except ApiError as error:
            delivery = refused(error, headers)
        await deliver(Line(scope, receive, send), delivery)


def list_models(rehearsal: Rehearsal, _: Scope) -> dict[str, Any]:
    """All models."""
    return {"object": "list", "data": [model_body(name) for name in rehearsal.stations]}


def show_model(rehearsal: Rehearsal, scope: Scope) -> dict[str, Any]:
    """One model."""
    return model_body(rehearsal.station(scope["path_params"]["model"]).card.id)


def unknown_path(_: Rehearsal, scope: Scope) -> Any:
    """A path or method that the API does not have."""
    error = invalid(f"Invalid URL ({scope['method']} {scope['path']})")
    error.status = 404
    raise error


def occasion_of(request: ChatRequest | EmbeddingRequest) -> Occasion:
    """What scripts and faults are matched with."""
    if isinstance(request, ChatRequest):
        return Occasion(request.model, "chat", request.last_user, request.task)
    return Occasion(request.model, "embeddings", request.inputs[0], request.task)


def new_headers() -> dict[str, str]:
    """The headers that every answer has."""
    return {
        "date": formatdate(usegmt=True),
        "x-request-id": f"req_{secrets.token_hex(16)}",
        "openai-version": "2020-10-01",
        "openai-organization": "rehearsal",
        "openai-processing-ms": "1",
    }


def check_key(scope: Scope, api_key: str) -> None:
    """Ask for the sandbox's key.

    Raises:
        ApiError: there is none, or another.
    """
    given = next((held for name, held in scope["headers"] if name == b"authorization"), b"")
    scheme, _, key = given.partition(b" ")
    if scheme.lower() != b"bearer" or not key:
        raise no_key()
    if not hmac.compare_digest(key.strip(), api_key.encode("ascii")):
        raise wrong_key()


async def read_body(receive: Receive) -> bytes:
    """The whole body.

    Raises:
        ApiError: it is too large.
        Gone: the client left before its end.
    """
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise too_large(LARGEST_BODY)
        if not message.get("more_body"):
            return b"".join(parts)
