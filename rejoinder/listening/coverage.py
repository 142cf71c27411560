"""Up to which post a stream is surely stored: what a search after a gap starts from.

What belongs here: the reasoning about order and time, as values. Reading streams and searches is in resources.

A stream delivers posts in no strict order, so the newest post that was stored proves nothing about those just
before it. It does prove that whatever is older by more than the longest disorder has come. So the mark follows the
newest post at that distance; what lies between is read again after a gap, and known by its id.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rejoinder.listening.post import Post


@dataclass(slots=True)
class Watermark:
    """The highest id below which everything that a stream had to deliver is stored.

    disorder: how late a post may come behind newer ones.

    >>> from datetime import UTC
    >>> def at(second, number):
    ...     return Post("x", str(number), "text", datetime(2026, 11, 1, 12, 0, second, tzinfo=UTC))
    >>> mark = Watermark(timedelta(seconds=30))
    >>> mark.pass_by([at(0, 100), at(2, 102)]), mark.pass_by([at(31, 131), at(1, 101)]), mark.pass_by([at(32, 132)])
    (None, '101', '102')
    """

    disorder: timedelta
    _waiting: list[tuple[datetime, int]] = field(default_factory=list)
    _newest: datetime | None = None
    _mark: int = 0

    def pass_by(self, posts: Iterable[Post]) -> str | None:
        """Take in posts that are stored; the mark as it stands now, None before there is one.

        An edited post moves nothing: its id is that of the edit, its time may be that of the first version.
        """
        for post in posts:
            if post.earlier_ids:
                continue
            heapq.heappush(self._waiting, (post.created_at, int(post.platform_post_id)))
            self._newest = max(self._newest or post.created_at, post.created_at)
        while self._waiting and self._newest and self._waiting[0][0] <= self._newest - self.disorder:
            self._mark = max(self._mark, heapq.heappop(self._waiting)[1])
        return str(self._mark) if self._mark else None


def merged_cursor(
    stored: Mapping[str, str], before: Mapping[str, str], after: Mapping[str, str]
) -> dict[str, str]:
    """What a poll changed of a cursor, applied to the cursor as it is stored now.

    Args:
        stored: as it is now; a stream may have moved parts of it while the poll ran.
        before: as the poll began.
        after: as the poll left it.

    >>> merged_cursor({"a": "9", "b": "1", "b.until": "0"}, {"a": "5", "b": "1", "b.until": "0"}, {"a": "5", "b": "2"})
    {'a': '9', 'b': '2'}
    """
    gone = before.keys() - after.keys()
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    return {key: value for key, value in stored.items() if key not in gone} | changed
