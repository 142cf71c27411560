"""praw's wire: writes go out once, at our own pace, and every exception becomes a failure that says what is known.

prawcore sends a POST again after a 5xx answer or a dropped connection, which would answer a post
twice. `OneShot` turns both into `OutcomeUnknown`, which prawcore does not retry. It would also sleep inside a
call where the rate headers are low; `OneShot` keeps those to itself.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import prawcore
import requests

from resources.platforms.clocks import Clock
from resources.platforms.failures import (
    AuthExpired,
    OutcomeUnknown,
    PlatformFailure,
    RateLimited,
    Refused,
    Unreachable,
)
from resources.platforms.reddit_answers import time_after
from resources.platforms.reddit_pace import Pace
from resources.platforms.wire import TIMEOUT_S, connection_failure

READS = frozenset({"GET", "HEAD"})
TOKEN_PATH = "/access_token"  # noqa: S105 - a path


class OneShot(prawcore.Requestor):
    """Sends a write exactly once, and every call within the pace."""

    def __init__(self, *, pace: Pace, clock: Clock, **named: Any) -> None:
        """Take praw's own arguments, a pace that all calls share, and the platform's time."""
        super().__init__(**named)
        self._pace = pace
        self._clock = clock

    def request(self, *args: Any, timeout: float | None = None, **kwargs: Any) -> requests.Response:
        """One request (method, address, ...); a write without a trustworthy answer raises our failure.

        Raises:
            RateLimited: Reddit asks to wait, or the window's calls are used up and nothing was sent.
            OutcomeUnknown: the write left and no answer that can be trusted came back.
        """
        is_write, is_token = is_write_call(*args[:2]), TOKEN_PATH in args[1]
        if not is_token:
            self._pace.hold(is_write=is_write)
        try:
            response = super().request(*args, **{**kwargs, "timeout": TIMEOUT_S})
        except prawcore.RequestException as error:
            if not is_write:
                raise
            failure: PlatformFailure = connection_failure(error.original_exception, is_write=True)
        else:
            refusal = self._failure_of(response, is_write=is_write)
            if refusal is None:
                return response
            failure = refusal
        raise failure

    def _failure_of(self, response: requests.Response, *, is_write: bool) -> PlatformFailure | None:
        limited = RateLimited(retry_time(response, self._clock)) if response.status_code == 429 else None
        self._pace.take(response.headers)
        if limited is None and is_write and (response.status_code >= 500 or response.status_code == 408):
            return OutcomeUnknown(f"the platform answered {response.status_code}")
        return limited


def is_write_call(method: str, url: str) -> bool:
    """Whether a request may change something; fetching a token does not.

    >>> is_write_call("POST", "https://www.reddit.com/api/v1/access_token")
    False
    """
    return method.upper() not in READS and TOKEN_PATH not in url


def reddit_failure(error: Exception, *, is_write: bool) -> PlatformFailure:
    """The failure behind an exception that a call of praw raised.

    What a write itself met was turned into a failure by `OneShot`; what is left over happened while
    fetching a token, so nothing was taken.
    """
    if isinstance(error, PlatformFailure):
        return error
    if isinstance(error, prawcore.RequestException):
        return connection_failure(error.original_exception, is_write=False)
    if is_auth(error):
        return AuthExpired(f"Reddit refused the credentials ({type(error).__name__})")
    if isinstance(error, prawcore.ResponseException) and not isinstance(error, prawcore.BadJSON):
        return status_failure(error.response.status_code)
    detail = f"the answer could not be read ({type(error).__name__})"
    return OutcomeUnknown(detail) if is_write else Unreachable(detail)


def is_auth(error: Exception) -> bool:
    """Whether the credentials were refused; prawcore raises KeyError(401) for a bare 401."""
    if isinstance(error, prawcore.OAuthException | prawcore.InvalidToken | prawcore.InsufficientScope):
        return True
    if isinstance(error, KeyError):
        return error.args == (401,)
    return isinstance(error, prawcore.ResponseException) and error.response.status_code == 401


def status_failure(status: int) -> PlatformFailure:
    """The failure behind a status that reached us."""
    if status >= 500:
        return Unreachable(f"the platform answered {status}")
    return Refused("forbidden" if status in (403, 404) else "invalid", f"the platform answered {status}")


def retry_time(response: requests.Response, now: Callable[[], datetime]) -> datetime | None:
    """When a 429 lets us go on, in the platform's time; None when it does not say."""
    told = response.headers.get("retry-after") or response.headers.get("x-ratelimit-reset") or ""
    return time_after(told, now)


def from_epoch(seconds: float) -> datetime:
    """Reddit's Unix seconds as a time."""
    return datetime.fromtimestamp(seconds, UTC)
