"""Edits of X's posts: each makes a version with an id of its own.

Source of the rules: docs.x.com, fundamentals, "Edit posts": at most five edits within 30 minutes,
lookups of an older id show that version, searches only the newest, and deleting one deletes all.
"""

import sqlite3
from dataclasses import replace
from typing import Any

from resources.sandbox.clock import iso
from resources.sandbox.posts import SandboxPost, find_post, insert_post
from resources.sandbox.state import State
from resources.sandbox.x_ids import next_id

EDIT_WINDOW_S = 30 * 60.0
MOST_EDITS = 5


def add_version(state: State, post_id: str, text: str, now: float) -> str:
    """Replace a post of X by a new version; returns the id of that version.

    Raises:
        LookupError: X has no such post.
        ValueError: the post was edited before under an older id, or is deleted.
    """
    post = find_post(state, "x", post_id)
    if post is None:
        raise LookupError(f"X has no post {post_id}")
    if post.newer_id or post.is_deleted:
        raise ValueError(f"post {post_id} is deleted, or {post.newer_id} has replaced it")
    with state.transaction() as db:
        return store_version(db, post, text, now)


def store_version(db: sqlite3.Connection, post: SandboxPost, text: str, now: float) -> str:
    """Write the new version behind the one that it replaces."""
    new_id, first_id = next_id(db), post.first_id or post.id
    newer = replace(post, id=new_id, text=text, created_at=now, edited_at=now, first_id=first_id)
    db.execute(
        "UPDATE post SET newer_id = ?, first_id = ?, edited_at = ? WHERE platform = 'x' AND id = ?",
        (new_id, first_id, now, post.id),
    )
    insert_post(db, newer)
    return new_id


def versions(state: State, post: SandboxPost) -> list[str]:
    """The ids of all versions of a post, oldest first; its own alone when it was never edited."""
    if post.first_id is None:
        return [post.id]
    rows = state.db.execute(
        "SELECT id FROM post WHERE platform = 'x' AND first_id = ? ORDER BY x_id", (post.first_id,)
    )
    return [row["id"] for row in rows]


def delete_versions(db: sqlite3.Connection, post: SandboxPost) -> None:
    """Delete a post with all versions that it had."""
    db.execute(
        "UPDATE post SET is_deleted = 1 WHERE platform = 'x' AND (id = ? OR first_id = ?)",
        (post.id, post.first_id or post.id),
    )


def edit_controls(state: State, post: SandboxPost, now: float) -> dict[str, Any]:
    """The field ``edit_controls``: whether, how often and until when a post may be edited."""
    known = versions(state, post)
    first = find_post(state, "x", known[0]) or post
    until, left = first.created_at + EDIT_WINDOW_S, max(0, MOST_EDITS + 1 - len(known))
    may_edit = first.parent_id is None and first.retweeted_id is None
    return {
        "edits_remaining": left,
        "is_edit_eligible": may_edit and left > 0 and now < until,
        "editable_until": iso(until),
    }
