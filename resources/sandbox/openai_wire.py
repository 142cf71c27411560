"""Answers on their way out: whole, in pieces, slowly, by half, or not at all.

Spoken in ASGI itself: a response object would finish what a fault has to leave unfinished.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from resources.sandbox.gate import DROP
from resources.sandbox.openai_faults import ModelFault

PIECES = 8
SETTLE_S = 0.02
HALF = frozenset({"drop_mid", "truncated", "stall"})


class Gone(Exception):
    """The client left, or its connection was dropped."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An answer that is ready; several pieces are sent one by one and without a length.

    latency_s passes before it is sent, and until released is set it is held back.
    """

    status: int
    headers: Mapping[str, str]
    pieces: tuple[bytes, ...]
    media_type: str = "application/json"
    fault: ModelFault | None = None
    latency_s: float = 0.0
    released: asyncio.Event | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """The connection of one request."""

    scope: Scope
    receive: Receive
    send: Send

    async def wait(self, seconds: float | None) -> None:
        """Let time pass, for ever with None.

        Raises:
            Gone: the client left meanwhile.
        """
        try:
            async with asyncio.timeout(seconds):
                await self.leaving()
        except TimeoutError:
            return
        raise Gone

    async def wait_for(self, released: asyncio.Event) -> None:
        """Wait until an event is set.

        Raises:
            Gone: the client left meanwhile.
        """
        tasks = [asyncio.create_task(released.wait()), asyncio.create_task(self.leaving())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        if not released.is_set():
            raise Gone

    async def leaving(self) -> bool:
        """Wait until the client leaves."""
        while (await self.receive())["type"] != "http.disconnect":
            pass
        return True

    async def drop(self) -> None:
        """Close the connection as a network does.

        Raises:
            Gone: always.
        """
        await asyncio.sleep(SETTLE_S)  # what was sent leaves the process first
        self.scope["extensions"][DROP]()
        await self.wait(1.0)
        raise Gone

    async def open(self, delivery: Delivery) -> None:
        """Send status and headers."""
        headers = {"content-type": delivery.media_type, **delivery.headers}
        if len(delivery.pieces) == 1:
            headers["content-length"] = str(len(delivery.pieces[0]))
        raw = [(name.encode("latin-1"), held.encode("latin-1")) for name, held in headers.items()]
        await self.send({"type": "http.response.start", "status": delivery.status, "headers": raw})

    async def piece(self, content: bytes, *, is_last: bool) -> None:
        """Send a part of the body."""
        await self.send({"type": "http.response.body", "body": content, "more_body": not is_last})


async def deliver(line: Line, delivery: Delivery, on_last: Callable[[], object] = bool) -> None:
    """Send an answer, with what its fault does to the sending; on_last is called before the last byte goes.

    Raises:
        Gone: the client did not stay to the end, or was not let to.
    """
    kind = "" if delivery.fault is None else delivery.fault.kind
    delay_s = 0.0 if delivery.fault is None else delivery.fault.delay_s
    await hold_back(line, kind, delivery.latency_s + (delay_s if kind == "slow" else 0.0))
    if delivery.released is not None:
        await line.wait_for(delivery.released)
    await line.open(delivery)
    pieces = delivery.pieces
    if len(pieces) == 1 and (kind in HALF or kind == "slow_stream"):
        pieces = split(pieces[0])
    if kind in HALF:
        await send_half(line, pieces, kind)
    for piece in pieces[:-1]:
        await line.piece(piece, is_last=False)
        if kind == "slow_stream":
            await line.wait(delay_s)
    on_last()
    await line.piece(pieces[-1], is_last=True)


async def hold_back(line: Line, kind: str, seconds: float) -> None:
    """Let the time before an answer pass, and end there if the fault wants that.

    Raises:
        Gone: the client left, or was not let to stay.
    """
    if seconds:
        await line.wait(seconds)
    if kind == "hang":
        await line.wait(None)
    if kind == "drop":
        await line.drop()


async def send_half(line: Line, pieces: tuple[bytes, ...], kind: str) -> None:
    """Send the first half and break off.

    Raises:
        Gone: always.
    """
    for piece in pieces[: max(1, len(pieces) // 2)]:
        await line.piece(piece, is_last=False)
    if kind == "stall":
        await line.wait(None)
    await line.drop()


def split(content: bytes) -> tuple[bytes, ...]:
    """A body in a few pieces.

    >>> split(b"abcdefghij")
    (b'ab', b'cd', b'ef', b'gh', b'ij')
    """
    size = max(1, -(-len(content) // PIECES))
    return tuple(content[start : start + size] for start in range(0, len(content), size)) or (b"",)
