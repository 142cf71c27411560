"""An answer whose body drips does not hold a call for ever."""

import socket
import threading
from collections.abc import Iterator

import pytest
import requests

from resources.platforms.deadlines import bounded_session
from resources.platforms.wire import Rebase

LENGTHS = pytest.mark.parametrize("length", [b"content-length: 1000000", b"connection: close"])


@pytest.fixture
def dripping(length: bytes) -> Iterator[str]:
    """The address of a server that sends a byte of its body every 50 ms, without end; its length is told or not."""
    over = threading.Event()
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        caller, _ = door.accept()
        with caller:
            caller.recv(65536)
            caller.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n")
            while not over.wait(0.05):
                try:
                    caller.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{door.getsockname()[1]}/"
    over.set()
    thread.join()
    door.close()


@LENGTHS
def test_a_body_that_drips_ends_with_an_error(dripping: str) -> None:
    with bounded_session(0.3) as session, pytest.raises(requests.RequestException):
        session.get(dripping, timeout=(5, 30))


@LENGTHS
def test_an_answer_of_x_that_drips_ends_with_an_error(dripping: str) -> None:
    with requests.Session() as session, pytest.raises(requests.RequestException):
        session.mount("https://api.twitter.com", Rebase(dripping, longest_s=0.3))
        session.get("https://api.twitter.com/2/tweets")


@pytest.mark.parametrize("length", [b"connection: close"])
def test_a_stream_may_take_as_long_as_it_likes(dripping: str) -> None:
    wire = Rebase(dripping, longest_s=0.1)
    with requests.Session() as session:
        session.mount("https://api.twitter.com", wire)
        with session.get("https://api.twitter.com/2/stream", stream=True) as answer:
            assert answer.raw.read(8) == b" " * 8
            wire.interrupt()
