"""Polling listings without gaps: back from the newest thing to where the last poll began.

The cursor holds the newest creation time read and the names seen last. A poll pages
back past that time by an overlap, as Reddit lists some things late, and passes over the names it
has seen, the last thousand. Reddit lists at most 1,000 things: where more appeared since the last poll, what lies
between is told as a gap.
"""

import json
import logging
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

from rejoinder.listening.post import Post
from resources.platforms.failures import PlatformFailure, RateLimited, Refused
from resources.platforms.port import Heard, Unreadable
from resources.platforms.reddit_answers import read_listing, read_posts

log = logging.getLogger(__name__)
Fetch = Callable[[Mapping[str, str]], Any]
OVERLAP_S = 900.0
PAGE_SIZE = 100
PAGES = 10
MOST_SEEN = 1000
# A full listing may lack the few things that were removed from it.
FULL_LISTING = 900
ANCHORS = 3


class Listing(NamedTuple):
    """Something to poll: its key in the cursor, its name for people, and how a page of it is fetched."""

    key: str
    name: str
    fetch: Fetch


def poll_listings(listings: Sequence[Listing], cursor: Mapping[str, str], account: str) -> Heard:
    """Poll each, a failing one beside the others; what the account wrote itself is left out.

    A limit that is met on the way ends the poll with what was heard; the next one goes on.

    Raises:
        RateLimited: before anything was heard.
        PlatformFailure: the platform does not answer.
    """
    progress, is_complete = dict(cursor), True
    posts: dict[str, Post] = {}
    unreadable: list[Unreadable] = []
    gaps: list[str] = []
    for listing in listings:
        try:
            found, broken = poll_listing(listing, progress, gaps)
        except Refused as failure:
            found, broken = [], [listing_problem(listing.name, failure)]
        except RateLimited:
            if not posts:
                raise
            is_complete = False
            break
        posts.update((post.platform_post_id, post) for post in found if not _is_by(post, account))
        unreadable += broken
    in_order = sorted(posts.values(), key=lambda post: (post.created_at, post.platform_post_id))
    return Heard(tuple(in_order), progress, tuple(unreadable), is_complete, tuple(gaps))


def _is_by(post: Post, account: str) -> bool:
    return (post.author or "").lower() == account.lower()


def poll_listing(
    listing: Listing, cursor: MutableMapping[str, str], gaps: list[str]
) -> tuple[list[Post], list[Unreadable]]:
    """New things of a listing.

    Args:
        listing: what to poll.
        cursor: the poll's cursor, brought up to date in place at the end; a failure leaves it as it was.
        gaps: a sentence is added where things were lost between two polls.
    """
    key = listing.key
    newest = float(cursor.get(f"{key}.newest", "-inf"))
    seen: list[str] = json.loads(cursor.get(f"{key}.seen", "[]"))
    items = read_back_to(listing.fetch, newest - OVERLAP_S, set(seen))
    times = {name_of(item): at for item in items if (at := created(item)) is not None}
    if len(items) >= FULL_LISTING and newest > 0 and min(times.values()) > newest:
        log.warning("%s: more appeared since the last poll than Reddit lists", listing.name)
        gaps.append(f"{listing.name}: more appeared since the last poll than Reddit lists; poll more often")
    known = set(seen)
    posts, unreadable = read_posts([item for item in items if name_of(item) not in known])
    if times:
        newest = max(newest, *times.values())
        recent = sorted(times, key=lambda name: times[name])
        cursor[f"{key}.newest"] = repr(newest)
        cursor[f"{key}.seen"] = json.dumps([*(n for n in seen if n not in times), *recent][-MOST_SEEN:])
    return posts, unreadable


def read_back_to(fetch: Fetch, oldest: float, seen: set[str]) -> list[dict[str, Any]]:
    """Things not older than a time, newest first; each once, as pages shift while they are read.

    Ends early at a whole page of what was seen before.
    """
    found: dict[str, dict[str, Any]] = {}
    items, after = next_page(fetch, [])
    for _ in range(PAGES - 1):
        found.update((name_of(item), item) for item in items if is_since(item, oldest))
        if (
            after is None
            or not items
            or seen.issuperset(map(name_of, items))
            or not is_since(items[-1], oldest)
        ):
            return list(found.values())
        items, after = next_page(fetch, [after, *map(name_of, reversed(items[:-1]))])
    found.update((name_of(item), item) for item in items if is_since(item, oldest))
    return list(found.values())


def next_page(fetch: Fetch, anchors: Sequence[str]) -> tuple[list[dict[str, Any]], str | None]:
    """The page after the first of these names that the listing still knows; the first page for none.

    After a name that was removed meanwhile Reddit lists nothing.
    """
    items, after = read_listing(fetch(page_bounds(anchors[0] if anchors else None)))
    for anchor in anchors[1:ANCHORS]:
        if items:
            break
        items, after = read_listing(fetch(page_bounds(anchor)))
    return items, after


def page_bounds(after: str | None) -> dict[str, str]:
    """What asks for a page."""
    return {"limit": str(PAGE_SIZE), **({"after": after} if after else {})}


def name_of(item: Mapping[str, Any]) -> str:
    """The full name of a thing."""
    return str(item.get("name"))


def created(item: Mapping[str, Any]) -> float | None:
    """Unix seconds of a thing; None where it does not tell."""
    at = item.get("created_utc")
    return float(at) if isinstance(at, int | float) else None


def is_since(item: Mapping[str, Any], oldest: float) -> bool:
    """Whether a thing is not older than a time; one that does not tell is looked at."""
    at = created(item)
    return at is None or at >= oldest


def listing_problem(name: str, failure: PlatformFailure) -> Unreadable:
    """A listing that cannot be read (private, banned, misspelt) does not stop the others."""
    return Unreadable(name, "", f"the community cannot be read: {failure}")
