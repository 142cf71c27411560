"""The meter that a client asks: allowances taken in blocks, resources counted in blocks, shared by threads.

Before a call the most that it may cost has to be in this process's hold, a row of the database that counts as spent.
So however many processes there are, what is spent and what they hold never exceeds a budget together; it can be
exceeded only by what a platform returns beyond what a call allowed for. A process that dies leaves its hold, which
stands for every call that it sent and did not count.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import partial
from typing import NamedTuple, Protocol

import psycopg

from rejoinder.errors import RejoinderError
from rejoinder.listening.policy import ChannelPolicy, PaidAction
from rejoinder.listening.spending import DEEDS, FREE, MICRO, Budget, Grant, Order, Stop, exact_usd
from resources.platforms.clocks import Clock, system_clock
from resources.platforms.failures import SpendStopped
from resources.platforms.port import Action, Meter
from resources.spending.books import Counts

log = logging.getLogger("rejoinder.spending")

MOST_AHEAD = 500
"""Resources for which a process holds money at most, beyond what its calls need."""
AHEAD_SHARE = Decimal("0.01")
"""The part of a budget that it holds at most, beyond what its calls need."""
COUNT_AT = 250
"""Resources that are counted together at most."""
QUICK = timedelta(seconds=2)
FRESH = timedelta(seconds=15)
RENEWED = timedelta(seconds=30)
TOLD_AFTER = timedelta(seconds=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a channel pays and may pay."""

    policy: ChannelPolicy
    budget: Budget

    def price_usd(self, action: PaidAction) -> Decimal:
        """USD for one resource or deed."""
        return exact_usd(self.policy.price_usd(action))


@dataclass(frozen=True, slots=True)
class Synced:
    """What came of a look at the books, and the terms as they were then."""

    grant: Grant
    terms: Terms


class Ledger(Protocol):
    """The books of one channel, as one process writes in them."""

    def terms(self) -> Terms:
        """What the channel pays and may pay now."""
        ...

    def sync(self, counts: Counts, order: Order) -> Synced:
        """Count, and set what this process holds to what it keeps and what it is granted, in one transaction."""
        ...

    def stop(self, stop: Stop) -> None:
        """Tell people that a call had no room."""
        ...


class Refused(NamedTuple):
    """A call that had no room, and when."""

    stop: Stop
    at: datetime


