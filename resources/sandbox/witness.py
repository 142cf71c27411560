"""The witness: every write request, accepted or refused, counted apart from whoever sent it."""

import hashlib
import sqlite3
from typing import Any, NamedTuple

from resources.sandbox.clock import iso
from resources.sandbox.state import State


class Attempt(NamedTuple):
    """A write request as it arrived; platform_id is set when it was accepted, else error."""

    at: float
    platform: str
    endpoint: str
    account: str | None
    parent_id: str | None
    text: str | None
    platform_id: str | None = None
    error: str | None = None


def record_attempt(db: sqlite3.Connection, attempt: Attempt) -> None:
    """Append one line to the log."""
    digest = None if attempt.text is None else hashlib.sha256(attempt.text.encode("utf-8")).hexdigest()
    db.execute(
        "INSERT INTO witness (at, platform, endpoint, account, parent_id, text, platform_id, error, text_sha256)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*attempt, digest),
    )


def read_log(state: State) -> list[dict[str, Any]]:
    """The whole log, oldest first; times in ISO 8601."""
    rows = state.db.execute("SELECT * FROM witness ORDER BY id")
    return [{**dict(row), "at": iso(row["at"]), "accepted": row["error"] is None} for row in rows]


def read_replies(state: State) -> list[dict[str, Any]]:
    """Replies that were accepted, oldest first, deleted ones too."""
    rows = state.db.execute("SELECT * FROM post WHERE is_own = 1 ORDER BY seq")
    return [
        {
            "platform": row["platform"],
            "id": row["id"],
            "parent_id": row["parent_id"],
            "account": row["author"],
            "text": row["text"],
            "text_sha256": hashlib.sha256(row["text"].encode("utf-8")).hexdigest(),
            "created_at": iso(row["created_at"]),
            "is_deleted": bool(row["is_deleted"]),
        }
        for row in rows
    ]


SUMMARY = """
SELECT
    (SELECT count(*) FROM post WHERE is_own = 1) AS published,
    (SELECT coalesce(sum(n - 1), 0) FROM (
        SELECT count(*) AS n FROM post WHERE is_own = 1 AND parent_id IS NOT NULL
        GROUP BY platform, author, parent_id)) AS duplicates,
    (SELECT count(*) FROM witness WHERE error IS NOT NULL) AS refused,
    (SELECT count(*) FROM witness) AS write_requests,
    (SELECT count(*) FROM post WHERE is_own = 0) AS posts
"""


def summarize(state: State) -> dict[str, Any]:
    """Counts of the witness; duplicates = replies beyond the first of an account to one parent."""
    counts = dict(state.db.execute(SUMMARY).fetchone())
    rows = state.db.execute("SELECT platform, count(*) AS n FROM post WHERE is_own = 1 GROUP BY platform")
    return {**counts, "published_by_platform": {row["platform"]: row["n"] for row in rows}}
