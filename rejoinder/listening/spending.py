"""Budgets of a channel: how much room is left, when it goes on, what a person is told.

What belongs here: the arithmetic, in exact decimals. Who holds what, and the rows, are resources/spending's.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from rejoinder.listening.policy import ChannelPolicy, PaidAction

Span = Literal["day", "month"]
SPANS: tuple[Span, ...] = ("day", "month")
WARN_AT = Decimal("0.8")
FREE = Decimal(0)
# Prices come from a table, so a millionth of a dollar is exact; spend_entry keeps as many places.
MICRO = Decimal("0.000001")
# X's own cap on post reads in a month on pay-per-use, whatever is paid: docs.x.com x-api/getting-started/pricing,
# read on 2026-11-21. Beyond it X answers 429 with the type usage-capped until the month is over.
POST_READS_PER_MONTH = {"x": 3_000_000}
DEEDS: frozenset[PaidAction] = frozenset({"create", "create_with_link", "create_summoned", "delete"})


@dataclass(frozen=True, slots=True)
class Budget:
    """What a channel may spend in USD per UTC day and month, and read in posts per month; None: no such bound."""

    per_day_usd: Decimal | None = None
    per_month_usd: Decimal | None = None
    post_reads_per_month: int | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether there is anything to keep to."""
        return (self.per_day_usd, self.per_month_usd, self.post_reads_per_month) != (None, None, None)

    def of(self, span: Span) -> Decimal | None:
        """The budget of a span."""
        return self.per_day_usd if span == "day" else self.per_month_usd


@dataclass(frozen=True, slots=True)
class Spent:
    """What a channel has spent today and this month, and what others hold of it for calls under way, in USD."""

    day_usd: Decimal = FREE
    month_usd: Decimal = FREE
    held_day_usd: Decimal = FREE
    held_month_usd: Decimal = FREE
    month_post_reads: int = 0

    def of(self, span: Span) -> Decimal:
        """Spent in a span."""
        return self.day_usd if span == "day" else self.month_usd

    def held_of(self, span: Span) -> Decimal:
        """Held by others in a span."""
        return self.held_day_usd if span == "day" else self.held_month_usd


class Order(NamedTuple):
    """What a process asks for: USD on top of what it keeps, least to go on and most; post reads of the next call."""

    keep_usd: Decimal = FREE
    least_usd: Decimal = FREE
    most_usd: Decimal = FREE
    post_reads: int = 0


class Stop(NamedTuple):
    """Why a call may not be made, and when there is a budget again; needed_usd would have been enough."""

    detail: str
    goes_on_at: datetime
    needed_usd: Decimal


class Grant(NamedTuple):
    """What a process may spend more, or why it may not."""

    usd: Decimal
    stop: Stop | None = None


def exact_usd(price_usd: float | Decimal) -> Decimal:
    """A price or a budget as it is written, to the millionth.

    >>> exact_usd(0.1) + exact_usd(0.2) == exact_usd(0.3)
    True
    """
    return Decimal(str(price_usd)).quantize(MICRO)


def budget_of(policy: ChannelPolicy, platform: str) -> Budget:
    """The bounds of a channel: those of its policy, and its platform's own.

    Where reads cost nothing the platform's cap is not ours to keep: a rehearsal has none.
    """
    caps = (policy.spend_cap_usd_per_day, policy.spend_cap_usd_per_month)
    day, month = (None if cap is None else exact_usd(cap) for cap in caps)
    reads = POST_READS_PER_MONTH.get(platform) if policy.price_usd("post_read") else None
    return Budget(day, month, reads)


def room_usd(budget: Budget, spent: Spent, keep_usd: Decimal = FREE) -> Decimal | None:
    """What may still be spent beside what others hold and one keeps oneself, >= 0; None: without bound.

    >>> room_usd(Budget(Decimal(10), Decimal(100)), Spent(Decimal(3), Decimal(99), Decimal(1), Decimal("0.5")))
    Decimal('0.5')
    """
    rooms = [room for span in SPANS if (room := _room(budget, spent, span, keep_usd)) is not None]
    return max(min(rooms), FREE) if rooms else None


