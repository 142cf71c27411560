"""The endpoints of X that answer in one go: lookups, users, and the list of all of them."""

from resources.sandbox.exchange import Answer, Call, Endpoint
from resources.sandbox.oauth import account_of
from resources.sandbox.posts import SandboxPost, find_posts
from resources.sandbox.x_connections import ENDPOINTS as CONNECTION_ENDPOINTS
from resources.sandbox.x_counts import counts_recent
from resources.sandbox.x_create import create_post, delete_post
from resources.sandbox.x_rules import change_rules, list_rules
from resources.sandbox.x_search import mentions, search_recent, timeline
from resources.sandbox.x_shapes import (
    FIELD_PARAMETERS,
    bare_user,
    invalid,
    not_authorized,
    not_found,
    posts_answer,
    refuse_unknown,
)
from resources.sandbox.x_usage import charge_posts, show_usage
from resources.sandbox.x_window import DIGITS


def lookup(call: Call) -> Answer:
    """``GET /2/tweets?ids=``: what is found in data, what is not in errors."""
    refuse_unknown(call, FIELD_PARAMETERS | {"ids"})
    ids = [post_id for post_id in call.query.get("ids", "").split(",") if post_id]
    if not 1 <= len(ids) <= 100 or not all(DIGITS.fullmatch(post_id) for post_id in ids):
        raise invalid("ids", call.query.get("ids", ""), "ids must be 1 to 100 numbers")
    found, missing = sort_out(ids, find_posts(call.world.state, "x", ids))
    charge_posts(call, found)
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
    charge_posts(call, found)
    body = posts_answer(call, found)
    return Answer(200, {**body, "data": body["data"][0]})


def users_me(call: Call) -> Answer:
    """``GET /2/users/me``."""
    return Answer(200, {"data": bare_user(account_of(call))})


ENDPOINTS = (
    Endpoint("create", "POST", "/2/tweets", create_post, needs="user", user_limit=100, is_write=True),
    Endpoint("lookup", "GET", "/2/tweets", lookup, app_limit=3500, user_limit=5000),
    Endpoint("search", "GET", "/2/tweets/search/recent", search_recent),
    Endpoint("counts", "GET", "/2/tweets/counts/recent", counts_recent, needs="app", app_limit=300),
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
    Endpoint("usage", "GET", "/2/usage/tweets", show_usage, needs="app", app_limit=50),
    *CONNECTION_ENDPOINTS,
)
