"""Fetching a page, a transcript or a feed over HTTP from servers that nobody vouches for.

Only http and https, only public addresses (`resources.guarded_network`), redirects followed one by one, the body
counted as it comes and as it unpacks, all within one time limit. No message quotes more of an address than
`public_url` leaves. robots.txt is not asked: what is fetched is what its own creator named, once or by feed.
"""

import base64
import contextlib
import logging
import ssl
import time
import traceback
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import httpcore
import httpx

from rejoinder.errors import InputUnreadable, RejoinderError
from rejoinder.text.public_urls import public_url
from resources.guarded_network import Allowance, GuardedNetwork, Resolve, resolve

log = logging.getLogger("rejoinder.fetching")
USER_AGENT = "Rejoinder/0.1 (fetches what its own creators published)"
ACCEPT = (
    "application/json, text/vtt, application/srt, application/x-subrip, application/rss+xml, application/atom+xml, "
    "text/html;q=0.9, text/plain;q=0.8, */*;q=0.5"
)
MOST_REDIRECTS = 5
LONGEST_WAIT_S = 86_400.0
READ_TIMEOUT_S = 15.0
MOST_FRAMES = 20
REDIRECTS = {301, 302, 303, 307, 308}
# The server may think otherwise later.
PASSING = {408, 425, 429, 500, 502, 503, 504}


class FetchFailed(RejoinderError):
    """The server could not be asked, or may answer later; retry_after_s is what it asked for, if it did."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave to tell whether a page has changed."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: the unpacked body, its stated type, the address it came from after redirects.

    data is None where the server says that nothing has changed.
    """

    data: bytes | None
    url: str
    media_type: str | None = None
    validators: Validators = Validators()


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches addresses; limits are per address, redirects included.

    Args:
        largest_bytes: of the body, as it comes and unpacked.
        timeout_s: from the first look-up to the last byte.
    """

    allowance: Allowance
    largest_bytes: int
    timeout_s: float
    lookup: Resolve = resolve
    network: httpcore.NetworkBackend = field(default_factory=httpcore.SyncBackend)

    def fetch(self, url: str, validators: Validators = Validators()) -> Fetched:
        """What an address gives.

        Raises:
            InputUnreadable: it will not do: another scheme, a private address, refused, too large, badly packed.
            FetchFailed: it might do later: no connection, out of time, a server's trouble.
        """
        until_s = time.monotonic() + self.timeout_s
        guard = GuardedNetwork(self.allowance, until_s, self.lookup, self.network)
        with _failures_in_words(url), httpcore.ConnectionPool(_ssl_context(), network_backend=guard) as pool:
            return self._follow(pool, url, validators)

    def _follow(self, pool: httpcore.ConnectionPool, url: str, validators: Validators) -> Fetched:
        here, may_login = _checked(url), True
        for _ in range(MOST_REDIRECTS + 1):
            headers = _headers(here, validators, may_login=may_login)
            with pool.stream("GET", _bare(here), headers=headers, extensions=_timeouts()) as answer:
                target = _header(answer, b"location")
                if answer.status not in REDIRECTS or target is None:
                    return self._read(answer, str(here))
            onward = _checked(target, base=here)
            may_login = may_login and _origin(onward) == _origin(here)
            here = onward.copy_with(userinfo=here.userinfo) if may_login else onward
        raise InputUnreadable(f"it was passed on more than {MOST_REDIRECTS} times")

    def _read(self, answer: httpcore.Response, url: str) -> Fetched:
        if answer.status == 304:
            return Fetched(None, url)
        if answer.status in PASSING:
            raise FetchFailed(f"the server answered {answer.status}", retry_after_s=_retry_after_s(answer))
        if not 200 <= answer.status < 300:
            raise InputUnreadable(f"the server answered {answer.status}")
        data = b"".join(self._body(answer))
        media_type = (_header(answer, b"content-type") or "").partition(";")[0].strip().lower() or None
        validators = Validators(_header(answer, b"etag"), _header(answer, b"last-modified"))
        return Fetched(data, url, media_type, validators)

    def _body(self, answer: httpcore.Response) -> Iterator[bytes]:
        """The body unpacked, counted as it comes: what a header says of its length is not asked."""
        unpack = _unpacker(_header(answer, b"content-encoding"))
        arrived = unpacked = 0
        for part in answer.iter_stream():
            arrived += len(part)
            piece = unpack(part, self.largest_bytes - unpacked + 1)
            unpacked += len(piece)
            if max(arrived, unpacked) > self.largest_bytes:
                raise InputUnreadable(f"larger than {self.largest_bytes // 2**20} MiB")
            yield piece
        if unpack.is_open:
            raise FetchFailed("its body broke off")


class _Unpacker:
    """Undoes gzip or deflate, never more than asked for at once."""

    def __init__(self) -> None:
        self._engine = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)

    def __call__(self, part: bytes, at_most: int) -> bytes:
        try:
            return self._engine.decompress(part, at_most)
        except zlib.error:
            raise InputUnreadable("its body is not packed as the server says") from None

    @property
    def is_open(self) -> bool:
        """Whether more was to come."""
        return not self._engine.eof


def _unpacker(encoding: str | None) -> "_Unpacker | _Plain":
    name = (encoding or "identity").strip().lower()
    if name == "identity":
        return _Plain()
    if name in {"gzip", "x-gzip", "deflate"}:
        return _Unpacker()
    raise InputUnreadable("its body is packed in a way that was not asked for")


class _Plain:
    """A body that is not packed."""

    is_open = False

    def __call__(self, part: bytes, at_most: int) -> bytes:
        return part[:at_most]


@contextlib.contextmanager
def _failures_in_words(url: str) -> Iterator[None]:
    """Name the address and what went wrong; the library's own words might quote the whole of it."""
    shown = public_url(url)
    try:
        yield
    except InputUnreadable as error:
        raise InputUnreadable(f"{shown}: {error}") from None
    except FetchFailed as error:
        raise FetchFailed(f"{shown}: {error}", retry_after_s=error.retry_after_s) from None
    except httpcore.TimeoutException as error:
        raise FetchFailed(f"{shown}: out of time ({type(error).__name__})") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
        raise FetchFailed(f"{shown}: no usable answer ({type(error).__name__})") from None
    except Exception as error:  # its words, or its traceback in a log, might quote the address
        log.error("fetching broke down: %s%s", type(error).__name__, _where(error))
        raise FetchFailed(f"{shown}: fetching it broke down ({type(error).__name__})") from None


