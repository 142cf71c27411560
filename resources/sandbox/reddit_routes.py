"""Reddit: tokens, listings, info, comment threads, and writing a comment."""

import sqlite3
from typing import Any

from resources.sandbox.exchange import Answer, Call, Endpoint
from resources.sandbox.oauth import granted_account, is_reddit_client, issue_token
from resources.sandbox.posts import SandboxPost, find_post, find_posts, from_row, insert_post, posts_by_seq
from resources.sandbox.reddit_shapes import in_envelope, listing, refused, things, unauthorized
from resources.sandbox.witness import Attempt, record_attempt

LONGEST_COMMENT = 10_000
LISTING_CAP = 1000
DIGITS36 = "0123456789abcdefghijklmnopqrstuvwxyz"
FIRST_COMMENT = 36**6


def access_token(call: Call) -> Answer:
    """``POST /api/v1/access_token``: password, refresh and app-only grants."""
    if not is_reddit_client(call):
        raise unauthorized()
    account = granted_account(call.form, call.world.credentials)
    if account is None:
        return Answer(200, {"error": "invalid_grant"})
    token = issue_token(call.world.state, account)
    return Answer(200, {"access_token": token, "token_type": "bearer", "expires_in": 3600, "scope": "*"})


def me(call: Call) -> Answer:
    """``GET /api/v1/me``."""
    return Answer(200, redditor(call.world.credentials.account))


def redditor(name: str) -> dict[str, Any]:
    """The account as Reddit shows it."""
    return {"name": name, "id": "sandbox", "created_utc": 0.0, "comment_karma": 0, "link_karma": 0}


def new(call: Call) -> Answer:
    """``GET /r/{sub}/new``: submissions, newest first."""
    return community_page(call, "t3")


def comments(call: Call) -> Answer:
    """``GET /r/{sub}/comments``: comments, newest first."""
    return community_page(call, "t1")


def community_page(call: Call, kind: str) -> Answer:
    """One page of what is in one community, in several joined by ``+``, or in ``all``."""
    names = call.path_params["sub"].split("+")
    marks = ", ".join("?" * len(names))
    where = "1" if names == ["all"] else f"community IN ({marks})"
    return page(call, f"{where} AND id LIKE '{kind}%'", [] if names == ["all"] else names)


def user_comments(call: Call) -> Answer:
    """``GET /user/{name}/comments``."""
    return page(call, "author = ? AND id LIKE 't1%'", [call.path_params["name"]])


def page(call: Call, where: str, values: list[str]) -> Answer:
    """One page of a listing, newest first, at most the first 1,000 things of it."""
    rows = call.world.state.db.execute(
        "SELECT seq, id FROM post WHERE platform = 'reddit' AND is_deleted = 0 AND "  # noqa: S608
        + where
        + " ORDER BY created_at DESC, seq DESC LIMIT ?",
        (*values, LISTING_CAP),
    ).fetchall()
    first, last = page_bounds(call, [row["id"] for row in rows])
    wanted = rows[first:last]
    after = wanted[-1]["id"] if wanted and last < len(rows) else None
    posts = posts_by_seq(call.world.state, [row["seq"] for row in wanted])
    before = wanted[0]["id"] if wanted and first > 0 else None
    return Answer(200, listing(things(call, posts), after, before))


def page_bounds(call: Call, names: list[str]) -> tuple[int, int]:
    """Where a page starts and ends; a name that is not in the listing gives an empty page."""
    size = page_size(call)
    after, before = call.query.get("after"), call.query.get("before")
    anchor = after or before
    if not anchor:
        return 0, size
    if anchor not in names:
        return 0, 0
    at = names.index(anchor)
    return (at + 1, at + 1 + size) if after else (max(0, at - size), at)


def page_size(call: Call) -> int:
    """limit, 1 to 100; 25 when it is not given."""
    given = call.query.get("limit", "25")
    return min(max(int(given), 1), 100) if given.isdecimal() else 25


