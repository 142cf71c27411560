"""Polling a community without gaps: back from the newest submission to where the last poll began.

The cursor holds the newest creation time read and the names seen shortly before it. A poll pages
back past that time by an overlap, as Reddit lists some submissions late, and passes over the
names it has seen. Reddit lists at most 1,000 submissions of a community.
"""

import json
import logging
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from rejoinder.listening.post import Post
from resources.platforms.failures import PlatformFailure
from resources.platforms.port import Unreadable
from resources.platforms.reddit_answers import read_listing, read_posts

log = logging.getLogger(__name__)
Fetch = Callable[[Mapping[str, str]], Any]
OVERLAP_S = 900.0
PAGE_SIZE = 100
PAGES = 10
MOST_SEEN = 300


def poll_community(
    name: str, fetch: Fetch, cursor: MutableMapping[str, str]
) -> tuple[list[Post], list[Unreadable]]:
    """New submissions of a community; the cursor is brought up to date in place at the end.

    Args:
        name: the community, without ``r/``.
        fetch: one page of its ``/new``, for ``limit`` and ``after``.
        cursor: the poll's cursor; a failure leaves it as it was.
    """
    key = name.lower()
    newest = float(cursor.get(f"{key}.newest", "-inf"))
    seen = set(json.loads(cursor.get(f"{key}.seen", "[]")))
    items = read_back_to(fetch, newest - OVERLAP_S)
    posts, unreadable = read_posts([item for item in items if item.get("name") not in seen])
    times = {str(item.get("name")): created(item) for item in items}
    if times:
        newest = max(newest, *times.values())
        recent = [found for found, at in times.items() if at >= newest - OVERLAP_S]
        cursor[f"{key}.newest"] = repr(newest)
        cursor[f"{key}.seen"] = json.dumps(recent[:MOST_SEEN])
    return posts, unreadable


def read_back_to(fetch: Fetch, oldest: float) -> list[dict[str, Any]]:
    """Submissions not older than a time, newest first; each once, as pages shift while they are read."""
    found: dict[str, dict[str, Any]] = {}
    after: str | None = None
    for _ in range(PAGES):
        bounds = {"limit": str(PAGE_SIZE), **({"after": after} if after else {})}
        items, after = read_listing(fetch(bounds))
        found.update((str(item.get("name")), item) for item in items if created(item) >= oldest)
        if after is None or (items and created(items[-1]) < oldest):
            break
    if len(found) >= PAGES * PAGE_SIZE and oldest > 0:
        log.warning("more submissions appeared since the last poll than Reddit lists: poll more often")
    return list(found.values())


def created(item: Mapping[str, Any]) -> float:
    """Unix seconds of a thing; one that does not tell counts as new, so that it is looked at."""
    at = item.get("created_utc")
    return float(at) if isinstance(at, int | float) else 0.0


def community_problem(name: str, failure: PlatformFailure) -> Unreadable:
    """A community that cannot be read (private, banned, misspelt) does not stop the others."""
    return Unreadable(f"r/{name}", "", f"the community cannot be read: {failure}")
