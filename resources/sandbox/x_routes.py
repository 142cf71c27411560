"""Reading on X: lookup, recent search, mentions, timeline, users/me."""

import re
from datetime import datetime
from typing import Any

from resources.sandbox.credentials import user_id
from resources.sandbox.exchange import Answer, Call, Endpoint
from resources.sandbox.posts import SandboxPost, find_posts, posts_by_seq
from resources.sandbox.x_create import create_post, delete_post
from resources.sandbox.x_match import COLUMNS, Matchable, matches
from resources.sandbox.x_query import Node, Operator, QueryInvalid, parse_query
from resources.sandbox.x_rules import change_rules, list_rules
from resources.sandbox.x_shapes import bare_user, invalid, not_authorized, not_found, posts_answer, problem

FIELD_PARAMETERS = frozenset(
    {"expansions", "tweet.fields", "user.fields", "media.fields", "place.fields", "poll.fields"}
)
PAGE_PARAMETERS = FIELD_PARAMETERS | {
    "max_results", "since_id", "until_id", "start_time", "end_time", "pagination_token",
}  # fmt: skip
SEARCH_PARAMETERS = PAGE_PARAMETERS | {"query", "next_token", "sort_order"}
LONGEST_QUERY = 512
VISIBLE = "is_deleted = 0 AND is_protected = 0 AND newer_id IS NULL"
LARGEST_ID = 2**63 - 1
DIGITS = re.compile(r"[0-9]{1,19}")


def refuse_unknown(call: Call, known: frozenset[str]) -> None:
    """X answers 400 to a query parameter it does not know."""
    for name in call.query.keys() - known:
        raise invalid(name, call.query[name], f"The query parameter [{name}] is not one of {sorted(known)}")


def lookup(call: Call) -> Answer:
    """``GET /2/tweets?ids=``: what is found in data, what is not in errors."""
    refuse_unknown(call, FIELD_PARAMETERS | {"ids"})
    ids = [post_id for post_id in call.query.get("ids", "").split(",") if post_id]
    if not 1 <= len(ids) <= 100 or not all(DIGITS.fullmatch(post_id) for post_id in ids):
        raise invalid("ids", call.query.get("ids", ""), "ids must be 1 to 100 numbers")
    found, missing = sort_out(ids, find_posts(call.world.state, "x", ids))
    body = posts_answer(call, found) if found else {}
    return Answer(200, {**body, "errors": missing} if missing else body)


def sort_out(ids: list[str], posts: list[SandboxPost]) -> tuple[list[SandboxPost], list[dict[str, str]]]:
    """The posts to show, and an error for each id whose post is gone or protected."""
    there = {post.id: post for post in posts if not post.is_deleted}
    shown = [post for post in there.values() if not post.is_protected]
    hidden = [
        not_authorized(post_id) if post_id in there else not_found(post_id)
        for post_id in dict.fromkeys(ids)
        if post_id not in there or there[post_id].is_protected
    ]
    return shown, hidden


def lookup_one(call: Call) -> Answer:
    """``GET /2/tweets/:id``."""
    refuse_unknown(call, FIELD_PARAMETERS)
    post_id = call.path_params["id"]
    found, missing = sort_out([post_id], find_posts(call.world.state, "x", [post_id]))
    if missing:
        return Answer(200, {"errors": missing})
    body = posts_answer(call, found)
    return Answer(200, {**body, "data": body["data"][0]})


def search_recent(call: Call) -> Answer:
    """``GET /2/tweets/search/recent``, newest first, over all posts that are loaded."""
    refuse_unknown(call, SEARCH_PARAMETERS)
    text = call.query.get("query", "")
    if len(text) > LONGEST_QUERY:
        raise invalid("query", text, f"query: must be at most {LONGEST_QUERY} characters")
    try:
        node = parse_query(text)
    except QueryInvalid as error:
        raise invalid("query", text, f"There were errors processing your request: {error}") from None
    return page_answer(call, node, smallest=10)


def mentions(call: Call) -> Answer:
    """``GET /2/users/:id/mentions`` of the account."""
    refuse_unknown(call, PAGE_PARAMETERS)
    account = own_account(call)
    return page_answer(call, Operator("@", account.lower()), smallest=5)


def timeline(call: Call) -> Answer:
    """``GET /2/users/:id/tweets`` of the account."""
    refuse_unknown(call, PAGE_PARAMETERS | {"exclude"})
    account = own_account(call)
    return page_answer(call, Operator("from", account.lower()), smallest=5)


