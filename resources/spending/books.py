"""The books of one channel within one transaction: counted, held, told to people. Whoever opens them takes turns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from rejoinder.ids import ChannelId
from rejoinder.listening.policy import PaidAction
from rejoinder.listening.spending import (
    FREE,
    Budget,
    Grant,
    Order,
    Spent,
    Stop,
    budget_of,
    decide,
    exact_usd,
    money,
    month_of,
    nearly_spent,
    room_usd,
)
from resources.postgres import Transaction
from resources.store.channel_states import set_state
from resources.store.channels import Channel, load_channel
from resources.store.publications import notify

Counts = Mapping[tuple[date, PaidAction], Sequence[str]]
# A hold that was not renewed for so long is of a process that died; a living one renews it three times as often.
ALIVE_S = 90.0
FORGET_AT_ONCE = 5_000
WARNING = {"day": "spend_warning", "month": "spend_warning_month"}


@dataclass(frozen=True, slots=True)
class Books:
    """What a channel may spend and has spent; holder is the process that asks, None for one that holds nothing."""

    tx: Transaction
    channel: Channel
    now: datetime
    holder: UUID | None = None

    @property
    def budget(self) -> Budget:
        """The channel's budgets now."""
        return budget_of(self.channel.policy, self.channel.platform)

    def count(self, counts: Counts) -> Decimal:
        """Count what calls returned at today's prices; what that is. What was counted on its day before is free."""
        charged_usd = FREE
        for (day, action), ids in counts.items():
            price_usd = self.channel.policy.price_usd(action)
            cost_usd = self.tx.value(
                "count_spend",
                channel_id=self.channel.id,
                day=day,
                action=action,
                ids=list(ids),
                price_usd=price_usd,
            )
            charged_usd += exact_usd(cost_usd)
        return charged_usd

    def spent(self) -> Spent:
        """What is spent, and held by others."""
        today = self.now.date()
        row = self.tx.row(
            "spent_so_far",
            channel_id=self.channel.id,
            today=today,
            month=month_of(today),
            holder=self.holder,
            alive_s=ALIVE_S,
        )
        return Spent(**row) if row else Spent()

    def grant(self, order: Order) -> Grant:
        """Decide, keep the hold that follows, and tell people how much is spent where that changes something."""
        budget, spent = self.budget, self.spent()
        grant = decide(budget, spent, order, self.now)
        if self.holder is not None:
            self._hold(order.keep_usd + grant.usd)
        self._warn(budget, spent)
        if not grant.stop:
            self._say(budget, spent, order.keep_usd)
        return grant

    def tell(self, spent: Spent) -> None:
        """Tell people how much is spent where that changes something."""
        budget = self.budget
        self._warn(budget, spent)
        self._say(budget, spent, FREE)

    def _hold(self, usd: Decimal) -> None:
        channel_id, holder = self.channel.id, self.holder
        if usd:
            today = self.now.date()
            self.tx.execute("set_spend_hold", channel_id=channel_id, holder=holder, today=today, held_usd=usd)
        else:
            self.tx.execute("drop_spend_hold", channel_id=channel_id, holder=holder)

    def _warn(self, budget: Budget, spent: Spent) -> None:
        for span in nearly_spent(budget, spent):
            whole = money(budget.of(span) or FREE)
            message = (
                f"channel {self.channel.name} has spent {money(spent.of(span))} USD of the {whole} USD"
                f" of its budget of the {span}"
            )
            self._notify_today(WARNING[span], message)

    def _say(self, budget: Budget, spent: Spent, keep_usd: Decimal) -> None:
        row = self.tx.row("spend_state", channel_id=self.channel.id) or {}
        if row["goes_on_at"]:
            room = room_usd(budget, spent, keep_usd)
            if self.now < row["goes_on_at"] and room is not None and room < row["needed_usd"]:
                return  # a smaller call than the one that had no room
            self.tx.execute("drop_spend_stop", channel_id=self.channel.id)
        near = nearly_spent(budget, spent)
        if near and row["state"] != "warned":
            detail = f"80 % or more of the budget of the {' and of the '.join(near)} is spent"
            set_state(self.tx, self.channel.id, "spend", "warned", detail)
        elif not near and row["state"] != "ok":
            set_state(self.tx, self.channel.id, "spend", "ok")

    def stop(self, stop: Stop) -> None:
        """Keep that a call had no room, and tell people: in the channel's state, and in one notice while it lasts."""
        self.tx.execute(
            "set_spend_stop",
            channel_id=self.channel.id,
            needed_usd=stop.needed_usd,
            goes_on_at=stop.goes_on_at,
        )
        set_state(self.tx, self.channel.id, "spend", "stopped", stop.detail)
        message = f"channel {self.channel.name}: {stop.detail}"
        notify(self.tx, "spend_cap", message, "channel", self.channel.id)

    def _notify_today(self, kind: str, message: str) -> None:
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        notify(self.tx, kind, message, "channel", self.channel.id, since=midnight)

    def tidy(self) -> bool:
        """Forget what was read before yesterday and book what dead processes held; whether that is all of it."""
        channel_id, yesterday = self.channel.id, self.now.date() - timedelta(days=1)
        self.tx.execute("book_lost_holds", channel_id=channel_id, yesterday=yesterday)
        n_forgotten = self.tx.execute(
            "forget_spend_resources", channel_id=channel_id, yesterday=yesterday, top=FORGET_AT_ONCE
        )
        return n_forgotten < FORGET_AT_ONCE


def open_books(
    tx: Transaction,
    channel_id: ChannelId,
    now: datetime,
    holder: UUID | None = None,
    *,
    channel: Channel | None = None,
) -> Books:
    """The books of a channel, with the policy it has now; others wait until the transaction ends.

    Args:
        tx: of the application or of the publisher; a short one.
        channel_id: of the channel.
        now: UTC, on our clock; budgets turn with it.
        holder: the process that asks.
        channel: that channel, if this transaction has loaded it.

    Raises:
        ConfigInvalid: there is no such channel.
    """
    tx.execute("lock_spend", channel_id=channel_id)
    return Books(tx, channel or load_channel(tx, channel_id), now, holder)


def book_deed(books: Books, action: PaidAction, deed_id: str) -> Stop | None:
    """Count a deed before it is done, in the transaction that decides on it; why not, where there is no room.

    Whoever learns that it was surely not done takes it back with `take_back_deed`. Until then it counts, so a deed
    whose outcome is not known does.
    """
    price_usd, spent = exact_usd(books.channel.policy.price_usd(action)), books.spent()
    order = Order(least_usd=price_usd, most_usd=price_usd)
    if price_usd and (stop := decide(books.budget, spent, order, books.now).stop):
        return stop
    charged_usd = books.count({(books.now.date(), action): [deed_id]})
    books.tell(replace(spent, day_usd=spent.day_usd + charged_usd, month_usd=spent.month_usd + charged_usd))
    return None


def take_back_deed(
    books: Books, action: PaidAction, deed_id: str, charged_usd: Decimal | None = None
) -> None:
    """Take back a deed of today or yesterday that was counted and surely not done.

    Args:
        books: of its channel.
        action: as it was booked.
        deed_id: as it was booked.
        charged_usd: what was booked for it; today's price where nobody kept that.
    """
    price_usd = exact_usd(books.channel.policy.price_usd(action)) if charged_usd is None else charged_usd
    books.tx.execute(
        "uncount_spend",
        channel_id=books.channel.id,
        since=books.now.date() - timedelta(days=1),
        action=action,
        resource_id=deed_id,
        charged_usd=price_usd,
    )
