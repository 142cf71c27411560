"""How often a path that anybody may call is served: a bucket of tokens (RFC 2697's idea), the same for all callers.

Callers are not told apart: behind a proxy they all come from one address, and theirs are not to be kept.
"""

import time
from collections.abc import Callable

from api.problems import Refusal


class Pace:
    """Lets so many through at once and so many a second after that; for one event loop, which needs no lock."""

    def __init__(self, per_s: float, at_once: float, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._most, self._now_s = per_s, at_once, now_s
        self._left, self._seen_s = at_once, now_s()

    def take(self) -> None:
        """Let one through.

        Raises:
            Refusal: there are more than may be.
        """
        now_s = self._now_s()
        self._left = min(self._most, self._left + (now_s - self._seen_s) * self._per_s)
        self._seen_s = now_s
        if self._left < 1:
            raise Refusal("busy", "More is asked for than this server gives.")
        self._left -= 1
