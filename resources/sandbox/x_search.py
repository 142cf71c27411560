"""Posts in pages on X: recent search, mentions, timelines."""

import re
from collections.abc import Iterator
from typing import Any

from resources.sandbox.credentials import user_id
from resources.sandbox.exchange import Answer, Call
from resources.sandbox.posts import SandboxPost, posts_by_seq
from resources.sandbox.x_match import COLUMNS, Matchable, is_retweet, matches
from resources.sandbox.x_query import And, Node, Not, Operator, Or, Phrase, QueryInvalid, parse_query
from resources.sandbox.x_shapes import FIELD_PARAMETERS, invalid, posts_answer, problem, refuse_unknown
from resources.sandbox.x_usage import charge_posts
from resources.sandbox.x_window import Stretch, any_stretch, recent_stretch

PAGE_PARAMETERS = FIELD_PARAMETERS | {
    "max_results", "since_id", "until_id", "start_time", "end_time", "pagination_token",
}  # fmt: skip
SEARCH_PARAMETERS = PAGE_PARAMETERS | {"query", "next_token", "sort_order"}
LONGEST_QUERY = 512
VISIBLE = "is_deleted = 0 AND is_protected = 0 AND newer_id IS NULL"


def search_recent(call: Call) -> Answer:
    """``GET /2/tweets/search/recent``, newest first, over the last seven days."""
    refuse_unknown(call, SEARCH_PARAMETERS)
    node = read_query(call)
    return page_answer(call, node, recent_stretch(call), smallest=10)


def read_query(call: Call) -> Node:
    """The query of a search or a count.

    Raises:
        Refused: it is missing, too long or cannot be read.
    """
    text = call.query.get("query", "")
    if len(text) > LONGEST_QUERY:
        raise invalid("query", text, f"query: must be at most {LONGEST_QUERY} characters")
    try:
        return parse_query(text)
    except QueryInvalid as error:
        raise invalid("query", text, f"There were errors processing your request: {error}") from None


def mentions(call: Call) -> Answer:
    """``GET /2/users/:id/mentions``."""
    refuse_unknown(call, PAGE_PARAMETERS)
    return page_answer(call, Operator("@", user_handle(call).lower()), any_stretch(call), smallest=5)


def timeline(call: Call) -> Answer:
    """``GET /2/users/:id/tweets``."""
    refuse_unknown(call, PAGE_PARAMETERS | {"exclude"})
    return page_answer(call, Operator("from", user_handle(call).lower()), any_stretch(call), smallest=5)


def user_handle(call: Call) -> str:
    """The handle behind the user id in the address: an account of the sandbox or the author of a post."""
    wanted = call.path_params["id"]
    handle = known_handle(call, wanted)
    if handle is None:
        raise problem(404, "Not Found Error", "Could not find user with this id.", "resource-not-found")
    return handle


def known_handle(call: Call, wanted_id: str) -> str | None:
    """The handle of a user id, or None when nobody here has it."""
    for account in call.world.credentials.accounts():
        if user_id(account.account) == wanted_id:
            return account.account
    rows = call.world.state.db.execute(
        "SELECT DISTINCT author FROM post WHERE platform = 'x' AND author IS NOT NULL"
    )
    return next((str(row["author"]) for row in rows if user_id(row["author"]) == wanted_id), None)


def page_answer(call: Call, node: Node, stretch: Stretch, *, smallest: int) -> Answer:
    """One page of matching posts with its meta part."""
    size = page_size(call, smallest)
    posts, has_more = matching_page(call, node, stretch, size)
    meta: dict[str, Any] = {"result_count": len(posts)}
    if not posts:
        return Answer(200, {"meta": meta})
    charge_posts(call, posts)
    meta |= {"newest_id": posts[0].id, "oldest_id": posts[-1].id}
    if has_more:
        meta["next_token"] = f"b{int(posts[-1].id):x}"
    return Answer(200, {**posts_answer(call, posts), "meta": meta})


def page_size(call: Call, smallest: int) -> int:
    """max_results, checked."""
    given = call.query.get("max_results", "10")
    if not re.fullmatch(r"[0-9]{1,4}", given) or not smallest <= int(given) <= 100:
        raise invalid("max_results", given, f"max_results must be between {smallest} and 100")
    return int(given)


def matching_page(call: Call, node: Node, stretch: Stretch, size: int) -> tuple[list[SandboxPost], bool]:
    """Up to ``size`` matching posts, newest id first, and whether more follow."""
    wanted: list[int] = []
    for row, _ in matching_rows(call, node, stretch):
        wanted.append(row.seq)
        if len(wanted) > size:
            break
    return posts_by_seq(call.world.state, wanted[:size]), len(wanted) > size


def matching_rows(call: Call, node: Node, stretch: Stretch) -> Iterator[tuple[Matchable, float]]:
    """Matching posts of a stretch with the time they were made, newest id first."""
    cursor = call.world.state.db.cursor()
    cursor.row_factory = lambda _, row: row
    rows = cursor.execute(
        f"SELECT created_at, {COLUMNS} FROM post WHERE platform = 'x' AND {VISIBLE}"  # noqa: S608 - constants
        " AND x_id > ? AND x_id < ? AND created_at >= ? AND created_at < ? ORDER BY x_id DESC",
        stretch,
    )
    without_retweets = has_keyword(node)
    for created_at, *columns in rows:
        post = Matchable(*columns)
        if without_retweets and is_retweet(post):
            continue
        if matches(node, post, fold_accents=True):
            yield post, created_at


def has_keyword(node: Node) -> bool:
    """Whether a query looks for words: search leaves retweets out of its answer then, the stream does not.

    >>> has_keyword(parse_query("from:alice")), has_keyword(parse_query("python"))
    (False, True)
    """
    if isinstance(node, Not):
        return has_keyword(node.term)
    if isinstance(node, (And, Or)):
        return any(map(has_keyword, node.terms))
    return isinstance(node, Phrase)
