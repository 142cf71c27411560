"""Posts and replies in the state file: the value, and the statements that read and add them."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from resources.sandbox.state import State


@dataclass(frozen=True, slots=True)
class SandboxPost:
    """One post or reply; created_at is Unix seconds, ids are as the platform writes them."""

    platform: str
    id: str
    text: str
    created_at: float
    parent_id: str | None = None
    conversation_id: str = ""
    community: str | None = None
    author: str | None = None
    author_followers: int | None = None
    url: str | None = None
    metrics: Mapping[str, int] = field(default_factory=dict)
    mentions: tuple[str, ...] = ()
    quotes: str | None = None
    is_own: bool = False
    is_deleted: bool = False
    is_locked: bool = False
    edited_at: float | None = None
    removed_by: str | None = None
    is_archived: bool = False
    has_blocked: bool = False
    seq: int = 0
    first_id: str | None = None
    newer_id: str | None = None
    is_protected: bool = False
    quoted_id: str | None = None
    retweeted_id: str | None = None
    lang: str | None = None


INSERT = """
INSERT INTO post (platform, id, x_id, parent_id, conversation_id, community, author, author_followers,
                  text, url, created_at, metrics, mentions, quotes, is_own,
                  edited_at, first_id, quoted_id, retweeted_id, lang)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (platform, id) DO NOTHING
"""


def insert_post(db: sqlite3.Connection, post: SandboxPost) -> bool:
    """Add a post; False when the platform already has that id."""
    cursor = db.execute(
        INSERT,
        (
            post.platform,
            post.id,
            int(post.id) if post.platform == "x" else None,
            post.parent_id,
            post.conversation_id or post.id,
            post.community,
            post.author,
            post.author_followers,
            post.text,
            post.url,
            post.created_at,
            json.dumps(dict(post.metrics)),
            json.dumps(post.mentions),
            post.quotes,
            post.is_own,
            post.edited_at,
            post.first_id,
            post.quoted_id,
            post.retweeted_id,
            post.lang,
        ),
    )
    return cursor.rowcount == 1


def from_row(row: sqlite3.Row) -> SandboxPost:
    """A row of ``post`` as a value."""
    return SandboxPost(
        platform=row["platform"],
        id=row["id"],
        text=row["text"],
        created_at=row["created_at"],
        parent_id=row["parent_id"],
        conversation_id=row["conversation_id"],
        community=row["community"],
        author=row["author"],
        author_followers=row["author_followers"],
        url=row["url"],
        metrics=json.loads(row["metrics"]),
        mentions=tuple(json.loads(row["mentions"])),
        quotes=row["quotes"],
        is_own=bool(row["is_own"]),
        is_deleted=bool(row["is_deleted"]),
        is_locked=bool(row["is_locked"]),
        edited_at=row["edited_at"],
        removed_by=row["removed_by"],
        is_archived=bool(row["is_archived"]),
        has_blocked=bool(row["has_blocked"]),
        seq=row["seq"],
        first_id=row["first_id"],
        newer_id=row["newer_id"],
        is_protected=bool(row["is_protected"]),
        quoted_id=row["quoted_id"],
        retweeted_id=row["retweeted_id"],
        lang=row["lang"],
    )


def find_post(state: State, platform: str, post_id: str) -> SandboxPost | None:
    """The post with this id, deleted ones too."""
    row = state.db.execute("SELECT * FROM post WHERE platform = ? AND id = ?", (platform, post_id)).fetchone()
    return None if row is None else from_row(row)


def find_posts(state: State, platform: str, ids: Iterable[str]) -> list[SandboxPost]:
    """The posts with these ids, in the order asked for; unknown ids are left out."""
    found = (find_post(state, platform, post_id) for post_id in ids)
    return [post for post in found if post is not None]


def posts_by_seq(state: State, places: Iterable[int]) -> list[SandboxPost]:
    """Posts by their place in the state, in the order given."""
    rows = state.db.execute(
        "SELECT post.* FROM json_each(?) AS wanted JOIN post ON post.seq = wanted.value ORDER BY wanted.key",
        (json.dumps(list(places)),),
    )
    return [from_row(row) for row in rows]


def count_replies(state: State, platform: str, ids: Iterable[str]) -> dict[str, int]:
    """How many replies each post got here (posts without any are left out)."""
    wanted = json.dumps(list(ids))
    rows = state.db.execute(
        "SELECT parent_id, count(*) AS n FROM post WHERE platform = ? AND is_deleted = 0"
        " AND parent_id IN (SELECT value FROM json_each(?)) GROUP BY parent_id",
        (platform, wanted),
    )
    return {row["parent_id"]: row["n"] for row in rows}


FLAGS = {
    "deleted": "is_deleted",
    "locked": "is_locked",
    "archived": "is_archived",
    "blocked": "has_blocked",
    "protected": "is_protected",
}


def set_flags(state: State, post_id: str, flags: Mapping[str, bool]) -> int:
    """Set or take back flags (keys of ``FLAGS``) of a post and its versions; 0 when nobody has that id."""
    changed = 0
    for name, value in flags.items():
        changed = state.db.execute(
            f"UPDATE post SET {FLAGS[name]} = ? WHERE id = ?"  # noqa: S608 - one of the fixed names
            " OR first_id = (SELECT first_id FROM post WHERE id = ?)",
            (value, post_id, post_id),
        ).rowcount
    return changed


def set_removed(state: State, post_id: str, removed_by: str | None) -> int:
    """Take a post away in the name of a moderator or a filter, or put it back (None)."""
    return state.db.execute("UPDATE post SET removed_by = ? WHERE id = ?", (removed_by, post_id)).rowcount


def edit_post(state: State, post_id: str, text: str, at: float) -> int:
    """Change the text of a post as its author would; how many posts have that id."""
    return state.db.execute(
        "UPDATE post SET text = ?, edited_at = ? WHERE id = ?", (text, at, post_id)
    ).rowcount
