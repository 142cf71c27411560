"""Ids of new posts on X: numbers that only grow, so that since_id compares as X does."""

import sqlite3

FIRST_OWN_ID = 1_700_000_000_000_000_000  # far above the small ids of made-up posts


def next_id(db: sqlite3.Connection) -> str:
    """An id above every other one; it does not depend on the moment, so engagement repeats."""
    newest = db.execute("SELECT max(x_id) FROM post WHERE platform = 'x'").fetchone()[0] or 0
    return str(max(newest, FIRST_OWN_ID) + 1)
