"""X's filtered stream: one connection, read by a thread of its own, handed over in blocks.

The thread only reads lines into a queue of bounded length; where it is full the thread waits, and X's side of the
connection fills up: nothing is dropped here. Lines are read here and not by tweepy, which stops the whole stream at
a matching rule without a tag. A connection on which no byte comes for longer than X's keep-alive (20 s) is given up,
also where its socket stays open.
"""

import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3

from rejoinder.listening.post import Post
from resources.platforms.failures import AuthExpired, PlatformFailure, Refused
from resources.platforms.port import Stop, Unreadable
from resources.platforms.streaming import SlotTaken, StreamEnded
from resources.platforms.wire import Rebase
from resources.platforms.x_answers import read_posts, too_many

log = logging.getLogger(__name__)

STREAM_PATH = "/2/tweets/search/stream"
KEEP_ALIVE_S = 20.0
# A keep-alive may be under way for a moment.
SILENCE_S = KEEP_ALIVE_S + 5.0
QUEUED_LINES = 5_000
CHUNK_BYTES = 16_384
CLOSING_S = 10.0
# In-band errors after which X closes; these two are no fault of ours, the stream is opened again.
PASSING = ("operational-disconnect", "upstreamoperationaldisconnect", "operationaldisconnect")

BROKEN = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
)


@dataclass(slots=True)
class Batch:
    """What came in: items as X sent them, and how the connection ended where it did."""

    items: list[dict[str, Any]] = field(default_factory=list)
    ending: PlatformFailure | None = None
    has_ended: bool = False


