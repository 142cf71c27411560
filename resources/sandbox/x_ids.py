"""Ids of new posts on X: numbers that only grow, so that since_id compares as X does."""

import sqlite3

FIRST_OWN_ID = 1_700_000_000_000_000_000  # far above the small ids of made-up posts
# Ids of X hold the millisecond since this moment above 22 bits of machine and sequence.
SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
SEQUENCE_BITS = 22
# Ids of the year 2078; above it there is room for new ones before SQLite's numbers end.
LARGEST_ID = 9_000_000_000_000_000_000


def next_id(db: sqlite3.Connection) -> str:
    """An id above every other one; it does not depend on the moment, so engagement repeats."""
    return str(max(newest_id(db), FIRST_OWN_ID) + 1)


def new_ids(db: sqlite3.Connection, now: float, count: int) -> list[str]:
    """Ids of posts that others make at a moment: as X would give them, and above every other one."""
    first = max(newest_id(db) + 1, min((int(now * 1000) - SNOWFLAKE_EPOCH_MS) << SEQUENCE_BITS, LARGEST_ID))
    return [str(first + place) for place in range(count)]


def newest_id(db: sqlite3.Connection) -> int:
    """The highest id there is, as a number."""
    return int(db.execute("SELECT coalesce(max(x_id), 0) FROM post WHERE platform = 'x'").fetchone()[0])
