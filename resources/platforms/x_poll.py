"""Polling X without gaps: one cursor per search, resumable in the middle of a long page run.

A search goes from the newest post back to ``since``. If it stops at its bound, ``top`` and
``until`` remember the newest post seen and how far down it got; the next poll goes on there and
only then moves ``since`` up. A quiet poll costs one request per rule.

X shows a post in its search some time after it was written, and not in order. So ``since`` never moves to a post
that is younger than `SEARCH_LAG`: what may still appear below it is asked for again. A search that stopped long ago
is older than X's search reaches (seven days); what it missed is told as a gap.
"""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rejoinder.ids import sha256_hex
from rejoinder.listening.post import Post
from rejoinder.listening.rules import ListeningRule
from resources.platforms.failures import Refused
from resources.platforms.port import Unreadable
from resources.platforms.x_answers import newest_id, read_posts

Fetch = Callable[[Mapping[str, str]], Mapping[str, Any]]
PAGE_SIZE = "100"
SEARCH_LAG = timedelta(seconds=30)


@dataclass(slots=True)
class Collected:
    """What the polls of several searches found so far, each post once.

    settled_at: what was written before is in X's search; a cursor does not move past it. None: all is.
    """

    settled_at: datetime | None = None
    posts: dict[str, Post] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    is_complete: bool = True

    def is_settled(self, post: Post) -> bool:
        """Whether nothing older than this post may still appear in the search."""
        return self.settled_at is None or post.created_at <= self.settled_at


def search_key(rule: ListeningRule) -> str:
    """Name of a rule's search in a cursor: the same for the same query, whatever its tag."""
    return f"rule:{sha256_hex(rule.x_query)[:12]}"


def poll_search(
    key: str, fetch: Fetch, cursor: MutableMapping[str, str], into: Collected, *, own: str, max_pages: int
) -> None:
    """Read one search from its cursor; cursor and collection are brought up to date page by page.

    Args:
        key: name of the search in the cursor.
        fetch: one page for ``since_id``, ``until_id`` and ``max_results``.
        cursor: changed in place, also when a page fails.
        into: changed in place.
        own: the account's handle; its own posts are left out.
        max_pages: bound of this poll; more is left to the next.
    """
    for _ in range(max_pages):
        body = fetch_page(key, fetch, cursor, into.gaps)
        posts, unreadable = read_posts(body)
        others = [post for post in posts if (post.author or "").lower() != own.lower()]
        into.posts.update((post.platform_post_id, post) for post in others)
        into.unreadable.extend(unreadable)
        top = newest_id(post for post in posts if into.is_settled(post))
        if top is not None and f"{key}.top" not in cursor:
            cursor[f"{key}.top"] = top
        meta = body.get("meta") or {}
        if not meta.get("next_token") or "oldest_id" not in meta:
            finish(key, cursor)
            return
        cursor[f"{key}.until"] = str(meta["oldest_id"])
    into.is_complete = False


def fetch_page(
    key: str, fetch: Fetch, cursor: MutableMapping[str, str], gaps: list[str]
) -> Mapping[str, Any]:
    """One page; bounds that X no longer takes (older than its search) are given up, and the gap is noted."""
    names = {"since_id": f"{key}.since", "until_id": f"{key}.until"}
    bounds = {name: cursor[place] for name, place in names.items() if place in cursor}
    try:
        return fetch({"max_results": PAGE_SIZE, **bounds})
    except Refused as refusal:
        too_old = [name for name in bounds if name in refusal.detail]
        if refusal.code != "invalid" or not too_old:
            raise
    gaps.append(f"{key}: not polled for longer than the seven days that X's search reaches back")
    for part in ("since", "until", "top"):
        cursor.pop(f"{key}.{part}", None)
    return fetch_page(key, fetch, cursor, gaps)


def finish(key: str, cursor: MutableMapping[str, str]) -> None:
    """The search reached its end: the next one starts above the newest post seen."""
    cursor.pop(f"{key}.until", None)
    top = cursor.pop(f"{key}.top", None)
    if top is not None:
        cursor[f"{key}.since"] = max(top, cursor.get(f"{key}.since", "0"), key=int)
