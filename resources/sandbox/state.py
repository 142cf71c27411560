"""The sandbox's memory: one SQLite file, opened here and nowhere else.

Every commit reaches the disk (WAL, synchronous FULL), so a kill -9 loses nothing that was
answered. Several processes may open the file: a loader can append while the server runs.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = Path(__file__).with_name("schema.sql")
# Columns that came after the first version; files that were made before get them when they are opened.
ADDED = (
    ("post", "edited_at", "REAL"),
    ("post", "removed_by", "TEXT"),  # who took it away, as Reddit's removed_by_category names it
    ("post", "is_archived", "INTEGER NOT NULL DEFAULT 0"),
    ("post", "has_blocked", "INTEGER NOT NULL DEFAULT 0"),  # its author blocked the sandbox's accounts
    ("post", "first_id", "TEXT"),  # X: the first version of an edited post, in all its versions
    ("post", "newer_id", "TEXT"),  # X: the version that replaced this one
    ("post", "is_protected", "INTEGER NOT NULL DEFAULT 0"),  # X: only its author's followers see it
    ("post", "quoted_id", "TEXT"),  # X: the quoted post, when it is here
    ("token", "client", "TEXT"),  # Reddit: the id of the app that it was given to
    ("post", "retweeted_id", "TEXT"),  # X: the post that this one only repeats
    ("post", "lang", "TEXT"),  # X: its language; unknown where it is not told
)


class State:
    """An open state file; ``db`` runs single statements, ``transaction`` several at once."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.executescript(SCHEMA.read_text(encoding="utf-8"))
        self.add_columns()

    def add_columns(self) -> None:
        """Give an older state file the columns that it does not have."""
        with self.transaction() as db:
            for table, column, kind in ADDED:
                known = {row["name"] for row in db.execute(f"PRAGMA table_info({table})")}
                if column not in known:
                    db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
            db.execute(
                "CREATE INDEX IF NOT EXISTS post_versions ON post (first_id) WHERE first_id IS NOT NULL"
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: commits on leaving, rolls back on an exception; inside another one, a part of it."""
        if self.db.in_transaction:
            yield self.db
            return
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def meta(self, key: str) -> str | None:
        """The stored value of a key, or None."""
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row["value"])

    def set_meta(self, key: str, value: str) -> None:
        """Store a value under a key, replacing the one before."""
        self.db.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    def close(self) -> None:
        """Close the file; the state stays."""
        self.db.close()
