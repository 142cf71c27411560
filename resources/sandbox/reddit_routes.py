"""Reddit: tokens, listings, info, comment threads."""

from dataclasses import replace
from typing import Any

from resources.sandbox.exchange import Answer, Call, Endpoint
from resources.sandbox.oauth import account_of, granted_account, is_for_reading, reddit_app
from resources.sandbox.posts import find_post, find_posts, from_row
from resources.sandbox.reddit_listing import communities, page
from resources.sandbox.reddit_search import search
from resources.sandbox.reddit_shapes import listing, refused, things, unauthorized
from resources.sandbox.reddit_write import delete_comment, write_comment
from resources.sandbox.tokens import issue_token, token_life_s

READ_SCOPES = "history identity privatemessages read"


def access_token(call: Call) -> Answer:
    """``POST /api/v1/access_token``: password, refresh and app-only grants."""
    app = reddit_app(call)
    if app is None:
        raise unauthorized()
    account = granted_account(call, app)
    if account is None:
        return Answer(200, {"error": "invalid_grant"})
    may_write = not is_for_reading(call, app)
    token = issue_token(call.world.state, account, app.reddit["client_id"], may_write=may_write)
    life_s, scope = int(token_life_s(call.world.state)), "*" if may_write else READ_SCOPES
    return Answer(200, {"access_token": token, "token_type": "bearer", "expires_in": life_s, "scope": scope})


def me(call: Call) -> Answer:
    """``GET /api/v1/me``."""
    return Answer(200, redditor(account_of(call)))


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
    where, values = communities(call.path_params["sub"])
    return page(call, f"{where} AND id LIKE '{kind}%'", values)


def user_comments(call: Call) -> Answer:
    """``GET /user/{name}/comments``."""
    return page(call, "author = ? AND id LIKE 't1%'", [call.path_params["name"]])


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


def inbox(call: Call) -> Answer:
    """``GET /message/mentions``: comments of others that name the account, newest first."""
    words = f"%u/{account_of(call)}%"
    found = page(call, "id LIKE 't1%' AND is_own = 0 AND text LIKE ?", [words])
    return as_messages(found, "username mention", "username_mention")


def comment_replies(call: Call) -> Answer:
    """``GET /message/comments``: comments of others right under those of the account, newest first."""
    under = "parent_id IN (SELECT id FROM post WHERE platform = 'reddit' AND is_own = 1 AND author = ?)"
    found = page(call, f"id LIKE 't1%' AND is_own = 0 AND {under}", [account_of(call)])
    return as_messages(found, "comment reply", "comment_reply")


def as_messages(found: Answer, subject: str, kind: str) -> Answer:
    """A page of comments as a page of the inbox."""
    for child in found.body["data"]["children"]:
        child["data"] = as_message(child["data"], subject, kind)
    return found


def as_message(comment: dict[str, Any], subject: str, kind: str) -> dict[str, Any]:
    """A comment as the inbox shows it: a message whose ``context`` says where the comment is."""
    kept = (
        "id",
        "name",
        "author",
        "subreddit",
        "body",
        "body_html",
        "parent_id",
        "created",
        "created_utc",
        "score",
    )
    more = {"subject": subject, "type": kind, "was_comment": True, "new": True}
    return {**{name: comment[name] for name in kept}, **more, "context": f"{comment['permalink']}?context=3"}


def about_community(call: Call) -> Answer:
    """``GET /r/{sub}/about``."""
    name = call.path_params["sub"]
    return Answer(
        200, {"kind": "t5", "data": {"display_name": name, "name": f"t5_{name.lower()}", "id": name.lower()}}
    )


def about_user(call: Call) -> Answer:
    """``GET /user/{name}/about``."""
    return Answer(200, {"kind": "t2", "data": redditor(call.path_params["name"])})


READS = (
    Endpoint("new", "GET", "/r/{sub}/new", new),
    Endpoint("comments", "GET", "/r/{sub}/comments", comments),
    Endpoint("search", "GET", "/search", search),
    Endpoint("search", "GET", "/r/{sub}/search", search),
    Endpoint("about", "GET", "/r/{sub}/about", about_community),
    Endpoint("info", "GET", "/api/info", info),
    Endpoint("thread", "GET", "/comments/{id}", thread),
    Endpoint("thread", "GET", "/comments/{id}/{slug}/{comment}", thread),
    Endpoint("user_comments", "GET", "/user/{name}/comments", user_comments),
    Endpoint("about", "GET", "/user/{name}/about", about_user),
)
# The addresses that end in .json answer without a token, at a tenth of the pace; they come first, since
# {sub} and {id} would take the ending for a part of the name.
ENDPOINTS = (
    *(replace(each, path=f"{each.path}.json") for each in READS),
    *READS,
    Endpoint("me", "GET", "/api/v1/me", me, needs="user"),
    Endpoint("inbox", "GET", "/message/mentions", inbox, needs="user"),
    Endpoint("inbox", "GET", "/message/comments", comment_replies, needs="user"),
    Endpoint("comment", "POST", "/api/comment", write_comment, needs="user", is_write=True),
    Endpoint("delete", "POST", "/api/del", delete_comment, needs="user", is_write=True),
)
TOKEN_ENDPOINT = Endpoint("token", "POST", "/api/v1/access_token", access_token)
