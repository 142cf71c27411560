"""Rewards: their range, their directions, and what makes replies comparable."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.engagement.rewards import (
    PlatformNorm,
    RewardWeights,
    Snapshot,
    left_of_conversation,
    reward,
)

NORM = PlatformNorm(median_followers=1_000, median_impressions=200, median_rate=0.02, conversion_rate=0.001)
COUNTS = st.integers(0, 10**9)
FOLLOWERS = st.none() | st.integers(0, 10**9)
AGES = st.none() | st.floats(-60, 1e8)
SNAPSHOTS = st.builds(
    Snapshot,
    likes=st.integers(-1_000, 10**9),
    replies=COUNTS,
    reposts=COUNTS,
    impressions=st.none() | COUNTS,
    cost_usd=st.floats(0, 100),
    conversions=st.none() | COUNTS,
    parent_followers=FOLLOWERS,
    parent_age_s=AGES,
)
NORMS = st.builds(
    PlatformNorm,
    st.floats(1, 1e8),
    st.floats(1, 1e8),
    st.floats(1e-6, 1),
    st.floats(1, 1e7),
    st.floats(1, 1e6),
    st.just(0.0) | st.floats(1e-6, 1),
)
SHARES = st.floats(0, 1)
WEIGHTS = st.builds(
    RewardWeights,
    engagement=st.floats(0, 10),
    growth=st.floats(0, 10),
    conversion=st.floats(0, 10),
    cost=st.floats(0, 10),
    like=st.floats(0, 10),
    reply=st.floats(0, 10),
    repost=st.floats(0, 10),
    budget_unit_usd=st.floats(0.01, 1e3),
    reach_exponent=SHARES,
    rate_exponent=SHARES,
    rate_age_exponent=SHARES,
    prior_impressions=st.floats(1, 1e4),
    prior_views=st.floats(1, 1e5),
    bound=st.floats(0.1, 10),
)


def worth(snapshot: Snapshot, norm: PlatformNorm = NORM) -> float:
    return reward(snapshot, norm).reward


@given(SNAPSHOTS, NORMS, WEIGHTS)
def test_each_term_stays_within_its_bound_and_they_add_up(
    snapshot: Snapshot, norm: PlatformNorm, weights: RewardWeights
) -> None:
    result = reward(snapshot, norm, weights)
    for term in (result.engagement, result.growth or 0.0, result.conversion or 0.0):
        assert -weights.bound <= term <= weights.bound
    assert 0 <= result.cost <= weights.bound and result.engagement_rate >= 0
    assert all(math.isfinite(part) for part in result.components.values())
    assert result.reward == pytest.approx(
        weights.engagement * result.engagement
        + weights.growth * (result.growth or 0)
        + weights.conversion * (result.conversion or 0)
        - weights.cost * result.cost
    )


@given(SNAPSHOTS, NORMS, WEIGHTS, st.sampled_from(["likes", "replies", "reposts"]), st.integers(0, 10**6))
def test_more_engagement_is_never_worth_less(
    snapshot: Snapshot, norm: PlatformNorm, weights: RewardWeights, count: str, more: int
) -> None:
    raised = replace(snapshot, **{count: getattr(snapshot, count) + more})
    assert reward(raised, norm, weights).reward >= reward(snapshot, norm, weights).reward - 1e-9


@given(SNAPSHOTS.filter(lambda one: one.conversions is not None), NORMS, WEIGHTS, st.integers(0, 10**6))
def test_more_conversions_are_never_worth_less(
    snapshot: Snapshot, norm: PlatformNorm, weights: RewardWeights, more: int
) -> None:
    raised = replace(snapshot, conversions=(snapshot.conversions or 0) + more)
    assert reward(raised, norm, weights).reward >= reward(snapshot, norm, weights).reward - 1e-9


@given(SNAPSHOTS, NORMS, WEIGHTS, st.floats(0, 100))
def test_cost_never_pays(snapshot: Snapshot, norm: PlatformNorm, weights: RewardWeights, more: float) -> None:
    dearer = replace(snapshot, cost_usd=snapshot.cost_usd + more)
    assert reward(dearer, norm, weights).reward <= reward(snapshot, norm, weights).reward + 1e-9


@given(SNAPSHOTS.filter(lambda one: one.impressions is not None), NORMS, st.integers(0, 10**6))
def test_more_readers_for_the_same_engagement_are_no_better_engagement_and_more_reach(
    snapshot: Snapshot, norm: PlatformNorm, more: int
) -> None:
    wider = replace(snapshot, impressions=(snapshot.impressions or 0) + more)
    before, after = reward(snapshot, norm), reward(wider, norm)
    assert after.engagement <= before.engagement + 1e-9 and after.growth >= before.growth  # type: ignore[operator]


@given(SNAPSHOTS, NORMS)
def test_unknown_followers_and_ages_are_the_median(snapshot: Snapshot, norm: PlatformNorm) -> None:
    norm = replace(norm, median_followers=float(round(norm.median_followers)))
    unknown = replace(snapshot, parent_followers=None, parent_age_s=None)
    usual = replace(snapshot, parent_followers=int(norm.median_followers), parent_age_s=norm.median_age_s)
    assert worth(unknown, norm) == pytest.approx(worth(usual, norm))


def test_one_more_like_counts_below_the_bound() -> None:
    """Never falling is not enough: a constant would pass that."""
    likes = [worth(Snapshot(n, 0, 0, 1_000)) for n in range(50)]
    assert likes == sorted(set(likes))


def test_a_reply_outweighs_a_like_and_a_repost_a_reply() -> None:
    nothing, like, reply, repost = (
        worth(Snapshot(*counts, 200)) for counts in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    )
    assert nothing < like < reply < repost


def test_the_usual_is_worth_nothing_on_every_platform() -> None:
    quiet = PlatformNorm(median_followers=50, median_impressions=20, median_rate=0.1)
    assert worth(Snapshot(4, 0, 0, 200)) == pytest.approx(0)
    assert worth(Snapshot(2, 0, 0, 20), quiet) == pytest.approx(0)


def test_two_likes_on_three_impressions_are_no_wonder() -> None:
    few, many = (reward(Snapshot(n, 0, 0, seen), NORM) for n, seen in ((2, 3), (200, 300)))
    assert few.engagement_rate == many.engagement_rate
    assert 0 < few.engagement < many.engagement / 3


def test_under_a_larger_account_the_same_rate_is_worth_more_and_the_same_likes_unseen_less() -> None:
    seen = [worth(Snapshot(10, 0, 0, 200, parent_followers=n)) for n in (100, 1_000_000)]
    unseen = [worth(Snapshot(10, 0, 0, None, parent_followers=n)) for n in (100, 1_000_000)]
    assert seen[0] < seen[1] and unseen[0] > unseen[1]


def test_late_in_a_conversation_the_same_is_worth_more() -> None:
    early, late = (worth(Snapshot(8, 0, 0, 200, parent_age_s=age_s)) for age_s in (60, 86_400))
    assert early < late
    early, late = (worth(Snapshot(8, 0, 0, None, parent_age_s=age_s)) for age_s in (60, 86_400))
    assert early < late


def test_of_a_conversation_half_is_over_after_its_half_life_and_nearly_nine_tenths_after_a_month() -> None:
    assert left_of_conversation(14_400, 14_400) == pytest.approx(0.5)
    assert left_of_conversation(86_400, 3_600) == pytest.approx(0.25, abs=0.002)
    assert left_of_conversation(30 * 86_400, 3_600) == pytest.approx(0.12, abs=0.005)
    assert left_of_conversation(-5, 3_600) == 1


def test_a_reply_without_a_link_is_not_held_to_conversions() -> None:
    without, none, some = (Snapshot(4, 0, 0, 200, conversions=n) for n in (None, 0, 2))
    assert reward(without, NORM).conversion is None
    assert reward(none, NORM).conversion < 0 < reward(some, NORM).conversion  # type: ignore[operator]
    assert reward(some, replace(NORM, conversion_rate=0.0)).conversion is None


def test_a_score_below_zero_counts_as_no_likes() -> None:
    assert worth(Snapshot(-7, 1, 0)) == worth(Snapshot(0, 1, 0))


@pytest.mark.parametrize(
    "counts",
    [{"replies": -1}, {"reposts": -1}, {"impressions": -1}, {"cost_usd": -0.1}, {"conversions": -1}],
)
def test_negative_counts_are_refused(counts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not negative"):
        Snapshot(**{"likes": 0, "replies": 0, "reposts": 0, **counts})  # type: ignore[arg-type]


@pytest.mark.parametrize("median", ["median_followers", "median_impressions", "median_rate", "half_life_s"])
def test_a_norm_of_nothing_is_refused(median: str) -> None:
    with pytest.raises(ValueError, match="positive"):
        replace(NORM, **{median: 0})


@pytest.mark.parametrize(
    "weights", [{"like": -1}, {"bound": 0}, {"cost": -1}, {"reach_exponent": 1.1}, {"rate_exponent": -0.1}]
)
def test_weights_out_of_range_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"weights|exponents"):
        RewardWeights(**weights)
