"""Writing on X: new posts, replies, edits and deletions, with the refusals X documents."""

import re
import sqlite3
from typing import Any

from resources.sandbox.exchange import Answer, Call, Refused
from resources.sandbox.oauth import account_of
from resources.sandbox.posts import SandboxPost, find_post, insert_post
from resources.sandbox.weighted_length import LIMIT, weighted_length
from resources.sandbox.witness import Attempt, record_attempt
from resources.sandbox.x_create_body import Wanted, read_body
from resources.sandbox.x_edits import delete_versions, edit_controls, store_version, versions
from resources.sandbox.x_ids import next_id
from resources.sandbox.x_match import is_summoned, matchable
from resources.sandbox.x_settings import read_settings
from resources.sandbox.x_shapes import problem

CASHTAG = re.compile(r"(?<!\w)\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?\b")


def create_post(call: Call) -> Answer:
    """``POST /2/tweets``."""
    wanted = read_body(call)
    account = account_of(call)
    with call.world.state.transaction() as db:
        refuse_text(db, wanted, account)
        refuse_quote(call, wanted)
        parent = refuse_parent(call, wanted.parent_id, account)
        post_id = edited(call, db, wanted, account) or added(call, db, wanted, account, parent)
        record_attempt(db, Attempt(call.now, "x", "create", account, wanted.parent_id, wanted.text, post_id))
    return Answer(201, {"data": created_json(call, post_id)})


def created_json(call: Call, post_id: str) -> dict[str, Any]:
    """What X tells of a new post."""
    post = find_post(call.world.state, "x", post_id)
    history = [post_id] if post is None else versions(call.world.state, post)
    naming = read_settings(call.world.state).naming
    return {"id": post_id, "text": "" if post is None else post.text, f"edit_history_{naming}_ids": history}


def added(
    call: Call, db: sqlite3.Connection, wanted: Wanted, account: str, parent: SandboxPost | None
) -> str:
    """Store a new post; its id."""
    post = own_post(db, call.now, wanted, account, parent)
    insert_post(db, post)
    return post.id


def edited(call: Call, db: sqlite3.Connection, wanted: Wanted, account: str) -> str | None:
    """Store a new version of one of the account's posts; its id, or None when no edit is wanted."""
    if wanted.previous_id is None:
        return None
    post = find_post(call.world.state, "x", wanted.previous_id)
    if post is None or not post.is_own or post.author != account or post.is_deleted or post.newer_id:
        raise forbidden("not_own", "You are not allowed to edit this Tweet.")
    if not edit_controls(call.world.state, post, call.now)["is_edit_eligible"]:
        raise forbidden("edit_closed", "This Tweet can no longer be edited.")
    return store_version(db, post, wanted.text, call.now)


def forbidden(code: str, detail: str) -> Refused:
    """A 403 about:blank, the shape X uses for refusals of a post."""
    return problem(403, "Forbidden", detail, code=code)


def refuse_text(db: sqlite3.Connection, wanted: Wanted, account: str) -> None:
    """Refuse a text that is too long or was posted before."""
    if weighted_length(wanted.text) > LIMIT:
        raise forbidden("too_long", "Your Tweet text is too long.")
    if len(CASHTAG.findall(wanted.text)) > 1:
        raise forbidden("cashtags", "Your Tweet may hold at most one cashtag.")
    duplicate = db.execute(
        "SELECT 1 FROM post WHERE platform = 'x' AND is_own = 1 AND is_deleted = 0 AND author = ? AND text = ?",
        (account, wanted.text),
    ).fetchone()
    if duplicate:
        raise forbidden("duplicate", "You are not allowed to create a Tweet with duplicate content.")


def refuse_quote(call: Call, wanted: Wanted) -> None:
    """Quoting needs an Enterprise contract since 2026-04-16."""
    if wanted.quoted_id is not None and not read_settings(call.world.state).is_enterprise:
        detail = "Quoting a Tweet is not available with your plan."
        raise problem(403, "Forbidden", detail, "client-forbidden", reason="official-client-forbidden")


def refuse_parent(call: Call, parent_id: str | None, account: str) -> SandboxPost | None:
    """The parent of a reply; refused when it is gone or did not summon the account."""
    if parent_id is None:
        return None
    parent = find_post(call.world.state, "x", parent_id)
    if parent is None or parent.is_deleted or parent.is_locked or parent.is_protected:
        raise forbidden(
            "parent_gone", "You attempted to reply to a Tweet that is deleted or not visible to you."
        )
    if parent.has_blocked:
        raise forbidden("blocked", "You have been blocked from replying to this Tweet by its author.")
    # X's rule names the author of the post that is answered; who answers an own post, as a thread does, is that author.
    may_answer = parent.is_own or read_settings(call.world.state).is_enterprise
    if not may_answer and not is_summoned(matchable(parent), account):
        detail = (
            "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged"
            " by the author of the post you are replying to."
        )
        raise forbidden("not_summoned", detail)
    return parent


def own_post(
    db: sqlite3.Connection, now: float, wanted: Wanted, account: str, parent: SandboxPost | None
) -> SandboxPost:
    """The post to store."""
    post_id = next_id(db)
    return SandboxPost(
        platform="x",
        id=post_id,
        text=wanted.text,
        created_at=now,
        parent_id=wanted.parent_id,
        conversation_id=parent.conversation_id if parent else post_id,
        author=account,
        url=f"https://x.com/{account}/status/{post_id}",
        is_own=True,
        quoted_id=wanted.quoted_id,
    )


def delete_post(call: Call) -> Answer:
    """``DELETE /2/tweets/:id``: only the account's own posts."""
    post_id, account = call.path_params["id"], account_of(call)
    post = find_post(call.world.state, "x", post_id)
    if post is None or not post.is_own or post.author != account:
        raise forbidden("not_own", "You are not allowed to delete this Tweet.")
    with call.world.state.transaction() as db:
        delete_versions(db, post)
        record_attempt(db, Attempt(call.now, "x", "delete", account, None, None, post_id))
    return Answer(200, {"data": {"deleted": True}})
