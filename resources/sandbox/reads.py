"""How many posts were read on which day (UTC), each counted once a day; in the state, written in batches."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from resources.sandbox.state import State

DAY_S = 86_400.0
FLUSH_S = 1.0


class Reads:
    """The counts of this process: written to the state once a second, so that a stream stays fast.

    A restart forgets which posts were read today, so they count again; at most a second of counts is lost.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self.today = -1
        self.seen: set[int] = set()
        self.unwritten = 0
        self.written_at = 0.0

    def add(self, state: State, now: float, ids: Iterable[int]) -> None:
        """Count posts that were not read yet on this day."""
        day = int(now // DAY_S)
        if day != self.today:
            self.flush(state)
            self.today, self.seen = day, set()
        before = len(self.seen)
        self.seen.update(ids)
        self.unwritten += len(self.seen) - before
        if self.unwritten and self.monotonic() >= self.written_at + FLUSH_S:
            self.flush(state)

    def flush(self, state: State) -> None:
        """Write what was counted."""
        if self.unwritten:
            state.db.execute(
                "INSERT INTO post_reads (day, posts) VALUES (?, ?)"
                " ON CONFLICT (day) DO UPDATE SET posts = posts + excluded.posts",
                (self.today, self.unwritten),
            )
        self.unwritten, self.written_at = 0, self.monotonic()

    def day(self, state: State, day: int) -> int:
        """Posts read on a day, counted from 1970-01-01."""
        return self.between(state, day, day + 1)

    def month(self, state: State, now: float) -> int:
        """Posts read in the calendar month of a moment, up to it."""
        first = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return self.between(state, int(first.timestamp() // DAY_S), int(now // DAY_S) + 1)

    def between(self, state: State, first: int, end: int) -> int:
        """Posts read from one day up to another, which is not counted."""
        row = state.db.execute(
            "SELECT coalesce(sum(posts), 0) AS n FROM post_reads WHERE day >= ? AND day < ?", (first, end)
        ).fetchone()
        return int(row["n"]) + (self.unwritten if first <= self.today < end else 0)
