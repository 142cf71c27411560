"""Simulated time: starts one minute after the newest loaded post, then runs at real speed.

What is kept is the distance to real time, so a restart continues where the clock would have
been. The clock never goes back.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from resources.sandbox.state import State

OFFSET_KEY = "clock_offset_s"
START_AFTER_S = 60.0


class Clock:
    """The sandbox's time in Unix seconds; ``wall`` is the real clock behind it."""

    def __init__(self, state: State, wall: Callable[[], float] = time.time) -> None:
        self.state = state
        self.wall = wall

    def now(self) -> float:
        """Simulated Unix seconds."""
        return self.wall() + self.offset_s()

    def offset_s(self) -> float:
        """Simulated minus real time; read every time, as a loader may have moved it."""
        return float(self.state.meta(OFFSET_KEY) or 0.0)

    def advance(self, seconds: float) -> float:
        """Move forward and return the new time.

        Raises:
            ValueError: seconds is not a finite number >= 0.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError("advance_s must be a number of seconds, 0 or more")
        self.state.set_meta(OFFSET_KEY, repr(self.offset_s() + seconds))
        return self.now()

    def start_after(self, newest: float) -> None:
        """Be at least one minute after the newest post; the first load sets the clock."""
        wanted = newest + START_AFTER_S - self.wall()
        stored = self.state.meta(OFFSET_KEY)
        if stored is None or float(stored) < wanted:
            self.state.set_meta(OFFSET_KEY, repr(wanted))


def iso(at: float) -> str:
    """ISO 8601 in UTC with milliseconds, as X writes times.

    >>> iso(0)
    '1970-01-01T00:00:00.000Z'
    """
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
