"""What people see of the money of channels: spent, held, left, by what was paid for, and where the month is going."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from rejoinder.ids import ChannelId
from rejoinder.listening.forecast import LATEST_DAYS, month_end_usd
from rejoinder.listening.spending import (
    FREE,
    Budget,
    Span,
    Spent,
    budget_of,
    month_of,
    nearly_spent,
    room_usd,
    share,
)
from resources.postgres import Transaction
from resources.spending.books import ALIVE_S
from resources.store.channel_states import ChannelState, read_states
from resources.store.channels import Channel, enabled_channels


@dataclass(frozen=True, slots=True)
class SpanSpend:
    """A day or a month: USD spent, held for calls under way, the budget (None: none) and what is left of it."""

    spent_usd: Decimal
    held_usd: Decimal
    budget_usd: Decimal | None
    left_usd: Decimal | None
    share: Decimal | None


@dataclass(frozen=True, slots=True)
class ActionSpend:
    """What was paid for on a day: how many came, how many of them were charged, USD."""

    day: date
    action: str
    n_resources: int
    n_charged: int
    spent_usd: Decimal


@dataclass(frozen=True, slots=True)
class ChannelSpend:
    """A channel's money now; by_action is of the days asked for, the newest first.

    state is ok, warned or stopped, as it is at this moment; detail says why, and when it goes on.
    """

    channel_id: ChannelId
    channel: str
    state: str
    detail: str
    today: SpanSpend
    month: SpanSpend
    month_end_usd: Decimal
    month_post_reads: int
    post_reads_per_month: int | None
    by_action: tuple[ActionSpend, ...]


def read_spend(tx: Transaction, now: datetime, *, n_days: int = 1) -> list[ChannelSpend]:
    """The money of every enabled channel.

    Args:
        tx: to read in.
        now: UTC.
        n_days: how many days by_action covers, today included, >= 1.
    """
    return [_channel_spend(tx, channel, now, n_days) for channel in enabled_channels(tx)]


def _channel_spend(tx: Transaction, channel: Channel, now: datetime, n_days: int) -> ChannelSpend:
    today, budget = now.date(), budget_of(channel.policy, channel.platform)
    row = tx.row(
        "spent_so_far",
        channel_id=channel.id,
        today=today,
        month=month_of(today),
        holder=None,
        alive_s=ALIVE_S,
    )
    spent = Spent(**row) if row else Spent()
    asked_from = today - timedelta(days=n_days - 1)
    since = min(month_of(today), asked_from, today - timedelta(days=LATEST_DAYS))
    rows = [ActionSpend(**row) for row in tx.rows("spend_by_action", channel_id=channel.id, since=since)]
    state, detail = _state(tx, channel, budget, spent, now)
    return ChannelSpend(
        channel_id=channel.id,
        channel=channel.name,
        state=state,
        detail=detail,
        today=_span(budget, spent, "day"),
        month=_span(budget, spent, "month"),
        month_end_usd=month_end_usd(_by_day(rows), now, budget.per_day_usd),
        month_post_reads=spent.month_post_reads,
        post_reads_per_month=budget.post_reads_per_month,
        by_action=tuple(row for row in rows if row.day >= asked_from),
    )


def _by_day(rows: Iterable[ActionSpend]) -> dict[date, Decimal]:
    spent: dict[date, Decimal] = {}
    for row in rows:
        spent[row.day] = spent.get(row.day, FREE) + row.spent_usd
    return spent


def _span(budget: Budget, spent: Spent, span: Span) -> SpanSpend:
    whole, used, held = budget.of(span), spent.of(span), spent.held_of(span)
    left = None if whole is None else max(whole - used - held, FREE)
    return SpanSpend(used, held, whole, left, share(budget, spent, span))


def _state(tx: Transaction, channel: Channel, budget: Budget, spent: Spent, now: datetime) -> tuple[str, str]:
    """As the next call would find it: a day that turned or a budget that was raised ends a stop."""
    row = tx.row("spend_state", channel_id=channel.id) or {}
    room = room_usd(budget, spent)
    if row["goes_on_at"] and now < row["goes_on_at"] and room is not None and room < row["needed_usd"]:
        return "stopped", row["detail"]
    near = nearly_spent(budget, spent)
    return (
        ("warned", f"80 % or more of the budget of the {' and of the '.join(near)} is spent")
        if near
        else ("ok", "")
    )


def live_states(tx: Transaction, now: datetime) -> list[ChannelState]:
    """What the parts of every enabled channel do; of the money, as it is now and not as it was last written."""
    money = {(spend.channel_id, "spend"): spend for spend in read_spend(tx, now)}
    return [_live(state, money.get((state.channel_id, state.part))) for state in read_states(tx)]


def _live(told: ChannelState, spend: ChannelSpend | None) -> ChannelState:
    if spend is None:
        return told
    return told._replace(state=spend.state, detail=spend.detail)
