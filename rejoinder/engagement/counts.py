"""Counts of a reply that went out in several parts: what is added up, and what is counted once.

What belongs here: how the platform's counts of parts become those of the whole reply.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class PartCounts:
    """What a platform says of one part; all >= 0 but likes, which is a score on some platforms.

    None where the platform does not tell. is_gone: it shows the part no more.
    """

    impressions: int | None
    likes: int
    replies: int
    reposts: int
    link_clicks: int | None = None
    profile_clicks: int | None = None
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class ReplyCounts:
    """Counts of a whole reply; is_gone: its first part is, without which nobody comes to the others."""

    impressions: int | None
    likes: int
    replies: int
    reposts: int
    link_clicks: int | None
    profile_clicks: int | None
    is_gone: bool
    n_parts: int
    n_parts_gone: int


def whole(parts: Sequence[PartCounts]) -> ReplyCounts:
    """The counts of a reply out of those of its parts, the first one first; at least one.

    Likes, replies, reposts and clicks are added up: they are deeds, and each was done to one part. Impressions are
    those of the first part, since whoever reads on is the same reader again. Each part that another one of ours
    follows has that one among its replies, which is nobody's answer and is taken off. What is gone counts nothing.

    >>> first, second = PartCounts(100, 3, 2, 0), PartCounts(40, 1, 0, 1)
    >>> together = whole([first, second])
    >>> together.impressions, together.likes, together.replies, together.reposts
    (100, 4, 1, 1)
    """
    standing = [part for part in parts if not part.is_gone]
    own = sum(not (one.is_gone or after.is_gone) for one, after in pairwise(parts))
    return ReplyCounts(
        impressions=parts[0].impressions,
        likes=sum(part.likes for part in standing),
        replies=max(sum(part.replies for part in standing) - own, 0),
        reposts=sum(part.reposts for part in standing),
        link_clicks=_told([part.link_clicks for part in standing]),
        profile_clicks=_told([part.profile_clicks for part in standing]),
        is_gone=parts[0].is_gone,
        n_parts=len(parts),
        n_parts_gone=len(parts) - len(standing),
    )


def _told(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
