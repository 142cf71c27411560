"""Reddit's search of submissions, everywhere or in communities."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from resources.sandbox.exchange import Answer, Call
from resources.sandbox.reddit_listing import LISTING_CAP, STANDING, communities, cut_page
from resources.sandbox.reddit_query import compile_query
from resources.sandbox.reddit_shapes import listing, split_text

HOUR_S = 3600.0
PERIODS_S = {
    "hour": HOUR_S,
    "day": 24 * HOUR_S,
    "week": 7 * 24 * HOUR_S,
    "month": 30 * 24 * HOUR_S,
    "year": 365 * 24 * HOUR_S,
}
TRUE = frozenset({"1", "true", "on", "yes"})
Key = Callable[[sqlite3.Row], Any]
# What each order puts first; rows come newest first, and sorting keeps that among equals.
ORDERS: Mapping[str, Key] = {
    "top": lambda row: metric(row, "score"),
    "comments": lambda row: metric(row, "num_comments"),
}


def search(call: Call) -> Answer:
    """``GET /search`` and ``GET /r/{sub}/search``: a community counts only with ``restrict_sr``."""
    text = call.query.get("q", "").strip()
    if not text:
        return Answer(200, listing([]))
    names = call.path_params.get("sub", "all")
    is_bound = call.query.get("restrict_sr", "").lower() in TRUE
    where, values = communities(names if is_bound else "all")
    oldest = call.now - PERIODS_S.get(call.query.get("t", "all"), call.now)
    rows = call.world.state.db.execute(
        f"SELECT seq, id, text, author, community, url, metrics FROM post WHERE {STANDING}"  # noqa: S608
        f" AND id LIKE 't3%' AND created_at >= ? AND {where} ORDER BY created_at DESC, seq DESC",
        (oldest, *values),
    )
    matches = compile_query(text)
    found = [row for row in rows if matches(fields_of(row))]
    order = ORDERS.get(call.query.get("sort", "relevance"))
    if order is not None:
        found.sort(key=order, reverse=True)
    return cut_page(call, [(row["id"], row["seq"]) for row in found[:LISTING_CAP]])


def metric(row: sqlite3.Row, name: str) -> int:
    """A loaded count of a submission."""
    return int(json.loads(row["metrics"]).get(name, 0))


def fields_of(row: sqlite3.Row) -> dict[str, str]:
    """What a query can ask about."""
    title, body = split_text(row["text"])
    return {
        "title": title,
        "selftext": body,
        "author": row["author"] or "",
        "subreddit": row["community"] or "",
        "url": row["url"] or "",
        "self": "no" if row["url"] and not body else "yes",
    }
