"""What ordered faults do to an open stream: to its next item, or to the stream as a whole."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection

from resources.sandbox.clock import iso
from resources.sandbox.faults import Fault, take_fault
from resources.sandbox.state import State
from resources.sandbox.x_reading import Item, Reading
from resources.sandbox.x_shapes import PROBLEMS

KEEP_ALIVE = b"\r\n"
# They wait for an item to happen to.
ITEM_KINDS = frozenset({"duplicate", "disorder", "no_tag", "torn"})
# They happen at once.
WHOLE_KINDS = frozenset({"disconnect", "too_many_in_band", "cut", "silent", "unknown"})
# The connection is refused with them, in the form that X has for it.
OPEN_KINDS = ITEM_KINDS | WHOLE_KINDS
HALF_A_LINE = b'{"data":{"id":"'


def next_fault(state: State, *, has_items: bool, but: Collection[str] = ()) -> Fault | None:
    """The next fault for an open stream, used up by being taken; those of some kinds stay for later."""
    kinds: Collection[str] = OPEN_KINDS if has_items else WHOLE_KINDS
    return take_fault(state, "stream", kinds, but)


def as_line(body: Item) -> bytes:
    """One line of the stream."""
    return json.dumps(body).encode("ascii") + b"\r\n"


def disconnect_line(disconnect_type: str) -> bytes:
    """The last line before X closes a stream for reasons of its own."""
    return as_line(
        {
            "errors": [
                {
                    "title": "operational-disconnect",
                    "disconnect_type": disconnect_type,
                    "detail": "This stream has been disconnected upstream for operational reasons.",
                    "type": PROBLEMS + "operational-disconnect",
                }
            ]
        }
    )


def too_many_line() -> bytes:
    """The refusal of a second connection as a line of a stream that was opened with 200."""
    return as_line(
        {
            "errors": [
                {
                    "title": "ConnectionException",
                    "detail": "This stream is currently at the maximum allowed connection limit.",
                    "connection_issue": "TooManyConnections",
                    "type": PROBLEMS + "streaming-connection",
                }
            ]
        }
    )


def unknown_line(at: str) -> bytes:
    """A message of a type that no client knows yet; X says that such may come."""
    return as_line({"notice": {"kind": "sandbox", "sent": at}})


def without_tags(item: Item) -> Item:
    """An item as X sends it for rules that have no tag."""
    rules = [
        {name: value for name, value in rule.items() if name != "tag"} for rule in item["matching_rules"]
    ]
    return {**item, "matching_rules": rules}


def torn(line: bytes) -> tuple[bytes, bytes]:
    """A line in two pieces, the first without an end.

    >>> torn(b"abcd")
    (b'ab', b'cd')
    """
    middle = len(line) // 2
    return line[:middle], line[middle:]


def twice(reading: Reading) -> None:
    """The next item comes twice."""
    reading.items.insert(0, reading.items[0])


def untagged(reading: Reading) -> None:
    """The next item does not say the tags of its rules."""
    reading.items[0] = without_tags(reading.items[0])


def out_of_order(reading: Reading) -> None:
    """The next item comes after the one behind it, or after a while when none comes."""
    if len(reading.items) > 1:
        reading.items[:2] = reading.items[1::-1]
    else:
        reading.held, reading.items = reading.items, []
        reading.held_at = asyncio.get_running_loop().time()


async def in_two_pieces(reading: Reading, fault: Fault) -> AsyncIterator[bytes]:
    """The next item comes in two pieces with a pause between them."""
    first, second = torn(as_line(reading.items.pop(0)))
    yield first
    await asyncio.sleep(fault.delay_s)
    yield second


async def unknown(reading: Reading, fault: Fault) -> AsyncIterator[bytes]:
    """A message of another kind."""
    yield unknown_line(iso(reading.world.clock.now()))


async def silent(reading: Reading, fault: Fault) -> AsyncIterator[bytes]:
    """Nothing comes for a while, not even a keep-alive; what appeared meanwhile comes then."""
    await asyncio.sleep(fault.delay_s)
    yield KEEP_ALIVE


async def cut(reading: Reading, fault: Fault) -> AsyncIterator[bytes]:
    """The connection breaks in the middle of a line; its place stays taken for a while."""
    reading.is_over = True
    yield torn(as_line(reading.items[0]))[0] if reading.items else HALF_A_LINE
    now = reading.world.clock.now()
    reading.world.connections.close(reading.connection, now, "connection_lost", fault.delay_s)
    await reading.drop()


async def disconnected(reading: Reading, fault: Fault) -> AsyncIterator[bytes]:
    """X says why, and closes; what was to be sent is lost."""
    reading.is_over = True
    is_second = fault.kind == "too_many_in_band"
    yield too_many_line() if is_second else disconnect_line("UpstreamOperationalDisconnect")


CHANGES: dict[str, Callable[[Reading], None]] = {
    "duplicate": twice,
    "no_tag": untagged,
    "disorder": out_of_order,
}
PIECES: dict[str, Callable[[Reading, Fault], AsyncIterator[bytes]]] = {
    "torn": in_two_pieces,
    "unknown": unknown,
    "silent": silent,
    "cut": cut,
}
