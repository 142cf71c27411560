"""What a reply was worth: engagement, reach, conversions and cost, each as a term of its own and their weighted sum.

``reward = w1 engagement + w2 growth + w3 conversion - w4 cost``

1. **engagement**: ``likes + 2 replies + 3 reposts`` per impression against what is usual for such a parent, as a
   logarithm: 0 is usual, 0.69 twice that. An answer costs its writer more than a tap and says more, a repost carries
   the reply to readers who did not see it. Usual depends on the platform (its median), on the size of the parent's
   author (rates fall with the audience, by ``rate_exponent``) and on how much of the conversation was over when the
   reply came (`left_of_conversation`; late readers do less, by ``rate_age_exponent``). The rate is drawn to the usual
   one by ``prior_impressions``, so that two likes on three impressions are no wonder. Where a platform tells no
   impressions they are expected from the same three facts.
2. **growth**: the logarithm of impressions against the creator's own median; nothing where none are told.
3. **conversion**: the logarithm of conversions per impression against the creator's usual rate, shrunken to it by
   ``prior_views`` (an empirical Bayes estimate with a gamma prior, as in Efron & Morris, "Data analysis using Stein's
   estimator and its generalizations", JASA 1975); nothing for a reply that carried no link that counts.
4. **cost**: US dollars for the platform and the models, in units of a budget.

Counts have heavy tails: on a raw scale one lucky reply outweighs a hundred steady ones (Kohavi, Tang & Xu, "Trustworthy
Online Controlled Experiments", 2020, ch. 18: transform or cap skewed metrics). Hence the logarithms, and each term is
winsorised at ``bound``.

The weights, exponents and priors are defaults by judgement, not estimates: they are values passed in, kept by version,
and to be replaced where a creator's own data say better.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, log, log1p, pow

# Half of what a post brings about comes within an hour, three quarters within a day: Kwak, Lee, Park & Moon, "What is
# Twitter, a social network or a news media?", WWW 2010. A Lomax law through both points has a scale of 1/22 of the
# first and this shape; it puts 12 % after a month, where they found about 10 %.
_HALF_LIFE_SCALES = 22.0
_SHAPE = log(2) / log1p(_HALF_LIFE_SCALES)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counts of a reply at one age, and what it cost and brought.

    impressions is None where the platform does not tell; conversions where the reply carried no link that counts. likes
    may be negative where it is a score (Reddit); it then counts as 0. cost_usd is models and platform together.
    parent_followers and parent_age_s (seconds from the post answered to the reply) are None where unknown.
    """

    likes: int
    replies: int
    reposts: int
    impressions: int | None = None
    cost_usd: float = 0.0
    conversions: int | None = None
    parent_followers: int | None = None
    parent_age_s: float | None = None

    def __post_init__(self) -> None:
        known = (self.impressions or 0, self.conversions or 0, self.parent_followers or 0)
        if min(self.replies, self.reposts, self.cost_usd, *known) < 0:
            raise ValueError(f"counts and costs are not negative: {self}")


@dataclass(frozen=True, slots=True)
class PlatformNorm:
    """What is usual for a creator on a platform at one window: medians over his replies, all > 0.

    median_rate is weighted engagement per impression (dimensionless); median_followers are those of the authors
    answered, median_age_s seconds from their posts to the replies; half_life_s: when half of what a post brings about
    is over; conversion_rate: conversions per impression, >= 0, 0 while there were none.
    """

    median_followers: float
    median_impressions: float
    median_rate: float
    median_age_s: float = 3_600.0
    half_life_s: float = 3_600.0
    conversion_rate: float = 0.0

    def __post_init__(self) -> None:
        medians = (self.median_followers, self.median_impressions, self.median_rate, self.median_age_s)
        if min(*medians, self.half_life_s) <= 0 or self.conversion_rate < 0:
            raise ValueError(f"medians are positive: {self}")


@dataclass(frozen=True, slots=True)
class RewardWeights:
    """The judgements in a reward; defaults as argued in this module's docstring.

    engagement, growth, conversion and cost are w1 to w4; like, reply and repost are in likes; budget_unit_usd is what a
    cost of 1 is; exponents are in [0, 1]; prior_impressions and prior_views are in impressions; bound is the largest
    size of a term.
    """

    engagement: float = 1.0
    growth: float = 0.3
    conversion: float = 0.5
    cost: float = 0.5
    like: float = 1.0
    reply: float = 2.0
    repost: float = 3.0
    budget_unit_usd: float = 1.0
    reach_exponent: float = 0.5
    rate_exponent: float = 0.25
    rate_age_exponent: float = 0.25
    prior_impressions: float = 100.0
    prior_views: float = 1_000.0
    bound: float = 3.0

    def __post_init__(self) -> None:
        weights = (
            self.engagement,
            self.growth,
            self.conversion,
            self.cost,
            self.like,
            self.reply,
            self.repost,
        )
        positive = (self.budget_unit_usd, self.prior_impressions, self.prior_views, self.bound)
        if not all(map(isfinite, (*weights, *positive))) or min(weights) < 0 or min(positive) <= 0:
            raise ValueError(f"weights are not negative; units, priors and the bound are positive: {self}")
        exponents = (self.reach_exponent, self.rate_exponent, self.rate_age_exponent)
        if not all(0 <= exponent <= 1 for exponent in exponents):
            raise ValueError(f"exponents lie between 0 and 1: {self}")


