"""What a reply was worth: one number out of one snapshot, with its parts.

The form, in four steps, each for a reason:

1. ``engagement = likes + 2 replies + 3 reposts``: an answer costs its writer more than a tap and
   says more, and a repost carries the reply to readers who did not see it. Per impression this is
   the engagement rate that the platforms themselves report (X: engagements / impressions).
2. Where a platform tells no impressions they are expected from the parent author's followers,
   as the platform's median times ``(followers / median) ** reach_exponent``. The exponent is under
   one because only part of a large following sees a thread.
3. Divided by what is usual on the platform for such a parent, so that replies compare across
   platforms and under small and large accounts: rates fall with the size of the audience, by
   ``rate_exponent``. Unknown followers count as the platform's median.
4. Counts of engagement have heavy tails; on a raw scale one lucky reply would outweigh a hundred
   steady ones (the log response of web analytics: Kohavi, Tang & Xu, "Trustworthy Online
   Controlled Experiments", 2020, ch. 18: transform or cap skewed metrics). ``log1p`` keeps none at 0;
   ``saturation`` times the usual rate is 1 and anything beyond it is cut off there.

The weights and exponents are defaults by judgement, not estimates: they are values passed in, logged
with the reward, and to be replaced where a platform's own data say better.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log1p, pow


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counts of a reply at one age.

    impressions is None where the platform does not tell. likes may be negative where it is a score
    (Reddit); it then counts as 0. cost_usd is all that the reply cost: models and platform calls.
    """

    likes: int
    replies: int
    reposts: int
    impressions: int | None = None
    cost_usd: float = 0.0

    def __post_init__(self) -> None:
        if min(self.replies, self.reposts, self.impressions or 0, self.cost_usd) < 0:
            raise ValueError(f"counts and costs are not negative: {self}")


@dataclass(frozen=True, slots=True)
class PlatformNorm:
    """What is usual on a platform: medians over replies of the same window, all > 0.

    median_rate is weighted engagement per impression (dimensionless); median_followers are those
    of the authors replied to; median_impressions those of a reply.
    """

    median_followers: float
    median_impressions: float
    median_rate: float

    def __post_init__(self) -> None:
        if min(self.median_followers, self.median_impressions, self.median_rate) <= 0:
            raise ValueError(f"medians are positive: {self}")


@dataclass(frozen=True, slots=True)
class RewardWeights:
    """The judgements in a reward; defaults as argued in this module's docstring.

    reply and repost are in likes; cost_per_usd is reward lost per dollar (a reply with a link
    for 0.20 USD loses 0.1); both exponents are in [0, 1].
    """

    like: float = 1.0
    reply: float = 2.0
    repost: float = 3.0
    reach_exponent: float = 0.5
    rate_exponent: float = 0.25
    saturation: float = 50.0
    cost_per_usd: float = 0.5

    def __post_init__(self) -> None:
        if min(self.like, self.reply, self.repost, self.cost_per_usd) < 0 or self.saturation <= 0:
            raise ValueError(f"weights are not negative and the saturation is positive: {self}")
        if not (0 <= self.reach_exponent <= 1 and 0 <= self.rate_exponent <= 1):
            raise ValueError(f"exponents lie between 0 and 1: {self}")


DEFAULT_WEIGHTS = RewardWeights()


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward and what it is made of.

    reward lies in [-cost_per_usd * cost_usd, 1]; engagement_rate is weighted engagement per
    impression, >= 0; components holds the parts by name, for the log.
    """

    reward: float
    engagement_rate: float
    components: Mapping[str, float] = field(default_factory=dict)


def reward(
    snapshot: Snapshot,
    norm: PlatformNorm,
    *,
    parent_followers: int | None,
    weights: RewardWeights = DEFAULT_WEIGHTS,
) -> Reward:
    """The reward of a reply by one snapshot: never falls with more engagement, never rises with cost.

    Args:
        snapshot: the counts; of one window for all replies that are compared.
        norm: what is usual on the reply's platform at that window.
        parent_followers: of the author replied to, >= 0; None if unknown: the platform's median.
        weights: the judgements; stored with the reward.

    >>> usual = PlatformNorm(median_followers=1_000, median_impressions=200, median_rate=0.02)
    >>> counts = Snapshot(likes=2, replies=1, reposts=0, impressions=200)
    >>> round(reward(counts, usual, parent_followers=1_000).reward, 3)
    0.176
    """
    size = _relative_size(parent_followers, norm)
    impressions = _impressions(snapshot, norm, size, weights)
    rate = _engagement(snapshot, weights) / impressions
    usual_rate = norm.median_rate * pow(size, -weights.rate_exponent)
    score = min(log1p(rate / usual_rate) / log1p(weights.saturation), 1.0)
    cost = weights.cost_per_usd * snapshot.cost_usd
    components = {
        "impressions": impressions,
        "is_impressions_expected": float(snapshot.impressions is None),
        "relative_rate": rate / usual_rate,
        "score": score,
        "cost": cost,
    }
    return Reward(score - cost, rate, components)


def _engagement(snapshot: Snapshot, weights: RewardWeights) -> float:
    likes = max(snapshot.likes, 0)
    return weights.like * likes + weights.reply * snapshot.replies + weights.repost * snapshot.reposts


def _relative_size(parent_followers: int | None, norm: PlatformNorm) -> float:
    if parent_followers is None:
        return 1.0
    # An author without followers still has readers where the thread stands.
    return max(parent_followers, 1) / norm.median_followers


def _impressions(snapshot: Snapshot, norm: PlatformNorm, size: float, weights: RewardWeights) -> float:
    if snapshot.impressions is not None:
        return max(float(snapshot.impressions), 1.0)
    return max(norm.median_impressions * pow(size, weights.reach_exponent), 1.0)
