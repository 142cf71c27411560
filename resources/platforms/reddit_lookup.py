"""Reading Reddit beside listening: things by fullname, and a search back to a time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rejoinder.listening.post import Post
from resources.platforms.failures import Unreachable
from resources.platforms.port import Heard, Standing, Unreadable
from resources.platforms.reddit_answers import is_deleted, read_listing, read_posts
from resources.platforms.reddit_poll import Fetch

LONGEST_PAGE = 100


def look_up(fetch: Fetch, names: Sequence[str]) -> dict[str, Standing]:
    """Which things stand, by fullname.

    What was deleted or removed comes along and says so. What Reddit leaves out is shown to us no more, though it may
    stand in a community that the account may not see now: that it is gone is not said.
    """
    found: dict[str, Standing] = {}
    for start in range(0, len(names), LONGEST_PAGE):
        wanted = names[start : start + LONGEST_PAGE]
        items, _ = read_listing(fetch({"id": ",".join(wanted)}))
        found |= {name: Standing(None, "left out", is_said=False) for name in wanted}
        found |= {str(item.get("name")): standing(item) for item in items}
    return {name: found[name] for name in names}


def standing(item: dict[str, Any]) -> Standing:
    """One thing as it stands now."""
    if is_deleted(item):
        return Standing(None, str(item.get("removed_by_category") or "deleted"))
    posts, _ = read_posts([item])
    return Standing(posts[0]) if posts else Standing(None, "unreadable")


def answers_under(body: Any, parent_id: str, own: str) -> list[dict[str, Any]]:
    """The comments of others right under one, out of an answer of ``/comments/ID/_/COMMENT``; gone ones left out.

    Raises:
        Unreachable: the answer is none of a thread.
    """
    try:
        pending = [child["data"] for child in body[1]["data"]["children"]]
        found = []
        for item in pending:
            under = item.get("replies") or {"data": {"children": []}}
            pending += [child["data"] for child in under["data"]["children"] if child.get("kind") != "more"]
            if item.get("parent_id") == parent_id:
                found.append(dict(item))
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Unreachable("the answer is no thread of comments") from None
    others = [item for item in found if str(item.get("author")).lower() != own.lower()]
    return [item for item in others if not is_deleted(item)]


def search_back(fetch: Fetch, query: str, since: datetime, most: int) -> Heard:
    """Submissions that match a query, back to a time; complete where it got there."""
    posts: list[Post] = []
    unreadable: list[Unreadable] = []
    after: str | None = None
    while len(posts) < most:
        bounds = {"q": query, "sort": "new", "limit": str(min(most - len(posts), LONGEST_PAGE))}
        items, after = read_listing(fetch({**bounds, **({"after": after} if after else {})}))
        found, broken = read_posts(items)
        recent = [post for post in found if post.created_at >= since]
        posts += recent
        unreadable += broken
        if after is None or len(recent) < len(found):
            return _heard(posts, unreadable, is_complete=True)
    return _heard(posts, unreadable, is_complete=False)


def _heard(posts: Sequence[Post], unreadable: Sequence[Unreadable], *, is_complete: bool) -> Heard:
    in_order = sorted(posts, key=lambda post: (post.created_at, post.platform_post_id))
    return Heard(tuple(in_order), {}, tuple(unreadable), is_complete)
