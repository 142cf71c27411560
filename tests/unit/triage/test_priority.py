"""What to work on first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rejoinder.listening.post import Post
from rejoinder.triage.priority import priority, reach_of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
POST = Post("x", "1", "text", datetime(2013, 1, 1, tzinfo=UTC), author_followers=100)


def of(post=POST, *, relevance=0.5, heard_at=NOW, summoned=False):
    return priority(post, relevance=relevance, heard_at=heard_at, now=NOW, is_summoned=summoned)


@given(st.floats(0, 1), st.integers(0, 10**9), st.integers(0, 10**6))
def test_whoever_called_us_comes_first(relevance, followers, age_s):
    other = of(replace(POST, author_followers=followers), relevance=relevance)
    waiting = of(relevance=0.0, heard_at=NOW - timedelta(seconds=age_s), summoned=True)
    assert waiting >= other
    assert 0 <= other <= 1000


def test_relevance_reach_and_freshness_each_count():
    assert of(relevance=0.9) > of(relevance=0.4)
    assert of(replace(POST, author_followers=10_000)) > of()
    assert of() > of(heard_at=NOW - timedelta(hours=12))


def test_age_counts_from_when_a_post_was_heard():
    assert of(replace(POST, created_at=NOW)) == of()


def test_unknown_reach_counts_what_the_post_shows():
    unknown = replace(POST, author_followers=None, metrics={"score": 5, "num_comments": 2, "upvotes": 900})
    assert reach_of(unknown) == 7
    assert reach_of(replace(unknown, metrics={"score": -3})) == 0
