"""Reading X beside listening: posts by id, the posts above one, a search back to a time, counts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rejoinder.listening.post import Post
from resources.platforms.port import DayCount, Heard, Standing, Unreadable
from resources.platforms.x_answers import read_posts, read_time, read_versions
from resources.platforms.x_poll import Fetch

FetchPosts = Callable[[Sequence[str]], Mapping[str, Any]]
LONGEST_PAGE = 100


def look_up(fetch: FetchPosts, fetch_newest: FetchPosts, ids: Sequence[str]) -> dict[str, Standing]:
    """Which posts stand, by id; X says of those that do not why it shows none.

    X shows an older version of an edited post under its own id for ever, so the newest ones are asked for as well.

    Args:
        fetch: the answer for at most a hundred ids.
        fetch_newest: the same for newest versions, which are read whole.
        ids: any number of them.
    """
    found: dict[str, Standing] = {}
    newest: dict[str, str] = {}
    for start in range(0, len(ids), LONGEST_PAGE):
        body = fetch(ids[start : start + LONGEST_PAGE])
        posts, _ = read_posts(body)
        found |= {post.platform_post_id: Standing(post) for post in posts}
        found |= gone(body)
        newest |= replaced(body)
    if newest:
        latest = look_up(fetch_newest, fetch_newest, sorted(set(newest.values())))
        found |= {old: latest[new] for old, new in newest.items() if new in latest}
    return found


def replaced(body: Mapping[str, Any]) -> dict[str, str]:
    """The posts of an answer that a newer version has replaced, each with the id of the newest."""
    found = {}
    for item in body.get("data") or []:
        try:
            newest = read_versions(item)[-1]
        except (KeyError, TypeError, ValueError):
            continue
        if newest != str(item.get("id")):
            found[str(item["id"])] = newest
    return found


def gone(body: Mapping[str, Any]) -> dict[str, Standing]:
    """The ids that an answer says X shows nobody, or not to us."""
    missing = {}
    for error in body.get("errors") or []:
        kind = str(error.get("type", "")).rsplit("/", 1)[-1]
        if kind in ("resource-not-found", "not-authorized-for-resource"):
            missing[str(error.get("resource_id") or error.get("value"))] = Standing(None, kind)
    return missing


def search_back(fetch: Fetch, since: datetime, most: int, *, own: str) -> Heard:
    """Posts of a search, newest first on the wire, back to a time; complete where it got there."""
    posts: list[Post] = []
    unreadable: list[Unreadable] = []
    bounds: dict[str, str] = {"start_time": since.strftime("%Y-%m-%dT%H:%M:%SZ")}
    while len(posts) < most:
        size = min(max(most - len(posts), 10), LONGEST_PAGE)
        body = fetch({"max_results": str(size), **bounds})
        found, broken = read_posts(body)
        posts += [one for one in found if (one.author or "").lower() != own.lower()]
        unreadable += broken
        meta = body.get("meta") or {}
        if not meta.get("next_token"):
            return _heard(posts[:most], unreadable, is_complete=len(posts) <= most)
        bounds = {**bounds, "next_token": str(meta["next_token"])}
    return _heard(posts[:most], unreadable, is_complete=False)


def _heard(posts: Sequence[Post], unreadable: Sequence[Unreadable], *, is_complete: bool) -> Heard:
    in_order = sorted(posts, key=lambda one: (one.created_at, int(one.platform_post_id)))
    return Heard(tuple(in_order), {}, tuple(unreadable), is_complete)


def read_counts(body: Mapping[str, Any]) -> tuple[DayCount, ...]:
    """X's counts of a query, oldest first; its first and last stretch are parts of a day."""
    return tuple(
        DayCount(
            read_time(one["start"]),
            read_time(one["end"]),
            int(one.get("tweet_count", one.get("post_count", 0))),
        )
        for one in body.get("data") or []
    )
