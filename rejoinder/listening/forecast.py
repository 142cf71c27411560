"""What listening will cost: from the posts that matched on the last days to posts and money of a day and a month.

What belongs here: arithmetic over counts. Which counts a platform gives is its adapter's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import sqrt
from typing import NamedTuple

from rejoinder.listening.policy import ChannelPolicy
from rejoinder.listening.spending import FREE, Budget, Span

DAY = timedelta(days=1)
DAYS_PER_MONTH = 30
SHORTEST = timedelta(hours=1)
LATEST_DAYS = 7
# Two-sided 95 % quantiles of Student's t by degrees of freedom, 1 to 30: NIST/SEMATECH e-Handbook of Statistical
# Methods, 1.3.6.7.2. Beyond 30 that of 30 is kept, which is a little wide.
T_95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
# Nothing seen in so many days: with 95 % certainty fewer than this divided by the days come in one
# (Hanley & Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 1983).
RULE_OF_THREE = 3.0


class Range(NamedTuple):
    """What is expected, and bounds within which 95 of 100 outcomes lie if things go on as they went."""

    low: float
    expected: float
    high: float

    def times(self, factor: float) -> "Range":
        """All three multiplied."""
        return Range(self.low * factor, self.expected * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Posts and USD per day and per month of 30 days, and the part of each budget that is (None: no budget).

    n_days is how long the platform counted. Shares are those of what is expected; 1 is the whole budget.
    """

    n_days: float
    posts_per_day: Range
    posts_per_month: Range
    usd_per_day: Range
    usd_per_month: Range
    day_share: float | None
    month_share: float | None


def forecast_listening(
    counts: Sequence[tuple[datetime, datetime, int]],
    policy: ChannelPolicy,
    budget: Budget,
    *,
    people_per_post: float = 1.0,
    posts_beside: float = 0.0,
) -> Forecast | None:
    """What hearing every post that matches would cost; None where nothing was counted.

    The days are taken as draws around one rate whose variance is a multiple of it (quasi-Poisson; the multiple is
    Pearson's statistic, never under 1), and the next days lie within Student's t of it: with few days the bounds are
    wide, with one day they say little. A week has its weekend in it; a shorter time may miss it.

    Args:
        counts: stretches of time (aware) and how many posts matched in each; those under an hour are left out.
        policy: of the channel, for its prices.
        budget: of the channel.
        people_per_post: authors that are charged with a post. 1: each post is of another author of that day, which
            is the dearest there is, as an author is charged once a day.
        posts_beside: posts that each brings along and that are charged too (quoted, answered), with their authors.
    """
    told = [(n, (until - since) / DAY) for since, until, n in counts if until - since >= SHORTEST]
    if not told:
        return None
    day, month = (predict(told, n_days) for n_days in (1, DAYS_PER_MONTH))
    per_post = policy.price_usd("post_read") + policy.price_usd("user_read") * people_per_post
    price_usd = per_post * (1 + posts_beside)
    usd_per_day, usd_per_month = day.times(price_usd), month.times(price_usd)
    return Forecast(
        n_days=sum(days for _, days in told),
        posts_per_day=day,
        posts_per_month=month,
        usd_per_day=usd_per_day,
        usd_per_month=usd_per_month,
        day_share=_share(usd_per_day, budget, "day"),
        month_share=_share(usd_per_month, budget, "month"),
    )


def predict(counted: Sequence[tuple[int, float]], n_days: float) -> Range:
    """How many come in the next n_days, by counts and the days in which each was made.

    Args:
        counted: at least one; days > 0.
        n_days: > 0.

    >>> predict([(70, 1.0)] * 7, 1)
    Range(low=48.11..., expected=70.0, high=91.88...)
    >>> predict([(0, 1.0)] * 6, 30)
    Range(low=0.0, expected=0.0, high=15.0)
    """
    total, days = sum(n for n, _ in counted), sum(d for _, d in counted)
    if total == 0:
        return Range(0.0, 0.0, RULE_OF_THREE / days * n_days)
    rate, freedom = total / days, len(counted) - 1
    spread = sum((n - rate * d) ** 2 / (rate * d) for n, d in counted) / freedom if freedom else 1.0
    # The noise of the days to come, and that of the rate, which was learned from so many days.
    deviation = sqrt(max(spread, 1.0) * rate * n_days * (1 + n_days / days))
    reach = T_95[min(max(freedom, 1), len(T_95)) - 1] * deviation
    expected = rate * n_days
    return Range(max(expected - reach, 0.0), expected, expected + reach)


def _share(usd: Range, budget: Budget, span: Span) -> float | None:
    whole = budget.of(span)
    if whole is None:
        return None
    return usd.expected / float(whole) if whole else float(usd.expected > 0)


def month_end_usd(
    spent_by_day: Mapping[date, Decimal], now: datetime, most_per_day_usd: Decimal | None = None
) -> Decimal:
    """What a channel will have spent when the month is over, if the days to come are as the last week was.

    Args:
        spent_by_day: USD by day (UTC), days without spending left out.
        now: UTC. Today is taken to go on as it went where nothing was spent on a day before.
        most_per_day_usd: the budget of a day, beyond which nothing is spent.

    >>> from datetime import UTC
    >>> spent = {date(2026, 11, 28): Decimal(2), date(2026, 11, 29): Decimal(4), date(2026, 11, 30): Decimal(1)}
    >>> month_end_usd(spent, datetime(2026, 11, 30, 12, tzinfo=UTC))
    Decimal('8.50')
    """
    today = now.date()
    first = min(spent_by_day, default=today)
    days = [
        today - timedelta(days=n) for n in range(1, LATEST_DAYS + 1) if today - timedelta(days=n) >= first
    ]
    so_far = sum(
        (usd for day, usd in spent_by_day.items() if (day.year, day.month) == (today.year, today.month)), FREE
    )
    passed = Decimal((now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()) / 86_400
    if days:
        per_day = sum((spent_by_day.get(day, FREE) for day in days), FREE) / len(days)
    else:
        per_day = spent_by_day.get(today, FREE) / passed if passed else FREE
    if most_per_day_usd is not None:
        per_day = min(per_day, most_per_day_usd)
    last = (today.replace(day=1) + timedelta(days=32)).replace(day=1) - DAY
    return (so_far + per_day * ((last - today).days + 1 - passed)).quantize(Decimal("0.01"))
