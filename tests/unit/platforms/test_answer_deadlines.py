"""An answer whose body drips does not hold a call for ever."""

import socket
import threading
from collections.abc import Iterator

import pytest
import requests

from resources.platforms.deadlines import bounded_session


@pytest.fixture
def dripping() -> Iterator[str]:
    """The address of a server that sends a byte of its body every 50 ms, without end."""
    over = threading.Event()
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        caller, _ = door.accept()
        with caller:
            caller.recv(65536)
            caller.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
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


def test_a_body_that_drips_ends_with_an_error(dripping: str) -> None:
    with bounded_session(0.3) as session, pytest.raises(requests.RequestException):
        session.get(dripping, timeout=(5, 30))
