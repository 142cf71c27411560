"""Which of the waiting posts to work on first.

What belongs here: one integer per post, from what is known about it. Claiming work belongs in
resources.store.
"""

import math
from datetime import datetime

from rejoinder.listening.post import Post

SUMMONED = 1000
RELEVANCE = 500
REACH = 300
FRESHNESS = 200
HALF_LIFE_S = 6 * 3600
FULL_REACH = 1_000_000


def priority(
    post: Post, *, relevance: float, heard_at: datetime, now: datetime, is_summoned: bool = False
) -> int:
    """Priority of a post, higher first, in [0, 2000].

    Summoned posts come before all others; then relevance (half of the rest), reach on a log scale up
    to a million followers (unknown reach counts as none), and how lately the post was *heard*: a post
    made years ago and heard now is new work. Freshness halves every six hours.

    Args:
        post: the post.
        relevance: probability or similarity, cut to [0, 1].
        heard_at: when we heard it, aware.
        now: the time to judge at, aware; before heard_at counts as equal.
        is_summoned: the author called us.
    """
    age_s = max(0.0, (now - heard_at).total_seconds())
    freshness = math.pow(0.5, age_s / HALF_LIFE_S)
    reach = min(1.0, math.log1p(reach_of(post)) / math.log1p(FULL_REACH))
    score = RELEVANCE * min(1.0, max(0.0, relevance)) + REACH * reach + FRESHNESS * freshness
    return round(score + SUMMONED * is_summoned)


def reach_of(post: Post) -> int:
    """People a reply may reach: the author's followers, else what the post's own counters show.

    Counters are taken as they come (score, likes, comments): an order of magnitude, no more.
    """
    if post.author_followers is not None:
        return max(0, post.author_followers)
    counted = ("score", "num_comments", "like_count", "reply_count", "repost_count", "retweet_count")
    return sum(max(0, post.metrics.get(name, 0)) for name in counted)
