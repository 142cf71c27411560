"""Our own pace on Reddit: calls are spread over what its headers leave, and nothing waits long for a limit.

praw's library would sleep for up to ten minutes inside a call, and fails on numbers that are no integers; so the
headers are read here and taken off before it sees them.
"""

import math
import threading
import time
from collections.abc import Callable, MutableMapping
from datetime import timedelta

from rejoinder.posting.pacing import RateWindow
from resources.platforms.clocks import Clock
from resources.platforms.failures import RateLimited

REMAINING, USED, RESET = "x-ratelimit-remaining", "x-ratelimit-used", "x-ratelimit-reset"
LONGEST_PAUSE_S = 2.0


class Pace:
    """What Reddit's last answer left of the window, and when the next call may leave; shared by threads.

    Args:
        clock: the platform's time, for `RateLimited.retry_at`.
        sleep: waits so many seconds.
        monotonic: seconds that only grow.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        sleep: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._remaining = float("inf")
        self._calls = 0.0
        self._reset_at = 0.0
        self._last_at = float("-inf")

    def hold(self, *, is_write: bool) -> None:
        """Wait before a call: two seconds at most, a write not at all, and not while calls are plenty.

        Raises:
            RateLimited: the window's calls are used up; with the time when the next one begins.
        """
        with self._lock:
            now = self._monotonic()
            left_s = self._reset_at - now
            if left_s <= 0:
                self._remaining = float("inf")
            if self._remaining < 1:
                until = self._clock() + timedelta(seconds=left_s)
                raise RateLimited(until, "the calls of this window are used up")
            pause_s = 0.0 if is_write else self._pause_s(now, left_s)
            self._last_at = now + pause_s
            self._remaining -= 1
        if pause_s > 0:
            self._sleep(pause_s)

    def _pause_s(self, now: float, left_s: float) -> float:
        # With a call or more for every second that is left there is no need to spread them.
        if left_s <= 0 or self._remaining >= left_s:
            return 0.0
        return min(max(0.0, self._last_at + left_s / self._remaining - now), LONGEST_PAUSE_S)

    def take(self, headers: MutableMapping[str, str]) -> None:
        """Read the headers of an answer and take them off it; numbers that cannot be read change nothing."""
        told = {name: headers.pop(name, "") for name in (REMAINING, USED, RESET)}
        try:
            remaining, left_s = float(told[REMAINING]), float(told[RESET])
        except ValueError:
            return
        if not (math.isfinite(remaining) and math.isfinite(left_s)):
            return
        with self._lock:
            self._remaining, self._reset_at = remaining, self._monotonic() + left_s
            self._calls = remaining + _number(told[USED])

    def windows(self) -> tuple[RateWindow, ...]:
        """What is left of the window that the last answer told of; it counts all calls, not replies alone."""
        with self._lock:
            left_s = self._reset_at - self._monotonic()
            if left_s <= 0:
                return ()
            calls, remaining = self._calls, self._remaining
        return (RateWindow(int(calls), remaining, self._clock() + timedelta(seconds=left_s), "all_calls"),)


def _number(told: str) -> float:
    try:
        number = float(told)
    except ValueError:
        return 0.0
    return max(number, 0.0) if math.isfinite(number) else 0.0
