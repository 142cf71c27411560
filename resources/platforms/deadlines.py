"""A bound on how long a whole answer may take, however slowly its bytes drip in.

A time-out of the connection counts from byte to byte: a body that drips would hold a call for ever.
"""

import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter

LONGEST_ANSWER_S = 60.0


def read_within(response: requests.Response, seconds: float = LONGEST_ANSWER_S) -> requests.Response:
    """The answer with its body read; when time is over its connection is shut, which ends the read.

    Raises:
        requests.RequestException: the time was over, or the connection broke.
    """
    is_over = threading.Event()
    watch = threading.Timer(seconds, _end, (response, is_over))
    watch.daemon = True
    watch.start()
    try:
        _ = response.content
    finally:
        watch.cancel()
    # A body without a told length ends where its connection does: it would pass for a whole one.
    if is_over.is_set():
        response.close()
        raise requests.ReadTimeout(f"no whole answer within {seconds:g} s")
    return response


def _end(response: requests.Response, is_over: threading.Event) -> None:
    is_over.set()
    _shut(response)


def _shut(response: requests.Response) -> None:
    try:
        response.raw.shutdown()
    except (ValueError, RuntimeError, OSError, AttributeError):
        response.raw.close()


class Bounded(HTTPAdapter):
    """Sends nothing twice, and waits for no answer longer than its bound."""

    def __init__(self, longest_s: float = LONGEST_ANSWER_S) -> None:
        self.longest_s = longest_s
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send, and read the whole answer."""
        return read_within(super().send(request, *args, **kwargs), self.longest_s)


def bounded_session(longest_s: float = LONGEST_ANSWER_S) -> requests.Session:
    """A session that bounds every answer."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, Bounded(longest_s))
    return session
