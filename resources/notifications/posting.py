"""A POST of JSON with one time limit over all of it, no redirects, and refusals told without secrets."""

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore
import httpx

from resources.deadline_streams import DeadlineStream, connect_to_one, time_left
from resources.notifications.message import NotTaken

MOST_OF_AN_ANSWER = 65_536
TOO_MANY = 429
# What would be the same the next time: the request cannot be read, or the receiver is gone for good.
FINAL = frozenset({400, 410, 413, 422})


@dataclass(frozen=True, slots=True)
class Wire:
    """How requests leave: seconds for all of one request, certificates to trust, and our clock."""

    timeout_s: float
    ca_file: str | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def trust(self) -> ssl.SSLContext:
        """The certificates that count.

        Raises:
            NotTaken: the file cannot be read.
        """
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise NotTaken(f"ca_file cannot be read: {error.strerror}") from None


def post(wire: Wire, url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send it once.

    Raises:
        NotTaken: the receiver cannot be reached in time, or answers with anything but 2xx.
    """
    try:
        status, asked = _ask(wire, httpx.URL(url), body, headers)
    except httpx.InvalidURL:
        raise NotTaken("the address cannot be read") from None
    except httpcore.TimeoutException:
        raise NotTaken(f"no answer within {wire.timeout_s:g} s") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise NotTaken(_trouble(error)) from None
    if not 200 <= status < 300:
        asked_s = retry_after_s(asked, wire.now())
        raise NotTaken(f"HTTP {status}", is_final=status in FINAL, asked_s=asked_s)


def _ask(wire: Wire, url: httpx.URL, body: bytes, headers: Mapping[str, str]) -> tuple[int, str | None]:
    """The status of the answer, and its Retry-After; what else it says is not kept."""
    network = DeadlineNetwork(time.monotonic() + wire.timeout_s)
    address = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    sent = {"content-type": "application/json", "user-agent": "rejoinder", **headers}
    named = [(name.encode("ascii"), value.encode("ascii")) for name, value in sent.items()]
    with (
        httpcore.ConnectionPool(wire.trust(), network_backend=network) as pool,
        pool.stream("POST", address, headers=named, content=body) as answer,
    ):
        read = 0
        for piece in answer.iter_stream():
            read += len(piece)
            if read > MOST_OF_AN_ANSWER:
                break
        return answer.status, dict(httpx.Headers(answer.headers)).get("retry-after")


@dataclass(frozen=True, slots=True)
class DeadlineNetwork(httpcore.NetworkBackend):
    """Connections all of which ends by one time on the monotonic clock, but for looking a name up."""

    until_s: float
    inner: httpcore.NetworkBackend = field(default_factory=httpcore.SyncBackend)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of a host's addresses that answers; none may take more than half of what is left.

        Raises:
            httpcore.ConnectError: the host has no address, or none answers.
            httpcore.ConnectTimeout: none answers in time.
        """

        def connect(address: str, left_s: float) -> httpcore.NetworkStream:
            stream = self.inner.connect_tcp(address, port, left_s / 2, local_address, socket_options)
            return DeadlineStream(stream, self._left)

        return connect_to_one(_addresses(host, port), connect, self._left)

    def _left(self, at_most_s: float | None, error: type[Exception]) -> float:
        return time_left(self.until_s, at_most_s, error)

    def sleep(self, seconds: float) -> None:
        """Wait; part of the interface."""
        self.inner.sleep(seconds)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"the host is not known ({type(error).__name__})") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _trouble(error: Exception) -> str:
    """What went wrong, without the address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason}"
        cause = cause.__cause__ or cause.__context__
    return "it cannot be reached" if isinstance(error, httpcore.ConnectError) else "the connection broke off"


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds that the header Retry-After asks to wait: a number, or a date (RFC 9110, 10.2.3); None without one.

    >>> retry_after_s("120", datetime(2026, 1, 1, tzinfo=UTC)), retry_after_s("soon", datetime(2026, 1, 1, tzinfo=UTC))
    (120.0, None)
    """
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp())
