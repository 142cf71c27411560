"""HTTP below tweepy and praw: another address, time-outs on everything, and what an error proves."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from resources.platforms.deadlines import LONGEST_ANSWER_S, read_within
from resources.platforms.failures import OutcomeUnknown, PlatformFailure, Unreachable

TIMEOUT_S = (5.0, 30.0)


class Rebase(HTTPAdapter):
    """Sends requests to another address, always with a time-out, never twice; what is no stream has a deadline too.

    tweepy has no option for any of it. OAuth 1.0a is signed before this runs, over the address
    tweepy believes in.
    """

    def __init__(
        self, base_url: str, timeout_s: tuple[float, float] = TIMEOUT_S, longest_s: float = LONGEST_ANSWER_S
    ) -> None:
        self.base = urlsplit(base_url)
        self.timeout_s = timeout_s
        self.longest_s = longest_s
        self.live: requests.Response | None = None
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send to the new address."""
        url = urlsplit(str(request.url))
        request.url = urlunsplit((self.base.scheme, self.base.netloc, url.path, url.query, ""))
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self.timeout_s
        response = super().send(request, *args, **kwargs)
        if kwargs.get("stream"):
            self.live = response
            return response
        self.live = None
        return read_within(response, self.longest_s)

    def interrupt(self) -> None:
        """Wake a thread that waits for the next line of a stream."""
        if self.live is None:
            return
        try:
            self.live.raw.shutdown()
        except (ValueError, RuntimeError, OSError, AttributeError):
            self.live = None  # the stream has ended by itself


def surely_not_sent(error: BaseException) -> bool:
    """Whether an error proves that the request never left: no connection was made."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    cause: Any = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.NameResolutionError)


def connection_failure(error: BaseException, *, is_write: bool) -> PlatformFailure:
    """The failure behind an error of the connection; only its class is named."""
    name = type(error).__name__
    if surely_not_sent(error):
        return Unreachable(f"no connection to the platform ({name})")
    if is_write:
        return OutcomeUnknown(f"the connection failed after the request had left ({name})")
    return Unreachable(f"the platform gave no usable answer ({name})")