def info(call: Call) -> Answer:
    """``GET /api/info?id=``: up to 100 things by fullname, deleted ones included."""
    names = [name for name in call.query.get("id", "").split(",") if name][:100]
    return Answer(200, listing(things(call, find_posts(call.world.state, "reddit", names))))


def thread(call: Call) -> Answer:
    """``GET /comments/{id}``: a submission and its comments; a comment's id narrows them."""
    submission = find_post(call.world.state, "reddit", f"t3_{call.path_params['id']}")
    if submission is None:
        raise refused(404, "Not Found")
    only = call.path_params.get("comment")
    root = f"t1_{only}" if only else None
    body = [listing(things(call, [submission])), listing(comment_tree(call, submission.id, root))]
    return Answer(200, body)


def comment_tree(call: Call, parent_id: str, only: str | None = None) -> list[dict[str, Any]]:
    """Comments under a thing with their own replies inside; ``only`` picks one of them."""
    column = "parent_id" if only is None else "id"
    rows = call.world.state.db.execute(
        f"SELECT * FROM post WHERE platform = 'reddit' AND {column} = ? ORDER BY seq",  # noqa: S608
        (only or parent_id,),
    )
    shown = things(call, [from_row(row) for row in rows])
    for child in shown:
        replies = comment_tree(call, child["data"]["name"])
        child["data"]["replies"] = listing(replies) if replies else ""
    return shown


def about_community(call: Call) -> Answer:
    """``GET /r/{sub}/about``."""
    name = call.path_params["sub"]
    return Answer(
        200, {"kind": "t5", "data": {"display_name": name, "name": f"t5_{name.lower()}", "id": name.lower()}}
    )


def about_user(call: Call) -> Answer:
    """``GET /user/{name}/about``."""
    return Answer(200, {"kind": "t2", "data": redditor(call.path_params["name"])})


def comment(call: Call) -> Answer:
    """``POST /api/comment``."""
    text, parent_id = call.form.get("text", ""), call.form.get("thing_id", "")
    refuse_text(text)
    parent = open_parent(call, parent_id)
    account = call.world.credentials.account
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
    if parent.is_deleted:
        what = "LINK" if parent_id.startswith("t3_") else "COMMENT"
        raise in_envelope(f"DELETED_{what}", "that has been deleted", "parent")
    root = find_post(call.world.state, "reddit", parent.conversation_id)
    if parent.is_locked or (root is not None and root.is_locked):
        raise in_envelope("THREAD_LOCKED", "Comments are locked.", "parent")
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


def delete(call: Call) -> Answer:
    """``POST /api/del``: only the account's own comments."""
    name = call.form.get("id", "")
    post = find_post(call.world.state, "reddit", name)
    if post is None or not post.is_own:
        raise refused(403, "Forbidden")
    account = call.world.credentials.account
    with call.world.state.transaction() as db:
        db.execute("UPDATE post SET is_deleted = 1 WHERE platform = 'reddit' AND id = ?", (name,))
        record_attempt(db, Attempt(call.now, "reddit", "delete", account, None, None, name))
    return Answer(200, {})


ENDPOINTS = (
    Endpoint("me", "GET", "/api/v1/me", me, needs="user"),
    Endpoint("new", "GET", "/r/{sub}/new", new),
    Endpoint("comments", "GET", "/r/{sub}/comments", comments),
    Endpoint("about", "GET", "/r/{sub}/about", about_community),
    Endpoint("info", "GET", "/api/info", info),
    Endpoint("thread", "GET", "/comments/{id}", thread),
    Endpoint("thread", "GET", "/comments/{id}/{slug}/{comment}", thread),
    Endpoint("comment", "POST", "/api/comment", comment, needs="user", is_write=True),
    Endpoint("delete", "POST", "/api/del", delete, needs="user", is_write=True),
    Endpoint("user_comments", "GET", "/user/{name}/comments", user_comments),
    Endpoint("about", "GET", "/user/{name}/about", about_user),
)
TOKEN_ENDPOINT = Endpoint("token", "POST", "/api/v1/access_token", access_token)