@dataclass(slots=True, eq=False)
class SpendMeter:
    """`resources.platforms.port.Meter` of one channel in one process.

    What a thread was allowed for an action stands until its next call for that action, so allow and count belong into
    one thread, a call after the other.
    """

    ledger: Ledger
    clock: Clock = system_clock
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _terms: Terms | None = None
    _looked_at: datetime = LONG_AGO
    # What this process holds: free to be allowed, allowed to calls of its threads, spent and not counted yet.
    _pool_usd: Decimal = FREE
    _allowed_usd: dict[tuple[int, Action], Decimal] = field(default_factory=dict)
    _pending: dict[tuple[date, Action], list[str]] = field(default_factory=dict)
    _refused: dict[tuple[int, Action], Refused] = field(default_factory=dict)
    _is_holding: bool = False
    _synced_at: datetime = LONG_AGO
    _refilled_at: datetime = LONG_AGO
    _ahead: int = 1

    def allow(self, action: Action, n_resources: int = 1) -> None:
        """Let a call pass that returns at most so many resources; most calls need no look at the database.

        Raises:
            SpendStopped: today's budget or this month's has no room for them; retry_at is when it turns, on our clock.
            ServiceUnavailable: PostgreSQL cannot be reached: nothing may be sent.
        """
        with self._lock:
            terms = self._fresh_terms()
            price_usd = terms.price_usd(action)
            if not price_usd or not terms.budget.is_bounded:
                return
            self._end_call(action)
            key, cost_usd = (threading.get_ident(), action), price_usd * n_resources
            if self._pool_usd < cost_usd:
                reads = n_resources if action == "post_read" else 0
                if stop := self._refill(Order(least_usd=cost_usd, post_reads=reads), price_usd, terms.budget):
                    self._refused[key] = Refused(stop, self.clock())
                    raise SpendStopped(stop.goes_on_at, stop.detail)
            self._refused.pop(key, None)
            self._pool_usd -= cost_usd
            self._allowed_usd[key] = cost_usd

    def count(self, action: Action, resource_ids: Sequence[str]) -> None:
        """Note what a call returned, or did; never fails: what cannot be written now is written with the next.

        With no ids at all the call is over, and what it was allowed and did not need is there for the next.
        """
        with self._lock:
            if not resource_ids:
                self._end_call(action)
                return
            if self._terms:
                self._consume(action, self._terms.price_usd(action) * len(resource_ids))
            self._pending.setdefault((self.clock().date(), action), []).extend(resource_ids)
            if action in DEEDS or sum(map(len, self._pending.values())) >= COUNT_AT:
                self._write(self._kept())

    def tick(self) -> None:
        """Write what was counted since and give back what is over the share; renew the hold, or give it back unused.

        Called every second or so by whoever opened the meter.
        """
        with self._lock:
            self._tell_stops(self.clock() - TOLD_AFTER)
            if self._pending:
                self._pool_usd = min(self._pool_usd, _share_of(self._terms.budget) if self._terms else FREE)
                self._write(self._kept())
            elif self._is_holding and self.clock() - self._synced_at >= RENEWED:
                self._pool_usd = FREE
                self._write(self._kept())

    def rest(self) -> None:
        """Write what was counted and give everything back; no call is under way any more."""
        with self._lock:
            self._tell_stops(self.clock())
            self._pool_usd = FREE
            self._allowed_usd.clear()
            if self._pending or self._is_holding:
                self._write(FREE)

    def _fresh_terms(self) -> Terms:
        if self._terms is None or self.clock() - self._looked_at >= FRESH:
            self._terms, self._looked_at = self.ledger.terms(), self.clock()
        return self._terms

    def _end_call(self, action: Action) -> None:
        self._pool_usd += self._allowed_usd.pop((threading.get_ident(), action), FREE)

    def _consume(self, action: Action, cost_usd: Decimal) -> None:
        # What comes beyond what was allowed is taken from the pool, as far as that goes.
        key = (threading.get_ident(), action)
        allowed_usd = self._allowed_usd.get(key, FREE)
        if key in self._allowed_usd:
            self._allowed_usd[key] = max(allowed_usd - cost_usd, FREE)
        self._pool_usd -= min(max(cost_usd - allowed_usd, FREE), self._pool_usd)

    def _kept(self) -> Decimal:
        return self._pool_usd + sum(self._allowed_usd.values(), FREE)

    def _refill(self, order: Order, price_usd: Decimal, budget: Budget) -> Stop | None:
        """Take what the call may cost in place of what is left, and more where the last time was a moment ago."""
        now = self.clock()
        self._ahead = min(self._ahead * 2, MOST_AHEAD) if now - self._refilled_at < QUICK else 1
        self._refilled_at = now
        most = max(order.least_usd, min(price_usd * self._ahead, _share_of(budget)))
        allowed = sum(self._allowed_usd.values(), FREE)
        grant = self._sync(Order(allowed, order.least_usd, most, order.post_reads))
        self._pool_usd = grant.usd
        return grant.stop

    def _tell_stops(self, until: datetime) -> None:
        """Tell of calls that had no room, unless a smaller one was let pass in their place right away."""
        for key, refused in list(self._refused.items()):
            if refused.at <= until and self._try(partial(self.ledger.stop, refused.stop)):
                del self._refused[key]

    def _write(self, keep_usd: Decimal) -> None:
        self._try(lambda: self._sync(Order(keep_usd)))

    def _try(self, write: Callable[[], object]) -> bool:
        try:
            write()
        except (RejoinderError, psycopg.Error) as error:
            log.warning("what was spent is written later: %s", error)
            return False
        return True

    def _sync(self, order: Order) -> Grant:
        synced = self.ledger.sync(self._pending, order)
        self._pending = {}
        self._terms, self._looked_at = synced.terms, self.clock()
        self._synced_at = self._looked_at
        self._is_holding = bool(order.keep_usd + synced.grant.usd)
        return synced.grant


def _share_of(budget: Budget) -> Decimal:
    bounds = [usd for usd in (budget.per_day_usd, budget.per_month_usd) if usd is not None]
    return (min(bounds) * AHEAD_SHARE).quantize(MICRO, ROUND_DOWN) if bounds else FREE


@dataclass(frozen=True, slots=True)
class ReadsOnly:
    """A meter that leaves deeds to whoever books them where they are decided: the publisher, with its claim."""

    meter: Meter

    def allow(self, action: Action, n_resources: int = 1) -> None:
        """Ask for a read; let a deed pass."""
        if action not in DEEDS:
            self.meter.allow(action, n_resources)

    def count(self, action: Action, resource_ids: Sequence[str]) -> None:
        """Count a read."""
        if action not in DEEDS:
            self.meter.count(action, resource_ids)
