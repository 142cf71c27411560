"""Polling X without gaps: one cursor per search, resumable in the middle of a long page run.

A search goes from the newest post back to ``since``. If it stops at its bound, ``top`` and
``until`` remember the newest post seen and how far down it got; the next poll goes on there and
only then moves ``since`` up. A quiet poll costs one request per rule.

X shows a post in its search some time after it was written, and not in order. So ``since`` never moves to a post
that is younger than `SEARCH_LAG`: what may still appear below it is asked for again. An edited post moves nothing: its
id is that of the edit, and X does not say whether its time is.

``at`` is the time up to which a search has read everything. It bounds a search that has no ``since``: one that is new,
or that found nothing for so long that X does not take its ``since`` any more. A search that stopped longer ago than
X's search reaches (seven days) has missed posts, and that is told as a gap.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from textwrap import shorten
from typing import Any, NamedTuple

from rejoinder.ids import sha256_hex
from rejoinder.listening.post import Post
from rejoinder.listening.rules import ListeningRule
from resources.platforms.failures import Refused
from resources.platforms.port import RefusedRule, Unreadable
from resources.platforms.x_answers import newest_id, read_posts

Fetch = Callable[[Mapping[str, str]], Mapping[str, Any]]
PAGE_SIZE = "100"
SHOWN = 60  # characters of a query in a message
SEARCH_LAG = timedelta(seconds=30)
# Clocks differ. Where nothing was found so long, reading it again costs nothing.
MARGIN = timedelta(minutes=10)
TIME = "%Y-%m-%dT%H:%M:%SZ"
PARTS = ("since", "until", "top", "at")


class Gap(NamedTuple):
    """A search, by its key, that has missed posts, and why."""

    key: str
    reason: str


@dataclass(slots=True)
class Collected:
    """What the polls of several searches found so far, each post once.

    settled_at: what was written before is in X's search; a cursor does not move past it. None: all is.
    refused: searches, by their keys, whose query X cannot read, and its words.
    """

    settled_at: datetime | None = None
    posts: dict[str, Post] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    is_complete: bool = True

    def is_settled(self, post: Post) -> bool:
        """Whether nothing older than this post may still appear in the search."""
        if post.earlier_ids:
            return False
        return self.settled_at is None or post.created_at <= self.settled_at


def search_key(rule: ListeningRule) -> str:
    """Name of a rule's search in a cursor: the same for the same query, whatever its tag."""
    return f"rule:{sha256_hex(rule.x_query)[:12]}"


def in_words(gaps: Sequence[Gap], rules: Sequence[ListeningRule]) -> tuple[str, ...]:
    """Sentences about gaps that name a search by what it looks for."""
    queries = {search_key(rule): f"the search for {shorten(rule.x_query, SHOWN)}" for rule in rules}
    return tuple(f"{queries.get(gap.key, gap.key)}: {gap.reason}" for gap in gaps)


def refused_among(rules: Sequence[ListeningRule], refused: Mapping[str, str]) -> tuple[RefusedRule, ...]:
    """The rules whose searches X refused, by the keys of the searches."""
    return tuple(
        RefusedRule(rule, refused[search_key(rule)]) for rule in rules if search_key(rule) in refused
    )


def begin_at(key: str, cursor: MutableMapping[str, str], earliest: datetime) -> None:
    """Let a search that never ran begin at this time; one that ran stays as it is."""
    if not any(f"{key}.{part}" in cursor for part in PARTS):
        cursor[f"{key}.at"] = earliest.strftime(TIME)


