"""Writing on Reddit: comments and their deletion, with the refusals that Reddit documents."""

import sqlite3

from resources.sandbox.exchange import Answer, Call
from resources.sandbox.oauth import account_of
from resources.sandbox.posts import SandboxPost, find_post, insert_post
from resources.sandbox.reddit_shapes import in_envelope, refused, things
from resources.sandbox.witness import Attempt, record_attempt

LONGEST_COMMENT = 10_000
DIGITS36 = "0123456789abcdefghijklmnopqrstuvwxyz"
FIRST_COMMENT = 36**6


def write_comment(call: Call) -> Answer:
    """``POST /api/comment``."""
    text, parent_id = call.form.get("text", ""), call.form.get("thing_id", "")
    refuse_text(text)
    parent = open_parent(call, parent_id)
    account = account_of(call)
    with call.world.state.transaction() as db:
        post = own_comment(db, call.now, text, account, parent)
        insert_post(db, post)
        record_attempt(db, Attempt(call.now, "reddit", "comment", account, parent.id, text, post.id))
    return Answer(200, {"json": {"errors": [], "data": {"things": things(call, [post])}}})


def refuse_text(text: str) -> None:
    """Refuse a text that is empty or too long."""
    if not text.strip():
        raise in_envelope("NO_TEXT", "we need something here", "text")
    if len(text) > LONGEST_COMMENT:
        raise in_envelope("TOO_LONG", f"this is too long (max: {LONGEST_COMMENT})", "text")


def open_parent(call: Call, parent_id: str) -> SandboxPost:
    """The thing to answer, when it still takes comments."""
    parent = find_post(call.world.state, "reddit", parent_id)
    if parent is None:
        raise refused(403, "Forbidden")
    if parent.is_deleted or parent.removed_by:
        if parent_id.startswith("t3_"):
            raise in_envelope("DELETED_LINK", "the link you are commenting on has been deleted", "parent")
        raise in_envelope("DELETED_COMMENT", "that comment has been deleted", "parent")
    root = find_post(call.world.state, "reddit", parent.conversation_id) or parent
    if parent.is_locked or root.is_locked:
        raise in_envelope("THREAD_LOCKED", "Comments are locked.", "parent")
    if parent.is_archived or root.is_archived:
        raise in_envelope("TOO_OLD", "that's a piece of history now; it's too late to reply to it", "parent")
    if parent.has_blocked:
        raise in_envelope("USER_BLOCKED", "you can't reply to a user that blocked you", "parent")
    return parent


def own_comment(
    db: sqlite3.Connection, now: float, text: str, account: str, parent: SandboxPost
) -> SandboxPost:
    """The comment to store; ids count up, so runs on the same data repeat."""
    used = db.execute("SELECT count(*) FROM post WHERE platform = 'reddit' AND is_own = 1").fetchone()[0]
    comment_id = f"t1_{base36(FIRST_COMMENT + used)}"
    return SandboxPost(
        platform="reddit",
        id=comment_id,
        text=text,
        created_at=now,
        parent_id=parent.id,
        conversation_id=parent.conversation_id,
        community=parent.community,
        author=account,
        is_own=True,
    )


def base36(number: int) -> str:
    """A number >= 0 as Reddit writes ids.

    >>> base36(36)
    '10'
    """
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = DIGITS36[rest] + digits
        if not number:
            return digits


def delete_comment(call: Call) -> Answer:
    """``POST /api/del``: only the account's own comments."""
    name = call.form.get("id", "")
    post = find_post(call.world.state, "reddit", name)
    account = account_of(call)
    if post is None or not post.is_own or (post.author or "").lower() != account.lower():
        raise refused(403, "Forbidden")
    with call.world.state.transaction() as db:
        db.execute("UPDATE post SET is_deleted = 1 WHERE platform = 'reddit' AND id = ?", (name,))
        record_attempt(db, Attempt(call.now, "reddit", "delete", account, None, None, name))
    return Answer(200, {})
