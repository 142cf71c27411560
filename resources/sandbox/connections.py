"""Who is connected to X's stream, who was, and whose place is still taken."""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from resources.sandbox.clock import iso

ENDPOINT_NAME = "filtered_stream"
MOST_REMEMBERED = 200


@dataclass(slots=True)
class Connection:
    """One connection; connected_at and disconnected_at are simulated Unix seconds.

    held_until is a moment of ``time.monotonic`` up to which a connection that is gone keeps its place.
    """

    id: str
    connected_at: float
    client_ip: str = ""
    disconnected_at: float | None = None
    reason: str = ""
    held_until: float = 0.0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def as_json(self) -> dict[str, Any]:
        """The connection as X lists it."""
        shown: dict[str, Any] = {
            "id": self.id,
            "endpoint_name": ENDPOINT_NAME,
            "connected_at": iso(self.connected_at),
            "client_ip": self.client_ip,
        }
        if self.disconnected_at is not None:
            shown |= {"disconnected_at": iso(self.disconnected_at), "disconnect_reason": self.reason}
        return shown


class Connections:
    """All connections of this process, newest last; ``monotonic`` is the clock of held places."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self.all: deque[Connection] = deque(maxlen=MOST_REMEMBERED)

    def open(self, now: float, client_ip: str) -> Connection:
        """A client has connected."""
        opened = Connection(str(uuid.uuid4()), now, client_ip)
        self.all.append(opened)
        return opened

    def close(self, connection: Connection, now: float, reason: str, held_s: float = 0.0) -> None:
        """A connection is gone; its place stays taken for a while. The first reason counts."""
        if connection.disconnected_at is None:
            connection.disconnected_at, connection.reason = now, reason
            connection.held_until = self.monotonic() + held_s

    def connected(self) -> list[Connection]:
        """Those with a client at the other end."""
        return [one for one in self.all if one.disconnected_at is None]

    def places(self) -> list[Connection]:
        """Those that count against the limit: connected, or gone and not noticed yet."""
        now = self.monotonic()
        return [one for one in self.all if one.disconnected_at is None or one.held_until > now]

    def end(self, wanted: Iterable[str]) -> list[dict[str, Any]]:
        """End connections by id and free their places; what became of each."""
        taken = {one.id: one for one in self.places()}
        results: list[dict[str, Any]] = []
        for connection_id in wanted:
            found = taken.get(connection_id)
            if found is None:
                message = "there is no such active connection"
                results.append({"uuid": connection_id, "success": False, "error_message": message})
                continue
            found.held_until = 0.0
            found.ended.set()
            results.append({"uuid": connection_id, "success": True})
        return results