def poll_search(
    key: str, fetch: Fetch, cursor: MutableMapping[str, str], into: Collected, *, own: str, max_pages: int
) -> None:
    """Read one search from its cursor; cursor and collection are brought up to date page by page.

    One whose query X cannot read is noted in the collection, so that it keeps no other search from being read.

    Args:
        key: name of the search in the cursor.
        fetch: one page for ``since_id``, ``until_id``, ``start_time``, ``next_token`` and ``max_results``.
        cursor: changed in place, also when a page fails.
        into: changed in place.
        own: the account's handle; its own posts are left out.
        max_pages: bound of this poll; more is left to the next.
    """
    read_to = None if f"{key}.until" in cursor else into.settled_at
    token: str | None = None
    for _ in range(max_pages):
        try:
            body = fetch_page(key, fetch, cursor, into.gaps, token)
        except Refused as refusal:
            if refusal.code != "invalid" or "query" not in refusal.parameters:
                raise
            into.refused[key] = refusal.detail
            return
        posts, unreadable = read_posts(body)
        others = [post for post in posts if (post.author or "").lower() != own.lower()]
        into.posts.update((post.platform_post_id, post) for post in others)
        into.unreadable.extend(unreadable)
        top = newest_id(post for post in posts if into.is_settled(post))
        if top is not None and f"{key}.top" not in cursor:
            cursor[f"{key}.top"] = top
        meta = body.get("meta") or {}
        token = meta.get("next_token")
        if not token or is_beyond(key, cursor, posts):
            finish(key, cursor, read_to)
            return
        if "oldest_id" in meta:
            cursor[f"{key}.until"], token = str(meta["oldest_id"]), None
    into.is_complete = False


def is_beyond(key: str, cursor: Mapping[str, str], posts: Sequence[Post]) -> bool:
    """Whether a search that is bounded by time alone has gone back far enough."""
    if f"{key}.since" in cursor or f"{key}.at" not in cursor or not posts:
        return False
    earliest = datetime.strptime(cursor[f"{key}.at"], TIME).replace(tzinfo=UTC)
    return min(post.created_at for post in posts) < earliest


def fetch_page(
    key: str, fetch: Fetch, cursor: MutableMapping[str, str], gaps: list[Gap], token: str | None = None
) -> Mapping[str, Any]:
    """One page; bounds that X no longer takes (older than its search) are given up, and the gap is noted.

    token goes on behind a page that names no post, though there are more: X leaves out what it may not show.
    """
    bounds = bounds_of(key, cursor)
    try:
        return fetch({"max_results": PAGE_SIZE, **bounds, **({"next_token": token} if token else {})})
    except Refused as refusal:
        too_old = [name for name in bounds if name in refusal.detail]
        if refusal.code != "invalid" or not too_old:
            raise
    if too_old == ["since_id"] and "until_id" not in bounds and f"{key}.at" in cursor:
        # Nothing was found for a week, but it was looked for: no gap.
        del cursor[f"{key}.since"]
    else:
        gaps.append(Gap(key, "not polled for longer than the seven days that X's search reaches back"))
        for part in PARTS:
            cursor.pop(f"{key}.{part}", None)
    return fetch_page(key, fetch, cursor, gaps)


def bounds_of(key: str, cursor: Mapping[str, str]) -> dict[str, str]:
    """What a search asks for next; times and ids are never mixed."""
    names = {"since_id": f"{key}.since", "until_id": f"{key}.until"}
    bounds = {name: cursor[place] for name, place in names.items() if place in cursor}
    if not bounds and f"{key}.at" in cursor:
        return {"start_time": cursor[f"{key}.at"]}
    return bounds


def finish(key: str, cursor: MutableMapping[str, str], read_to: datetime | None = None) -> None:
    """The search reached its end: the next one starts above the newest post seen.

    Args:
        key: name of the search in the cursor.
        cursor: changed in place.
        read_to: the search began and ended now, and has read what was written before this time.
    """
    cursor.pop(f"{key}.until", None)
    top = cursor.pop(f"{key}.top", None)
    if top is not None:
        cursor[f"{key}.since"] = max(top, cursor.get(f"{key}.since", "0"), key=int)
    if read_to is not None:
        cursor[f"{key}.at"] = max((read_to - MARGIN).strftime(TIME), cursor.get(f"{key}.at", ""))