def own_account(call: Call) -> str:
    """The account's handle when the address names its user id."""
    account = call.world.credentials.account
    if call.path_params["id"] != user_id(account):
        raise problem(404, "Not Found Error", "Could not find user with this id.", "resource-not-found")
    return account


def users_me(call: Call) -> Answer:
    """``GET /2/users/me``."""
    return Answer(200, {"data": bare_user(call.world.credentials.account)})


def page_answer(call: Call, node: Node, *, smallest: int) -> Answer:
    """One page of matching posts with its meta part."""
    size = page_size(call, smallest)
    posts, has_more = matching_page(call, node, size)
    meta: dict[str, Any] = {"result_count": len(posts)}
    if not posts:
        return Answer(200, {"meta": meta})
    meta |= {"newest_id": posts[0].id, "oldest_id": posts[-1].id}
    if has_more:
        meta["next_token"] = f"b{int(posts[-1].id):x}"
    return Answer(200, {**posts_answer(call, posts), "meta": meta})


def page_size(call: Call, smallest: int) -> int:
    """max_results, checked."""
    given = call.query.get("max_results", "10")
    if not given.isdecimal() or not smallest <= int(given) <= 100:
        raise invalid("max_results", given, f"max_results must be between {smallest} and 100")
    return int(given)


def matching_page(call: Call, node: Node, size: int) -> tuple[list[SandboxPost], bool]:
    """Up to ``size`` matching posts, newest id first, and whether more follow."""
    cursor = call.world.state.db.cursor()
    cursor.row_factory = lambda _, row: Matchable(*row)
    rows = cursor.execute(
        f"SELECT {COLUMNS} FROM post WHERE platform = 'x' AND {VISIBLE} AND x_id > ? AND x_id < ?"  # noqa: S608
        " AND created_at >= ? AND created_at < ? ORDER BY x_id DESC",
        (*id_range(call), read_time(call, "start_time", 0.0), read_time(call, "end_time", 1e12)),
    )
    wanted: list[int] = []
    for row in rows:
        if matches(node, row, fold_accents=True):
            wanted.append(row.seq)
            if len(wanted) > size:
                break
    return posts_by_seq(call.world.state, wanted[:size]), len(wanted) > size


def id_range(call: Call) -> tuple[int, int]:
    """Ids strictly between these two: since_id, and until_id or the page token."""
    since = read_id(call, "since_id", 0)
    until = read_id(call, "until_id", LARGEST_ID)
    token = call.query.get("next_token") or call.query.get("pagination_token")
    if token is None:
        return since, until
    if not re.fullmatch(r"b[0-9a-f]{1,16}", token):
        raise invalid("next_token", token, "the token is not one of ours")
    return since, min(until, int(token[1:], 16))


def read_id(call: Call, name: str, default: int) -> int:
    """An id parameter as a number."""
    given = call.query.get(name)
    if given is None:
        return default
    if not DIGITS.fullmatch(given) or int(given) > LARGEST_ID:
        raise invalid(name, given, f"{name} must be a number")
    return int(given)


def read_time(call: Call, name: str, default: float) -> float:
    """A time parameter as Unix seconds."""
    given = call.query.get(name)
    if given is None:
        return default
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise invalid(name, given, f"{name} must be an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise invalid(name, given, f"{name} must name its time zone")
    return moment.timestamp()


ENDPOINTS = (
    Endpoint("create", "POST", "/2/tweets", create_post, needs="user", user_limit=100, is_write=True),
    Endpoint("lookup", "GET", "/2/tweets", lookup, app_limit=3500, user_limit=5000),
    Endpoint("search", "GET", "/2/tweets/search/recent", search_recent),
    Endpoint("rules", "GET", "/2/tweets/search/stream/rules", list_rules, needs="app"),
    Endpoint(
        "change_rules", "POST", "/2/tweets/search/stream/rules", change_rules, needs="app", app_limit=100
    ),
    Endpoint("lookup", "GET", "/2/tweets/{id:int}", lookup_one, app_limit=450, user_limit=900),
    Endpoint(
        "delete", "DELETE", "/2/tweets/{id:int}", delete_post, needs="user", user_limit=50, is_write=True
    ),
    Endpoint("me", "GET", "/2/users/me", users_me, needs="user", user_limit=75),
    Endpoint("mentions", "GET", "/2/users/{id:int}/mentions", mentions),
    Endpoint("timeline", "GET", "/2/users/{id:int}/tweets", timeline, app_limit=1500, user_limit=900),
)
