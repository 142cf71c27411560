"""How one connection of a stream ends: at once where storing fails, once however often closed, without a trace."""

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from rejoinder.errors import ServiceUnavailable
from rejoinder.listening.post import Post
from rejoinder.listening.rules import ListeningRule
from resources.listening import HeardCounts
from resources.platforms import x_stream
from resources.platforms.port import Heard
from resources.platforms.x_stream import Batch, LineReader
from resources.streaming.catch_up import Ground
from resources.streaming.ear import Connection, StreamEar
from resources.streaming.timing import Timing
from resources.work.stopping import StopSignal

POST = Post("x", "1", "text", datetime(2026, 11, 1, tzinfo=UTC))


class Away:
    """A database that nobody reaches."""

    @contextmanager
    def transaction(self) -> Generator[Any, None, None]:
        raise ServiceUnavailable("PostgreSQL cannot be reached")
        yield


class OneBlock:
    """A stream that gives one post and then stands until it is closed."""

    is_open = False

    def stream_blocks(self, stop: Any, *, most: int, within_s: float) -> Generator[Heard, None, None]:
        self.is_open = True
        try:
            yield Heard((), {})
            while True:
                yield Heard((POST,), {})
        finally:
            self.is_open = False

    def own_connection(self) -> None:
        return None


def test_a_connection_is_closed_as_soon_as_nothing_can_be_stored() -> None:
    stream: Any = OneBlock()
    channel: Any = SimpleNamespace(id=1, name="x", platform="x", account="me")
    database: Any = Away()
    ground = Ground(database, channel, stream, stream, HeardCounts(), Timing())
    ear = StreamEar(ground, StopSignal(), lambda _: None)
    with pytest.raises(ServiceUnavailable) as kept:
        Connection(ear, (ListeningRule("keywords:a", "a"),)).run()
    # Whoever waits before the next attempt still holds the error, and with it all that led to it.
    assert kept.value.__traceback__ is not None and not stream.is_open


class Wire:
    """Counts how often a connection was to be interrupted."""

    def __init__(self) -> None:
        self.interrupts = 0

    def interrupt(self) -> None:
        self.interrupts += 1


def test_a_connection_that_never_came_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x_stream, "CLOSING_S", 0.3)
    never, wire = threading.Event(), Wire()
    reader = LineReader(never.wait, wire)  # type: ignore[arg-type]
    assert reader.close() == Batch()
    tries = wire.interrupts
    assert tries > 1 and reader.close() == Batch() and wire.interrupts == tries
    never.set()


def test_a_line_that_is_no_json_is_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    x_stream._seen_kinds.discard("not JSON")
    with caplog.at_level(logging.WARNING):
        x_stream._add(Batch(), b'{"data": {"text": "somebody said this')
    assert "not JSON" in caplog.text and "somebody" not in caplog.text
