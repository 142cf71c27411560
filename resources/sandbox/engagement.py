"""Likes, replies, reposts, impressions and score that a published reply gathers.

A made-up but steady audience: the final values depend on the reply's id (by hash, so runs
repeat exactly) and on how popular the parent is; they are approached as
``1 - exp(-age / 12 h)``. It is a rehearsal, not a model of either platform.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import NamedTuple

from resources.sandbox.posts import SandboxPost

TIME_CONSTANT_S = 12 * 3600.0


class Gathered(NamedTuple):
    """Engagement at one moment."""

    likes: int
    replies: int
    reposts: int
    impressions: int


def engagement(reply_id: str, parent_metrics: Mapping[str, int], age_s: float) -> Gathered:
    """What a reply has gathered at an age.

    Args:
        reply_id: the platform's id of the reply; seeds its luck.
        parent_metrics: counts of the parent under the platform's names.
        age_s: seconds since the reply was published; negative counts as 0.

    >>> engagement("1", {"score": 100}, 0)
    Gathered(likes=0, replies=0, reposts=0, impressions=0)
    """
    reach = 1 - math.exp(-max(age_s, 0.0) / TIME_CONSTANT_S)
    audience = 60 + 90 * popularity(parent_metrics) * luck(reply_id, "audience")
    likes = audience * 0.06 * luck(reply_id, "likes")
    return Gathered(
        likes=int(likes * reach),
        replies=int(likes * 0.35 * luck(reply_id, "replies") * reach),
        reposts=int(likes * 0.2 * luck(reply_id, "reposts") * reach),
        impressions=int(audience * reach),
    )


def popularity(metrics: Mapping[str, int]) -> float:
    """Log-scaled attention a post has: 0 for none, about 8 for a front-page post."""
    return math.log1p(sum(max(count, 0) for count in metrics.values()))


def luck(reply_id: str, what: str) -> float:
    """A number in 0.5..1.5 that is always the same for the same reply and kind."""
    digest = hashlib.sha256(f"{reply_id}:{what}".encode()).digest()
    return 0.5 + int.from_bytes(digest[:4], "big") / 2**32


def gathered_by(reply: SandboxPost, parent: SandboxPost | None, now: float) -> Gathered:
    """Engagement of a stored reply at a simulated time."""
    metrics = parent.metrics if parent is not None else {}
    return engagement(reply.id, metrics, now - reply.created_at)