def _room(budget: Budget, spent: Spent, span: Span, keep_usd: Decimal) -> Decimal | None:
    whole = budget.of(span)
    return None if whole is None else whole - spent.of(span) - spent.held_of(span) - keep_usd


def decide(budget: Budget, spent: Spent, order: Order, now: datetime) -> Grant:
    """Let a process have what it asks for as far as there is room, or say why not.

    What is granted, kept, held by others and spent is never above a budget together, unless it was before.

    Args:
        budget: of the channel.
        spent: so far, without what the process itself keeps.
        order: least_usd <= most_usd; a least of nothing is always granted.
        now: UTC.
    """
    if order.post_reads and (stop := _beyond_reads(budget, spent, order, now)):
        return Grant(FREE, stop)
    room = room_usd(budget, spent, order.keep_usd)
    if room is None or room >= order.most_usd:
        return Grant(order.most_usd)
    if room >= order.least_usd:
        return Grant(room)
    return Grant(FREE, _stop(budget, spent, order, now))


def _beyond_reads(budget: Budget, spent: Spent, order: Order, now: datetime) -> Stop | None:
    cap = budget.post_reads_per_month
    if cap is None or spent.month_post_reads + order.post_reads <= cap:
        return None
    again_at = turn(now, "month")
    detail = (
        f"the platform lets {cap:,} posts be read in a month, {spent.month_post_reads:,} were;"
        f" it goes on at {again_at:%Y-%m-%d %H:%M} UTC"
    )
    return Stop(detail, again_at, order.least_usd)


def _stop(budget: Budget, spent: Spent, order: Order, now: datetime) -> Stop:
    # Where both have no room, the month is what has to turn.
    short = [
        s
        for s in SPANS
        if (left := _room(budget, spent, s, order.keep_usd)) is not None and left < order.least_usd
    ]
    span = short[-1]
    left, again_at = max(_room(budget, spent, span, order.keep_usd) or FREE, FREE), turn(now, span)
    detail = (
        f"the budget of the {span} is {money(budget.of(span) or FREE)} USD, {money(left)} USD of it are left"
        f" and this call may cost {money(order.least_usd)} USD; it goes on at {again_at:%Y-%m-%d %H:%M} UTC"
    )
    return Stop(detail, again_at, order.least_usd)


def money(usd: Decimal) -> str:
    """An amount for people: cents, or more places where cents hide it.

    >>> money(Decimal("10.000000")), money(Decimal("0.005000")), money(Decimal("0"))
    ('10.00', '0.005', '0.00')
    """
    places = -int(usd.normalize().as_tuple().exponent)
    return f"{usd:,.{min(max(places, 2), 6)}f}"


def turn(now: datetime, span: Span) -> datetime:
    """When the next day or month begins, UTC.

    >>> from datetime import UTC
    >>> str(turn(datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "month"))
    '2027-01-01 00:00:00+00:00'
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if span == "day":
        return midnight + timedelta(days=1)
    return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def nearly_spent(budget: Budget, spent: Spent) -> tuple[Span, ...]:
    """The budgets of which 80 % or more is spent.

    >>> nearly_spent(Budget(Decimal(10), Decimal(100)), Spent(Decimal(8), Decimal(8)))
    ('day',)
    """
    return tuple(span for span in SPANS if (s := share(budget, spent, span)) is not None and s >= WARN_AT)


def share(budget: Budget, spent: Spent, span: Span) -> Decimal | None:
    """Which part of a budget is spent, 0 and up; None without a budget. Of a budget of nothing all is spent."""
    whole = budget.of(span)
    if whole is None:
        return None
    return spent.of(span) / whole if whole else Decimal(1)
