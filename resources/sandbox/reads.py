"""How many posts were read on which day (UTC), each counted once a day; in the state, written in batches."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from resources.sandbox.state import State

DAY_S = 86_400.0
FLUSH_S = 1.0


class Reads:
    """The counts of this process: written to the state once a second, so that a stream stays fast.

    Which posts were read today is written with them; a kill -9 loses a second of both at most.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self.today = -1
        self.seen: set[int] = set()
        self.unwritten: set[int] = set()
        self.written_at = 0.0

    def add(self, state: State, now: float, ids: Iterable[int]) -> None:
        """Count posts that were not read yet on this day."""
        day = int(now // DAY_S)
        if day != self.today:
            self.flush(state)
            self.today, self.seen = day, read_ids(state, day)
        fresh = set(ids) - self.seen
        self.seen |= fresh
        self.unwritten |= fresh
        self.flush_due(state)

    def flush_due(self, state: State) -> None:
        """Write what was counted, once a second."""
        if self.unwritten and self.monotonic() >= self.written_at + FLUSH_S:
            self.flush(state)

    def flush(self, state: State) -> None:
        """Write what was counted; of days before only the number is kept."""
        if self.unwritten:
            with state.transaction() as db:
                db.execute(
                    "INSERT INTO post_reads (day, posts) VALUES (?, ?)"
                    " ON CONFLICT (day) DO UPDATE SET posts = posts + excluded.posts",
                    (self.today, len(self.unwritten)),
                )
                db.execute("DELETE FROM read_today WHERE day <> ?", (self.today,))
                db.executemany(
                    "INSERT OR REPLACE INTO read_today (x_id, day) VALUES (?, ?)",
                    ((x_id, self.today) for x_id in self.unwritten),
                )
        self.unwritten, self.written_at = set(), self.monotonic()

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
        return int(row["n"]) + (len(self.unwritten) if first <= self.today < end else 0)


def read_ids(state: State, day: int) -> set[int]:
    """The ids of the posts that were read on a day, as far as they are kept."""
    return {row["x_id"] for row in state.db.execute("SELECT x_id FROM read_today WHERE day = ?", (day,))}
