"""What goes around every request: its id, its line in the log, bounds on its body, headers that every answer has."""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Refusal, answer

log = logging.getLogger("rejoinder.api")
REQUEST_ID = "X-Request-ID"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LENGTH = re.compile(r"[0-9]{1,18}")
IDLE_S, WHOLE_S = 30.0, 600.0
# Readers follow links: no line says which one was followed at which moment.
VISITED = "/l/"
# Asked every few seconds by whoever watches the server.
PROBED = {"/health", "/ready"}
# Answers are for one caller, hold received text and are no pages.
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


@dataclass(frozen=True, slots=True)
class Watched:
    """Gives each request an id, the caller's own if it can be one, and writes a line when it has been answered.

    The line has no query, no header and no body, so no token and nothing of what was asked.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        scope["rejoinder.request_id"] = request_id
        started_s, status = time.monotonic(), 500

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                headers.update(HEADERS)
            await send(message)

        try:
            await self.app(scope, receive, send_marked)
        except Exception:
            # Answered and logged as a problem already; the server would only print it again.
            if status < 500:
                raise
        finally:
            took_ms = 1000 * (time.monotonic() - started_s)
            level = logging.DEBUG if scope["path"] in PROBED else logging.INFO
            log.log(level, "%s %s %s %d %.0f ms", request_id, scope["method"], _shown(scope), status, took_ms)


def _shown(scope: Scope) -> str:
    """The path on one line, whatever was sent as one; of a link no more than that it is one."""
    if scope["path"].startswith(VISITED):
        return f"{VISITED}..."
    return "".join(c if c.isprintable() else "?" for c in scope["path"][:200])


@dataclass(frozen=True, slots=True)
class BoundedBodies:
    """Refuses a body that is too large before it is read, or as it comes, and one that comes too slowly.

    Starlette's own limit answers in plain text and knows no time; ours is a problem like every other.

    Args:
        app: what is inside.
        largest: bytes that a path takes.
    """

    app: ASGIApp
    largest: Callable[[str], int]
    idle_s: float = IDLE_S
    whole_s: float = WHOLE_S

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        largest = self.largest(scope["path"])
        length = Headers(scope=scope).get("content-length", "0")
        if not _LENGTH.fullmatch(length) or int(length) > largest:
            refusal = too_large(largest)
            response = answer(Request(scope), refusal.kind, refusal.detail, headers=refusal.headers)
            await response(scope, receive, send)
            return
        await self.app(scope, _Body(receive, largest, self.idle_s, self.whole_s).receive, send)


class _Body:
    """A request's body as it comes: counted and timed until it is whole."""

    def __init__(self, receive: Receive, largest: int, idle_s: float, whole_s: float) -> None:
        self._receive, self._left, self._largest = receive, largest, largest
        self._idle_s, self._ends_s = idle_s, time.monotonic() + whole_s
        self._is_whole = False

    async def receive(self) -> Message:
        """The next piece.

        Raises:
            Refusal: it is too much, or does not come.
        """
        if self._is_whole:  # what is waited for now is the caller's going away
            return await self._receive()
        try:
            async with asyncio.timeout(min(self._idle_s, self._ends_s - time.monotonic())):
                message = await self._receive()
        except TimeoutError:
            raise Refusal(
                "too-slow", "The body did not come in time.", headers={"Connection": "close"}
            ) from None
        self._left -= len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._left < 0:
            raise too_large(self._largest)
        return message


def too_large(largest: int) -> Refusal:
    """The refusal of a body that has more than so many bytes."""
    return Refusal(
        "too-large", f"The request has more than {largest:,} bytes.", headers={"Connection": "close"}
    )
