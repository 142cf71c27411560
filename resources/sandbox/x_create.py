"""Writing on X: new posts, replies and deletions, with the refusals X documents."""

import re
import sqlite3
from typing import Any, NamedTuple

from resources.sandbox.exchange import Answer, Call, Refused
from resources.sandbox.posts import SandboxPost, find_post, insert_post
from resources.sandbox.weighted_length import LIMIT, weighted_length
from resources.sandbox.witness import Attempt, record_attempt
from resources.sandbox.x_edits import delete_versions
from resources.sandbox.x_ids import next_id
from resources.sandbox.x_match import is_summoned, matchable
from resources.sandbox.x_shapes import invalid, problem

POST_ID = re.compile(r"[0-9]{1,19}")
KEYS = frozenset(
    {
        "text", "reply", "quote_tweet_id", "media", "poll", "reply_settings", "made_with_ai",
        "paid_partnership", "community_id", "edit_options", "for_super_followers_only", "geo",
        "direct_message_deep_link", "nullcast", "card_uri", "share_with_followers",
    }
)  # fmt: skip
REPLY_KEYS = frozenset({"in_reply_to_tweet_id", "exclude_reply_user_ids", "auto_populate_reply_metadata"})


class Wanted(NamedTuple):
    """A checked request for a new post."""

    text: str
    parent_id: str | None


def create_post(call: Call) -> Answer:
    """``POST /2/tweets``."""
    wanted = read_body(call)
    account = call.world.credentials.account
    with call.world.state.transaction() as db:
        refuse_text(db, wanted, account)
        parent = refuse_parent(call, wanted.parent_id, account)
        post = own_post(db, call.now, wanted, account, parent)
        insert_post(db, post)
        record_attempt(db, Attempt(call.now, "x", "create", account, wanted.parent_id, wanted.text, post.id))
    return Answer(201, {"data": {"id": post.id, "text": post.text, "edit_history_tweet_ids": [post.id]}})


def read_body(call: Call) -> Wanted:
    """The body of a create request; unknown keys and wrong shapes are refused with 400."""
    try:
        body = call.json()
    except ValueError:
        raise invalid("$", "", "the body is not JSON in UTF-8") from None
    if not isinstance(body, dict):
        raise invalid("$", body, "the body must be an object")
    for key in body.keys() - KEYS:
        raise invalid(f"$.{key}", key, f"$.{key}: is not defined in the schema")
    text = body.get("text")
    if not isinstance(text, str) or not text.strip():
        raise invalid("$.text", text, "$.text: is missing but it is required")
    return Wanted(text, read_reply(body.get("reply")))


def read_reply(reply: Any) -> str | None:
    """The parent's id from the ``reply`` part of a body."""
    if reply is None:
        return None
    if not isinstance(reply, dict) or "in_reply_to_tweet_id" not in reply:
        raise invalid("$.reply", reply, "$.reply.in_reply_to_tweet_id: is missing but it is required")
    for key in reply.keys() - REPLY_KEYS:
        raise invalid(f"$.reply.{key}", key, f"$.reply.{key}: is not defined in the schema")
    parent_id = reply["in_reply_to_tweet_id"]
    if not isinstance(parent_id, str) or not POST_ID.fullmatch(parent_id):
        raise invalid("$.reply.in_reply_to_tweet_id", parent_id, "does not match ^[0-9]{1,19}$")
    return parent_id


def forbidden(code: str, detail: str) -> Refused:
    """A 403 about:blank, the shape X uses for refusals of a post."""
    return problem(403, "Forbidden", detail, code=code)


def refuse_text(db: sqlite3.Connection, wanted: Wanted, account: str) -> None:
    """Refuse a text that is too long or was posted before."""
    if weighted_length(wanted.text) > LIMIT:
        raise forbidden("too_long", "Your Tweet text is too long.")
    duplicate = db.execute(
        "SELECT 1 FROM post WHERE platform = 'x' AND is_own = 1 AND is_deleted = 0 AND author = ? AND text = ?",
        (account, wanted.text),
    ).fetchone()
    if duplicate:
        raise forbidden("duplicate", "You are not allowed to create a Tweet with duplicate content.")


def refuse_parent(call: Call, parent_id: str | None, account: str) -> SandboxPost | None:
    """The parent of a reply; refused when it is gone or did not summon the account."""
    if parent_id is None:
        return None
    parent = find_post(call.world.state, "x", parent_id)
    if parent is None or parent.is_deleted or parent.is_locked:
        raise forbidden(
            "parent_gone", "You attempted to reply to a Tweet that is deleted or not visible to you."
        )
    if not is_summoned(matchable(parent), account):
        detail = "Reply to this conversation is not allowed because you have not been mentioned or quoted."
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
    )


def delete_post(call: Call) -> Answer:
    """``DELETE /2/tweets/:id``: only the account's own posts."""
    post_id, account = call.path_params["id"], call.world.credentials.account
    post = find_post(call.world.state, "x", post_id)
    if post is None or not post.is_own:
        raise forbidden("not_own", "You are not allowed to delete this Tweet.")
    with call.world.state.transaction() as db:
        delete_versions(db, post)
        record_attempt(db, Attempt(call.now, "x", "delete", account, None, None, post_id))
    return Answer(200, {"data": {"deleted": True}})