class LineReader:
    """Reads one connection in a thread and queues its lines; the last thing queued is how it ended."""

    def __init__(self, connect: Callable[[], requests.Response], wire: Rebase) -> None:
        self._connect, self._wire = connect, wire
        self._queue: queue.Queue[bytes | PlatformFailure | None] = queue.Queue(QUEUED_LINES)
        self._is_closed = False
        self.has_connected = threading.Event()
        self._thread = threading.Thread(target=self._run, name="x-stream", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        ending: PlatformFailure | None = None
        try:
            with self._connect() as response:
                if self._is_closed:
                    return
                if response.status_code == 200:
                    self.has_connected.set()
                    self._read(response)
                else:
                    ending = connect_failure(response)
        except BROKEN as error:
            ending = broken(error)
        except Exception as error:
            log.exception("reading X's stream failed")
            ending = StreamEnded("http", f"X's stream cannot be read ({type(error).__name__})")
        self._put(ending)

    def _read(self, response: requests.Response) -> None:
        for line in response.iter_lines(chunk_size=CHUNK_BYTES):
            if self._is_closed:
                return
            if line:
                self._put(line)

    def _put(self, item: bytes | PlatformFailure | None) -> None:
        """Queue an item, waiting for room; X holds the rest back meanwhile."""
        self._queue.put(item)

    def take(self, most: int, within_s: float) -> Batch:
        """What is there: waits for a first line at most within_s, then gathers as long again, to save in one go."""
        batch, lines = Batch(), 0
        until = time.monotonic() + within_s
        while lines < most and not batch.has_ended:
            try:
                item = self._queue.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            lines += 1
            _add(batch, item)
        return batch

    def close(self) -> Batch:
        """End the connection now, not at the next keep-alive; what had come in by then. Nothing the second time."""
        if self._is_closed:
            return Batch()
        self._is_closed = True
        self._wire.interrupt()
        rest, until = Batch(), time.monotonic() + CLOSING_S
        while not rest.has_ended and time.monotonic() < until:
            try:
                _add(rest, self._queue.get(timeout=0.1))
            except queue.Empty:
                if not self._thread.is_alive():
                    break
                self._wire.interrupt()
        return rest


def _add(batch: Batch, item: bytes | PlatformFailure | None) -> None:
    if not isinstance(item, bytes):
        batch.has_ended, batch.ending = True, item
        return
    try:
        body = json.loads(item)
        if not isinstance(body, dict):
            raise ValueError("not an object")
    except ValueError:
        # Its words may be somebody's, who deletes them tomorrow.
        _log_once("not JSON", "X's stream sent a line that is not JSON (%d bytes)", len(item))
        return
    if body.get("data"):
        batch.items.append(body)
    elif "errors" in body or "title" in body:
        batch.ending = in_band(body)
        batch.has_ended = batch.ending is not None
    else:
        kind = ", ".join(sorted(body)) or "an empty object"
        _log_once(kind, "X's stream sent a message of an unknown kind, passed over from now on: %s", kind)


def in_band(body: dict[str, Any]) -> PlatformFailure | None:
    """The failure that an error in the stream tells of; None where X only closes and may be asked again at once."""
    problems = [one for one in (body.get("errors") or [body]) if isinstance(one, dict)]
    said = "; ".join(str(one.get("detail") or one.get("title")) for one in problems)
    kinds = {str(one.get("type", "")).rsplit("/", 1)[-1].lower() for one in problems}
    kinds |= {str(one.get("disconnect_type", "")).lower() for one in problems}
    log.warning("X's stream reports: %s", said)
    if "usage-capped" in kinds:
        return Refused("usage_capped", said)
    if any(one.get("connection_issue") == "TooManyConnections" for one in problems):
        return SlotTaken(None, said)
    if kinds.isdisjoint(PASSING):
        return StreamEnded("http", f"X ended the stream: {said}")
    return None


_seen_kinds: set[str] = set()


def _log_once(kind: str, message: str, *values: object) -> None:
    if kind not in _seen_kinds:
        _seen_kinds.add(kind)
        log.warning(message, *values)


def read_items(batch: Batch) -> tuple[list[Post], list[Unreadable]]:
    """The posts of a batch, and what X sent that cannot be read."""
    posts: list[Post] = []
    unreadable: list[Unreadable] = []
    for body in batch.items:
        found, broken_items = read_posts(body)
        posts += found
        unreadable += broken_items
    return posts, unreadable


def batches(reader: LineReader, stop: Stop, *, most: int, within_s: float) -> Iterator[Batch]:
    """What comes in until the connection ends or stop is set; an empty batch first, once it stands.

    Raises:
        PlatformFailure: how it ended, where it did not end in order; what came before was given.
    """
    is_open = False
    try:
        while not stop.is_set():
            batch = reader.take(most, within_s)
            if not is_open and reader.has_connected.is_set():
                is_open = True
                yield Batch()
            if is_open:
                yield batch
            if batch.has_ended:
                if batch.ending is not None:
                    raise batch.ending
                return
        rest = reader.close()
        if is_open:
            yield rest
    finally:
        reader.close()


def connect_failure(response: requests.Response) -> PlatformFailure:
    """Why X did not open the stream."""
    status, words = response.status_code, _words(response)
    if status == 429:
        if "TooManyConnections" in response.text:
            return SlotTaken(None, words)
        return too_many(response, words)
    if status in (401, 403):
        return AuthExpired(f"X refused the stream: {words}")
    if status == 409:
        return StreamEnded("http", f"X has no rules for this stream: {words}")
    if 400 <= status < 500 and status not in (408, 420):
        return Refused("invalid", f"X does not open the stream ({status}): {words}")
    return StreamEnded("http", f"X answered {status} to the stream")


def _words(response: requests.Response) -> str:
    try:
        body = response.json()
        return str(body.get("detail") or body.get("title") or f"status {response.status_code}")
    except (ValueError, AttributeError):
        return f"status {response.status_code}"


def broken(error: Exception) -> PlatformFailure:
    """What an error of the connection says; only its class is named."""
    name = type(error).__name__
    if _is_silence(error):
        return StreamEnded("silent", "X sent nothing for longer than a keep-alive takes (20 s)")
    return StreamEnded("network", f"the connection to X's stream broke ({name})")


def _is_silence(error: Exception) -> bool:
    causes = (error, *error.args)
    return any(
        isinstance(one, requests.exceptions.ReadTimeout | urllib3.exceptions.ReadTimeoutError | TimeoutError)
        for one in causes
    )
