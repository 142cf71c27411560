"""Connections all of which ends by one deadline, however slowly the other side sends or takes.

A time-out of its own for each read lets a server that drips hold somebody for ever. What belongs here: the streams and
the connecting; whose deadline it is and which addresses may be asked, those say who ask.
"""

import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

CONNECT_TIMEOUT_S = 10.0
# Seconds until the deadline, at most so many; else the given error.
Left = Callable[[float | None, type[Exception]], float]


def time_left(until_s: float, at_most_s: float | None, error: type[Exception]) -> float:
    """Seconds until a time on the monotonic clock, at most so many.

    Raises:
        Exception: of the given type, when none are left.
    """
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise error("the time for it is over")
    return left_s if at_most_s is None else min(left_s, at_most_s)


def connect_to_one(
    addresses: Iterable[str],
    connect: Callable[[str, float], httpcore.NetworkStream],
    left: Left,
) -> httpcore.NetworkStream:
    """Connect to the first of a host's addresses that answers.

    Args:
        addresses: of the host.
        connect: to an address within so many seconds.
        left: the deadline.

    Raises:
        httpcore.ConnectError: there is no address, or none answers.
        httpcore.ConnectTimeout: none answers in time.
    """
    problem: Exception = httpcore.ConnectError("the host has no address")
    for address in addresses:
        left_s = left(CONNECT_TIMEOUT_S, httpcore.ConnectTimeout)
        try:
            return connect(address, left_s)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            problem = error
    raise problem


class DeadlineStream(httpcore.NetworkStream):
    """A stream each of whose reads and writes ends by the deadline.

    Args:
        stream: of httpcore's own backend.
        left: the deadline of whom the stream serves at that moment.
    """

    def __init__(self, stream: httpcore.NetworkStream, left: Left) -> None:
        self._stream = stream
        self._left = left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Bytes that came."""
        return self._stream.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send the bytes; the stream below would take the whole time anew for each part that the server takes."""
        connection = self._stream.get_extra_info("socket")
        rest = memoryview(buffer)
        try:
            while rest:
                connection.settimeout(self._left(timeout, httpcore.WriteTimeout))
                rest = rest[connection.send(rest) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout("the time is up") from error
        except OSError as error:
            raise httpcore.WriteError(type(error).__name__) from error

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Go on encrypted; the certificate is that of the host's name, whatever the address."""
        left_s = self._left(timeout, httpcore.ConnectTimeout)
        return type(self)(self._stream.start_tls(ssl_context, server_hostname, left_s), self._left)

    def get_extra_info(self, info: str) -> Any:
        """What the connection knows of itself."""
        return self._stream.get_extra_info(info)
