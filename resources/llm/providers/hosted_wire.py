"""The connection to a hosted model: all it does ends by a deadline, what comes is bounded, what was said is kept.

Libraries above it turn what happened on the wire into errors of their own, each in another way. What counts is noted
here first, so that a failure is judged by what the server did (`resources.llm.providers.hosted_errors`).
"""

import contextlib
import os
import socket
import time
import weakref
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import httpcore
import httpx

from resources.deadline_streams import CONNECT_TIMEOUT_S, DeadlineStream, connect_to_one, time_left

# Vectors of a batch are the largest that is ever asked for: 256 of 4,000 numbers in decimal writing.
LARGEST_BYTES = 64 * 2**20
# Of what a server says against a request the libraries above are shown as much: LiteLLM looks for secrets in it with
# patterns that take seconds for a megabyte.
LARGEST_COMPLAINT = 2**14

# What went wrong below HTTP.
Failure = Literal["timeout", "connection", "too_large", "compressed"]


@dataclass(slots=True)
class Exchange:
    """One request on its way: until_s is on the monotonic clock; the rest is known as far as it got.

    body is the whole answer, b"" where it did not come whole. is_sent: the request went out and its answer
    was waited for.
    """

    until_s: float
    is_sent: bool = False
    status: int | None = None
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: bytes = b""
    failure: Failure | None = None


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextlib.contextmanager
def exchange(timeout_s: float) -> Iterator[Exchange]:
    """What this thread asks over a `http_client` inside ends within timeout_s seconds and is noted."""
    begun = Exchange(time.monotonic() + timeout_s)
    token = _current.set(begun)
    try:
        yield begun
    finally:
        _current.reset(token)


def http_client(connections: int) -> httpx.Client:
    """A client for calls inside an `exchange`, from any thread; so many connections stay open for further calls.

    It follows no redirect, so that no key goes where nobody sent it, and takes no proxy from the environment.
    """
    return httpx.Client(transport=WatchedTransport(connections), follow_redirects=False, trust_env=False)


class WatchedTransport(httpx.BaseTransport):
    """Sends requests and reads their answers whole, within the deadline and the largest size."""

    def __init__(self, connections: int) -> None:
        self._make = partial(
            httpcore.ConnectionPool,
            ssl_context=httpx.create_ssl_context(),
            max_connections=None,
            max_keepalive_connections=connections,
            keepalive_expiry=20.0,
            network_backend=_Network(),
        )
        self._pool = self._make()
        _transports.add(self)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, read to its end.

        Raises:
            httpx.TransportError: it did not come whole in time; the exchange says why.
        """
        noted = _current.get() or Exchange(time.monotonic() + CONNECT_TIMEOUT_S)
        # An answer that unpacks to a hundred times its size would pass the limit.
        request.headers["accept-encoding"] = "identity"
        try:
            return self._ask(request, noted)
        except httpcore.TimeoutException as error:
            noted.failure = "timeout"
            raise httpx.ReadTimeout("the time is up", request=request) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            noted.failure = "connection"
            raise httpx.ReadError(type(error).__name__, request=request) from error

    def _ask(self, request: httpx.Request, noted: Exchange) -> httpx.Response:
        left_s = time_left(noted.until_s, None, httpcore.ReadTimeout)
        received = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), left_s)},
            )
        )
        try:
            noted.status, noted.headers = received.status, httpx.Headers(received.headers)
            noted.body = _whole(received, noted, request)
        finally:
            received.close()
        shown = noted.body if received.status < 400 else noted.body[:LARGEST_COMPLAINT]
        return httpx.Response(received.status, headers=received.headers, content=shown, request=request)

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def start_anew(self) -> None:
        """In a forked child: two processes on one connection would read each other's answers."""
        _of_the_parent.append(self._pool)
        self._pool = self._make()


_transports: "weakref.WeakSet[WatchedTransport]" = weakref.WeakSet()
# Pools of the process that forked this one. Closing their connections here would end them there.
_of_the_parent: list[httpcore.ConnectionPool] = []


def _start_all_anew() -> None:
    for transport in list(_transports):
        transport.start_anew()


os.register_at_fork(after_in_child=_start_all_anew)


def _whole(received: httpcore.Response, noted: Exchange, request: httpx.Request) -> bytes:
    if noted.headers.get("content-encoding", "identity").lower() != "identity":
        noted.failure = "compressed"
        raise httpx.DecodingError("an answer that is compressed though nobody asked for it", request=request)
    body = bytearray()
    for piece in received.iter_stream():
        body += piece
        if len(body) > LARGEST_BYTES:
            noted.failure = "too_large"
            raise httpx.ReadError("too large an answer", request=request)
    return bytes(body)


def _left(at_most_s: float | None, error: type[Exception]) -> float:
    """Seconds until the deadline of the exchange under way."""
    noted = _current.get()
    until_s = time.monotonic() + CONNECT_TIMEOUT_S if noted is None else noted.until_s
    return time_left(until_s, at_most_s, error)


class _Network(httpcore.NetworkBackend):
    """Connects to one of a host's addresses; the look-up itself takes as long as the machine's resolver does."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers.

        Raises:
            httpcore.ConnectError: the host has no address, or none answers.
        """

        def connect(address: str, left_s: float) -> httpcore.NetworkStream:
            return _Stream(
                self._inner.connect_tcp(address, port, left_s, local_address, socket_options), _left
            )

        return connect_to_one(_addresses(host, port), connect, _left)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"the host is not known ({type(error).__name__})") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Stream(DeadlineStream):
    """A connection that ends by the deadline of the exchange that it serves, and notes that the request went out."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Bytes that came; they are waited for when the request has gone out."""
        noted = _current.get()
        if noted is not None:
            noted.is_sent = True
        return super().read(max_bytes, timeout)