def _where(error: BaseException) -> str:
    """The frames that an error came through, the innermost last: no line of code, no value."""
    frames = traceback.StackSummary.extract(
        traceback.walk_tb(error.__traceback__), limit=-MOST_FRAMES, lookup_lines=False
    )
    return "".join(f"; {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)


@lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _checked(url: str, *, base: httpx.URL | None = None) -> httpx.URL:
    try:
        urlsplit(url)
        parsed = base.join(url) if base else httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise InputUnreadable("the address cannot be read") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise InputUnreadable("only http and https addresses are fetched")
    if parsed.port is not None and not 0 < parsed.port < 2**16:
        raise InputUnreadable("the address has a port that there is not")
    return parsed


def _bare(url: httpx.URL) -> str:
    return str(url.copy_with(userinfo=b"", fragment=None))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _headers(
    url: httpx.URL, validators: Validators, *, may_login: bool
) -> list[tuple[bytes | str, bytes | str]]:
    host = url.netloc.decode("ascii")
    found = {
        "Host": host,
        "User-Agent": USER_AGENT,
        "Accept": ACCEPT,
        "Accept-Encoding": "gzip",
        "If-None-Match": validators.etag,
        "If-Modified-Since": validators.last_modified,
        "Authorization": _login(url) if may_login else None,
    }
    return [(name, value) for name, value in found.items() if value and value.isascii()]


def _login(url: httpx.URL) -> str | None:
    """Basic authentication (RFC 7617) out of the address's user and password."""
    if not url.userinfo:
        return None
    pair = unquote(url.userinfo.decode("ascii"))
    return f"Basic {base64.b64encode((pair if ':' in pair else f'{pair}:').encode()).decode()}"


def _timeouts() -> dict[str, dict[str, float]]:
    return {"timeout": {"connect": READ_TIMEOUT_S, "read": READ_TIMEOUT_S, "write": READ_TIMEOUT_S}}


def _header(answer: httpcore.Response, name: bytes) -> str | None:
    for key, value in answer.headers:
        if key.lower() == name:
            return value.decode("latin-1").strip()
    return None


def _retry_after_s(answer: httpcore.Response) -> float | None:
    """Seconds to wait, from a number or a date (RFC 9110, 10.2.3); a day at most."""
    text = _header(answer, b"retry-after")
    if text is None:
        return None
    try:
        seconds = float(text) if text.isdigit() else _seconds_until(parsedate_to_datetime(text))
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_S)


def _seconds_until(at: datetime) -> float:
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (aware - datetime.now(UTC)).total_seconds()
