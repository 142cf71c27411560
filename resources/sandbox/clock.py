"""Simulated time: starts one minute after the newest loaded post, then runs at real speed, or faster.

What is kept is the distance to real time, and how much faster the clock runs since when, so a
restart continues where the clock would have been. The clock never goes back.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from resources.sandbox.state import State

OFFSET_KEY = "clock_offset_s"
SPEED_KEY = "clock_speed"
START_AFTER_S = 60.0
FASTEST = 86_400.0
LATEST = 253_370_764_800.0  # 9999-01-01 UTC; calendars end soon after it


class Speed(NamedTuple):
    """Simulated seconds per real second, and the real time since when."""

    factor: float
    since: float


class Clock:
    """The sandbox's time in Unix seconds; ``wall`` is the real clock behind it."""

    def __init__(self, state: State, wall: Callable[[], float] = time.time) -> None:
        self.state = state
        self.wall = wall

    def now(self) -> float:
        """Simulated Unix seconds, at most ``LATEST``: a fast clock that was left alone stands still there."""
        wall = self.wall()
        return min(wall + self.offset_s() + self.gained_s(wall), LATEST)

    def offset_s(self) -> float:
        """Simulated minus real time, without what a fast clock gained; read every time, as a loader may move it."""
        return float(self.state.meta(OFFSET_KEY) or 0.0)

    def speed(self) -> Speed:
        """How fast the clock runs."""
        stored = self.state.meta(SPEED_KEY)
        return Speed(*json.loads(stored)) if stored else Speed(1.0, 0.0)

    def gained_s(self, wall: float) -> float:
        """What the clock gained on real time since its speed was set; a real clock put back gains nothing."""
        factor, since = self.speed()
        return (factor - 1.0) * max(0.0, wall - since)

    def advance(self, seconds: float) -> float:
        """Move forward and return the new time.

        Raises:
            ValueError: seconds is not a number >= 0, or leads beyond the year 9998.
        """
        if not 0 <= seconds <= LATEST - self.now():
            raise ValueError("advance_s must be a number of seconds, 0 or more, and end before the year 9999")
        self.state.set_meta(OFFSET_KEY, repr(self.offset_s() + seconds))
        return self.now()

    def run_at(self, factor: float) -> float:
        """Run so many times as fast as real time from now on, 0 stands still; returns the time.

        Raises:
            ValueError: factor is not between 0 and 86,400.
        """
        if not 0 <= factor <= FASTEST:
            raise ValueError(f"speed must be between 0 (stands still) and {FASTEST:.0f} (a day in a second)")
        with self.state.transaction():
            wall = self.wall()
            offset = self.offset_s() + self.gained_s(wall)
            self.state.set_meta(OFFSET_KEY, repr(offset))
            self.state.set_meta(SPEED_KEY, json.dumps([float(factor), wall]))
        return min(wall + offset, LATEST)

    def start_after(self, newest: float) -> None:
        """Be at least one minute after the newest post; the first load sets the clock."""
        self.start_at(newest + START_AFTER_S)

    def start_at(self, moment: float) -> None:
        """Be at a moment or later; a clock that was never set is set to it, wherever it stood."""
        with self.state.transaction():
            behind = moment - self.now()
            if self.state.meta(OFFSET_KEY) is None or behind > 0:
                self.state.set_meta(OFFSET_KEY, repr(self.offset_s() + behind))


def iso(at: float) -> str:
    """ISO 8601 in UTC with milliseconds, as X writes times.

    >>> iso(0)
    '1970-01-01T00:00:00.000Z'
    """
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
