"""What X charges for reads: the meter is asked before a call, and told what the answer held.

X charges every resource that it returns: posts, the posts beside them that an expansion brings (quoted ones, those
answered), and people. A page may bring as many of these beside it as it has posts, so it is asked for twice; where
the budget has not that much left, the smallest page that X gives is asked for.

Source: docs.x.com, x-api/getting-started/pricing (read 2026-11).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from resources.platforms.failures import SpendStopped
from resources.platforms.port import Meter

SMALLEST_PAGE = 10
# A post may bring one post beside it and the author of each.
BESIDE = 2


@dataclass(frozen=True, slots=True)
class Toll:
    """The meter as reads of X need it."""

    meter: Meter

    def page(self, size: int) -> int:
        """The size of the next page, at most this one.

        Raises:
            SpendStopped: the budget has not even the smallest page left.
        """
        for smaller in sorted({size, min(size, SMALLEST_PAGE)}, reverse=True):
            try:
                self.posts(smaller)
            except SpendStopped:
                if smaller <= SMALLEST_PAGE:
                    raise
            else:
                return smaller
        return size

    def posts(self, n_posts: int) -> None:
        """Let a read of so many posts of others pass.

        Raises:
            SpendStopped: the budget has not that much left.
        """
        self.meter.allow("post_read", n_posts * BESIDE)
        try:
            self.meter.allow("user_read", n_posts * BESIDE)
        except SpendStopped:
            self.meter.count("post_read", ())
            raise

    def note(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        """Tell what answers held: each resource once, however often it stands there."""
        posts: dict[str, None] = {}
        people: dict[str, None] = {}
        for body in bodies:
            data, includes = body.get("data") or [], body.get("includes") or {}
            posts |= _ids(data if isinstance(data, list) else [data])
            posts |= _ids(includes.get("tweets") or [])
            people |= _ids(includes.get("users") or [])
        if posts:
            self.meter.count("post_read", list(posts))
        if people:
            self.meter.count("user_read", list(people))

    def note_page(self, body: Mapping[str, Any]) -> None:
        """Tell what the one answer of a call held, and that no more of it comes."""
        self.note([body])
        self.meter.count("post_read", ())
        self.meter.count("user_read", ())

    def note_own(self, ids: Iterable[str]) -> None:
        """Tell of reads of the account's own data."""
        found = list(dict.fromkeys(ids))
        if found:
            self.meter.count("own_read", found)


def _ids(items: Iterable[Any]) -> dict[str, None]:
    return {str(item["id"]): None for item in items if isinstance(item, dict) and "id" in item}