DEFAULT_WEIGHTS = RewardWeights()


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward and its terms, before they are weighed.

    Each term lies in [-bound, bound], cost in [0, bound]; growth and conversion are None where nothing can be said of
    them, and weigh nothing. engagement_rate is weighted engagement per impression, >= 0, not compared with anything;
    components holds what the terms were made of, for the log.
    """

    reward: float
    engagement_rate: float
    engagement: float
    growth: float | None
    conversion: float | None
    cost: float
    components: Mapping[str, float] = field(default_factory=dict)


def reward(snapshot: Snapshot, norm: PlatformNorm, weights: RewardWeights = DEFAULT_WEIGHTS) -> Reward:
    """The reward of a reply by one snapshot: never falls with more engagement or conversions, never rises with cost.

    Args:
        snapshot: the counts; of one window for all replies that are compared.
        norm: what is usual for the creator on the reply's platform at that window.
        weights: the judgements; kept with the reward.

    >>> usual = PlatformNorm(median_followers=1_000, median_impressions=200, median_rate=0.02)
    >>> said = reward(Snapshot(likes=2, replies=1, reposts=0, impressions=200), usual)
    >>> said.engagement_rate, said.engagement, said.growth, said.conversion, said.cost, said.reward
    (0.02, 0.0, 0.0, None, 0.0, 0.0)
    """
    expected, usual_rate = _usual(snapshot, norm, weights)
    seen = max(expected if snapshot.impressions is None else float(snapshot.impressions), 0.0)
    counted = _counted(snapshot, weights)
    prior = weights.prior_impressions
    # The rate, drawn to the usual one, over the usual one; smaller and smaller than that it cannot become.
    relative = (counted / usual_rate + prior) / (seen + prior)
    engagement = _bounded(log(relative), weights)
    growth = None if snapshot.impressions is None else _growth(snapshot.impressions, norm, weights)
    conversion = _conversion(snapshot.conversions, seen, norm, weights)
    cost = min(snapshot.cost_usd / weights.budget_unit_usd, weights.bound)
    worth = weights.engagement * engagement - weights.cost * cost
    worth += weights.growth * (growth or 0.0) + weights.conversion * (conversion or 0.0)
    components = {
        "impressions": seen,
        "is_impressions_expected": float(snapshot.impressions is None),
        "usual_rate": usual_rate,
        "cost_usd": snapshot.cost_usd,
    }
    return Reward(worth, counted / max(seen, 1.0), engagement, growth, conversion, cost, components)


def left_of_conversation(age_s: float, half_life_s: float) -> float:
    """The share of what a post brings about that is still to come at an age, 0 to 1; for its source see the module.

    >>> [round(left_of_conversation(hours * 3_600, 3_600), 2) for hours in (0, 1, 24)]
    [1.0, 0.5, 0.25]
    """
    return pow(1 + _HALF_LIFE_SCALES * max(age_s, 0.0) / half_life_s, -_SHAPE)


def _usual(snapshot: Snapshot, norm: PlatformNorm, weights: RewardWeights) -> tuple[float, float]:
    """Expected impressions, and the usual rate, for a reply under such an author at such an age."""
    followers, age_s = snapshot.parent_followers, snapshot.parent_age_s
    # An author without followers still has readers where the thread stands.
    size = 1.0 if followers is None else max(followers, 1) / norm.median_followers
    left = 1.0
    if age_s is not None:
        usually = left_of_conversation(norm.median_age_s, norm.half_life_s)
        left = left_of_conversation(age_s, norm.half_life_s) / usually
    expected = norm.median_impressions * pow(size, weights.reach_exponent) * left
    usual_rate = norm.median_rate * pow(size, -weights.rate_exponent) * pow(left, weights.rate_age_exponent)
    return expected, usual_rate


def _counted(snapshot: Snapshot, weights: RewardWeights) -> float:
    likes = max(snapshot.likes, 0)
    return weights.like * likes + weights.reply * snapshot.replies + weights.repost * snapshot.reposts


def _growth(impressions: int, norm: PlatformNorm, weights: RewardWeights) -> float:
    return _bounded(log1p(impressions) - log1p(norm.median_impressions), weights)


def _conversion(
    conversions: int | None, seen: float, norm: PlatformNorm, weights: RewardWeights
) -> float | None:
    if conversions is None or not norm.conversion_rate:
        return None
    prior = weights.prior_views
    return _bounded(log((conversions / norm.conversion_rate + prior) / (seen + prior)), weights)


def _bounded(term: float, weights: RewardWeights) -> float:
    return max(-weights.bound, min(term, weights.bound))
