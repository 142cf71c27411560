"""Rewards: their range, their directions, and what makes replies comparable."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.engagement.rewards import PlatformNorm, RewardWeights, Snapshot, reward

NORM = PlatformNorm(median_followers=1_000, median_impressions=200, median_rate=0.02)
COUNTS = st.integers(0, 10**9)
SNAPSHOTS = st.builds(
    Snapshot, st.integers(-1_000, 10**9), COUNTS, COUNTS, st.none() | COUNTS, st.floats(0, 100)
)
NORMS = st.builds(PlatformNorm, st.floats(1, 1e8), st.floats(1, 1e8), st.floats(1e-6, 1))
FOLLOWERS = st.none() | st.integers(0, 10**9)
WEIGHTS = st.builds(
    RewardWeights,
    like=st.floats(0, 10),
    reply=st.floats(0, 10),
    repost=st.floats(0, 10),
    reach_exponent=st.floats(0, 1),
    rate_exponent=st.floats(0, 1),
    saturation=st.floats(0.1, 1e4),
    cost_per_usd=st.floats(0, 10),
)


def value(snapshot: Snapshot, followers: int | None = None, norm: PlatformNorm = NORM) -> float:
    return reward(snapshot, norm, parent_followers=followers).reward


@given(SNAPSHOTS, NORMS, FOLLOWERS, WEIGHTS)
def test_the_range_is_as_documented(
    snapshot: Snapshot, norm: PlatformNorm, followers: int | None, weights: RewardWeights
) -> None:
    result = reward(snapshot, norm, parent_followers=followers, weights=weights)
    assert -weights.cost_per_usd * snapshot.cost_usd <= result.reward <= 1
    assert result.engagement_rate >= 0
    assert all(math.isfinite(part) for part in result.components.values())
    assert result.reward == result.components["score"] - result.components["cost"]


@given(
    SNAPSHOTS,
    NORMS,
    FOLLOWERS,
    WEIGHTS,
    st.sampled_from(["likes", "replies", "reposts"]),
    st.integers(0, 10**6),
)
def test_more_engagement_is_never_worth_less(
    snapshot: Snapshot,
    norm: PlatformNorm,
    followers: int | None,
    weights: RewardWeights,
    count: str,
    more: int,
) -> None:
    raised = replace(snapshot, **{count: getattr(snapshot, count) + more})
    before = reward(snapshot, norm, parent_followers=followers, weights=weights)
    assert reward(raised, norm, parent_followers=followers, weights=weights).reward >= before.reward


@given(SNAPSHOTS, NORMS, FOLLOWERS, st.floats(0, 100))
def test_cost_never_pays(snapshot: Snapshot, norm: PlatformNorm, followers: int | None, more: float) -> None:
    dearer = replace(snapshot, cost_usd=snapshot.cost_usd + more)
    assert value(dearer, followers, norm) <= value(snapshot, followers, norm)


@given(st.builds(Snapshot, COUNTS, COUNTS, COUNTS, COUNTS), st.integers(0, 10**6), FOLLOWERS)
def test_more_readers_for_the_same_engagement_is_worth_no_more(
    snapshot: Snapshot, more: int, followers: int | None
) -> None:
    assert snapshot.impressions is not None
    wider = replace(snapshot, impressions=snapshot.impressions + more)
    assert value(wider, followers) <= value(snapshot, followers)


@given(SNAPSHOTS, NORMS)
def test_unknown_followers_are_the_median(snapshot: Snapshot, norm: PlatformNorm) -> None:
    norm = replace(norm, median_followers=float(round(norm.median_followers)))
    assert value(snapshot, None, norm) == value(snapshot, int(norm.median_followers), norm)


def test_one_more_like_counts_below_the_cut() -> None:
    """Never falling is not enough: a constant would pass that."""
    likes = [value(Snapshot(n, 0, 0, 1_000)) for n in range(50)]
    assert likes == sorted(set(likes))


def test_a_reply_outweighs_a_like_and_a_repost_a_reply() -> None:
    like, reply, repost = (value(Snapshot(*counts, 200)) for counts in ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    assert 0 < like < reply < repost


def test_nothing_is_worth_nothing_and_the_usual_the_same_on_every_platform() -> None:
    quiet = PlatformNorm(median_followers=50, median_impressions=20, median_rate=0.1)
    assert value(Snapshot(0, 0, 0, 500)) == 0
    assert value(Snapshot(4, 0, 0, 200)) == pytest.approx(value(Snapshot(2, 0, 0, 20), norm=quiet))


def test_many_times_the_usual_is_cut_off_at_one() -> None:
    assert value(Snapshot(200, 0, 0, 200)) == pytest.approx(1)
    assert value(Snapshot(200_000, 0, 0, 200)) == 1


def test_without_impressions_the_same_likes_under_a_larger_account_are_worth_less() -> None:
    few, many = (value(Snapshot(10, 0, 0, None), followers) for followers in (100, 1_000_000))
    assert few > many > 0
    assert value(Snapshot(10, 0, 0, None)) == value(Snapshot(10, 0, 0, 200))


def test_the_same_rate_under_a_larger_account_is_worth_more() -> None:
    few, many = (value(Snapshot(10, 0, 0, 200), followers) for followers in (100, 1_000_000))
    assert few < many


def test_a_score_below_zero_counts_as_no_likes() -> None:
    assert value(Snapshot(-7, 1, 0)) == value(Snapshot(0, 1, 0))


@pytest.mark.parametrize(
    "counts",
    [{"replies": -1}, {"reposts": -1}, {"impressions": -1}, {"cost_usd": -0.1}],
)
def test_negative_counts_are_refused(counts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not negative"):
        Snapshot(**{"likes": 0, "replies": 0, "reposts": 0, **counts})  # type: ignore[arg-type]


@pytest.mark.parametrize("median", ["median_followers", "median_impressions", "median_rate"])
def test_a_norm_of_nothing_is_refused(median: str) -> None:
    with pytest.raises(ValueError, match="positive"):
        replace(NORM, **{median: 0})


@pytest.mark.parametrize(
    "weights", [{"like": -1}, {"saturation": 0}, {"reach_exponent": 1.1}, {"rate_exponent": -0.1}]
)
def test_weights_out_of_range_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"weights|exponents"):
        RewardWeights(**weights)
