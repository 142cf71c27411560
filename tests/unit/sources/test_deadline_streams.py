"""A stream whose reads and writes end by one deadline, and connecting to the first address that answers."""

import itertools
import socket
import threading
import time
from contextlib import suppress
from functools import partial

import httpcore
import pytest

from resources.deadline_streams import DeadlineStream, connect_to_one, time_left


def test_the_time_that_is_left_is_at_most_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    assert time_left(107.0, None, ValueError) == 7.0
    assert time_left(107.0, 2.0, ValueError) == 2.0
    with pytest.raises(ValueError, match="over"):
        time_left(100.0, None, ValueError)


def test_an_address_that_does_not_answer_is_passed_over_and_the_deadline_ends_the_trying() -> None:
    tried: list[tuple[str, float]] = []

    def connect(address: str, left_s: float) -> httpcore.NetworkStream:
        tried.append((address, left_s))
        raise httpcore.ConnectError(address)

    seconds = itertools.count(5, -1)

    def left(_most: float | None, error: type[Exception]) -> float:
        now = next(seconds)
        if now < 3:
            raise error("over")
        return now

    with pytest.raises(httpcore.ConnectError, match="no address"):
        connect_to_one([], connect, left)
    with pytest.raises(httpcore.ConnectTimeout, match="over"):
        connect_to_one(["a", "b", "c", "d", "e"], connect, left)
    assert tried == [("a", 5), ("b", 4), ("c", 3)]


@pytest.mark.parametrize("does", ["read", "write"])
def test_a_side_that_is_slow_at_each_step_is_left_at_the_deadline(does: str) -> None:
    stopped = threading.Event()

    def drip(far: socket.socket) -> None:
        with suppress(OSError):
            while not stopped.wait(0.01):
                far.send(b"x") if does == "read" else far.recv(2**12)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        near = httpcore.SyncBackend().connect_tcp("127.0.0.1", listening.getsockname()[1])
        far = listening.accept()[0]
        thread = threading.Thread(target=drip, args=(far,))
        thread.start()
        stream = DeadlineStream(near, partial(time_left, time.monotonic() + 0.3))
        try:
            with pytest.raises(httpcore.ReadTimeout if does == "read" else httpcore.WriteTimeout):
                while does == "read":
                    stream.read(1, 20.0)
                stream.write(b"x" * 2**27, 20.0)
        finally:
            stopped.set()
            stream.close()
            far.close()
            thread.join()
