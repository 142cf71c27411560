"""Reddit's pace: calls of a client in ten minutes, and who may not call at all.

Sources: Reddit's Data API wiki (100 calls a minute for a client with OAuth, averaged over ten minutes;
10 without) and reddit-archive/reddit r2/r2/controllers/reddit_base.py (the three headers).
"""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

WINDOW_S = 600.0
WITH_OAUTH = 1000
WITHOUT_OAUTH = 100
# Names that HTTP libraries give themselves; Reddit asks every client for one of its own.
DEFAULT_AGENT = re.compile(
    r"\s*$|(python-requests|python-urllib|python-httpx|python/|aiohttp|curl|wget|java|okhttp|go-http-client|axios)"
    r"\b",
    re.IGNORECASE,
)


class Window(NamedTuple):
    """What a client has used of its ten minutes; ends_at is simulated Unix seconds."""

    used: int
    limit: int
    ends_at: float

    @property
    def is_spent(self) -> bool:
        """Whether more was asked for than there is."""
        return self.used > self.limit

    def headers(self, now: float) -> dict[str, str]:
        """The three headers; remaining is a decimal number, reset whole seconds."""
        reset = str(max(1, math.ceil(self.ends_at - now)))
        left = float(max(0, self.limit - self.used))
        shown = {
            "x-ratelimit-used": str(self.used),
            "x-ratelimit-remaining": f"{left:.1f}",
            "x-ratelimit-reset": reset,
        }
        return {**shown, "retry-after": reset} if self.is_spent else shown


class RedditWindows:
    """The windows of all clients, in memory.

    Reddit's windows stand fixed in time, whenever a client comes. A client that was away for a whole
    window meets one in its middle; one that goes on meets the next from its start.
    """

    def __init__(self) -> None:
        self.open: dict[str, Window] = {}

    def take(self, client: str, limit: int, now: float) -> Window:
        """Count one call."""
        last = self.open.get(client)
        if last is None or now >= last.ends_at + WINDOW_S:
            last = Window(0, limit, now + WINDOW_S / 2)
        elif now >= last.ends_at:
            last = Window(0, limit, last.ends_at + WINDOW_S)
        self.open[client] = Window(last.used + 1, limit, last.ends_at)
        return self.open[client]

    def current(self, now: float) -> Iterator[tuple[str, Window]]:
        """The windows that are not over, by client."""
        return ((client, window) for client, window in self.open.items() if now < window.ends_at)


def is_default_agent(agent: str | None) -> bool:
    """Whether a User-Agent is missing or a library's own.

    >>> is_default_agent("python-requests/2.32.5"), is_default_agent("linux:app:0.1 (by /u/me)")
    (True, False)
    """
    return DEFAULT_AGENT.match(agent or "") is not None
