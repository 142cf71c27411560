"""A POST of JSON with one time limit over all of it, no redirects, and refusals told without secrets."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

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
        status, answered = _ask(wire, url, body, headers)
    except httpx.TimeoutException:
        raise NotTaken(f"no answer within {wire.timeout_s:g} s") from None
    except httpx.InvalidURL:
        raise NotTaken("the address cannot be read") from None
    except httpx.HTTPError as error:
        raise NotTaken(_trouble(error)) from None
    if not 200 <= status < 300:
        asked_s = retry_after_s(answered.get("retry-after"), wire.now())
        raise NotTaken(f"HTTP {status}", is_final=status in FINAL, asked_s=asked_s)


def _ask(wire: Wire, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str]]:
    until = time.monotonic() + wire.timeout_s
    sent = {"content-type": "application/json", "user-agent": "rejoinder", **headers}
    with (
        httpx.Client(timeout=wire.timeout_s, verify=wire.trust(), trust_env=False) as client,
        client.stream("POST", url, content=body, headers=sent) as answer,
    ):
        read = 0
        for piece in answer.iter_raw():
            read += len(piece)
            if read > MOST_OF_AN_ANSWER:
                break
            if time.monotonic() > until:
                raise httpx.ReadTimeout("the answer dribbles")
        return answer.status_code, dict(answer.headers)


def _trouble(error: httpx.HTTPError) -> str:
    """What went wrong, without the address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason}"
        cause = cause.__cause__ or cause.__context__
    return "it cannot be reached" if isinstance(error, httpx.ConnectError) else "the connection broke off"


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
