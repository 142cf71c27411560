"""Settling: giving places back and saying what calls cost, now or together with what is written down anyway.

What belongs here: what is still owed to the database, and who pays it when.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from rejoinder.errors import ServiceUnavailable
from rejoinder.llm.breaker import BreakerRule, health_of
from rejoinder.llm.endpoints import Endpoint
from resources.llm.gateway.holder import Holder

log = logging.getLogger("rejoinder.llm")


@dataclass(slots=True)
class Place:
    """A place at an endpoint, and money for one call; settled once, whatever is said afterwards."""

    endpoint: Endpoint
    settlements: "Settlements | None" = field(default=None, repr=False)
    lease: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reserved_usd: float = 0.0
    is_settled: bool = False

    def settle(self, outcome: str, cost_usd: float, error: str | None = None) -> None:
        """Give the place back and say what became of the call.

        Args:
            outcome: "ok", or the kind of the trouble or refusal; troubles count for the circuit breaker.
            cost_usd: what the call cost, 0 where nothing was sent; it takes the place of what was reserved.
            error: for a person, without any secret.
        """
        if not self.is_settled:
            self.is_settled = True
            if self.settlements is not None:
                self.settlements.settle(self, outcome, cost_usd, error)

    def owe(self, cost_usd: float) -> int | None:
        """Settle as answered in the next statement that writes something down; the number for `Settlements.take`.

        Who calls this sees to it that such a statement follows within moments. Until then the place is not free for
        other processes; this one settles it before it asks for another.
        """
        if self.is_settled or self.settlements is None:
            return None
        self.is_settled = True
        return self.settlements.owe(self, cost_usd)

    def leave(self) -> None:
        """Give the place back where nobody said what became of the call: what was reserved counts as spent."""
        self.settle("unknown", self.reserved_usd)


@dataclass(frozen=True, slots=True)
class Owed:
    """A settlement that the database has not heard of: parameters of settle_call, and what the call had reserved."""

    values: dict[str, Any]
    reserved_usd: float


class Settlements:
    """Settles leases; shared by all threads of a process.

    Args:
        holder: the connection in whose worker's name leases are.
        rule: when an endpoint is left alone.
        now: the time that days and breakers go by.
    """

    def __init__(self, holder: Holder, rule: BreakerRule, now: Callable[[], datetime]) -> None:
        self._holder, self._rule, self._now = holder, rule, now
        self._owed: dict[int, Owed] = {}

    def settle(self, place: Place, outcome: str, cost_usd: float, error: str | None) -> None:
        """Settle now, or with the next call while PostgreSQL is away."""
        self.pay_or_put_off(self._of(place, outcome, cost_usd, error))

    def owe(self, place: Place, cost_usd: float) -> int:
        """Note that a lease is to be settled as answered; its number."""
        owed = self._of(place, "ok", cost_usd, None)
        self._owed[owed.values["number"]] = owed
        return int(owed.values["number"])

    def take(self, number: int | None) -> Owed | None:
        """What is owed for a lease, for whoever pays it now; None if it was paid meanwhile."""
        return None if number is None else self._owed.pop(number, None)

    def pay_or_put_off(self, owed: Owed) -> None:
        """Settle now, or with the next call while PostgreSQL is away."""
        try:
            self.pay(owed)
        except (ServiceUnavailable, psycopg.OperationalError) as trouble:
            self.put_off(owed, trouble)

    def put_off(self, owed: Owed, trouble: Exception) -> None:
        """PostgreSQL is away: settle with the next call, as the answer is there and must not be lost."""
        log.warning(
            "gateway_call_unsettled", extra={"endpoint": owed.values["endpoint"], "error": str(trouble)}
        )
        self.owe_again(owed)

    def owe_again(self, owed: Owed) -> None:
        """Settle what was taken with the next call."""
        self._owed[owed.values["number"]] = owed

    def pay_all(self) -> None:
        """Settle whatever is owed; what cannot be settled now stays owed.

        Raises:
            ServiceUnavailable: PostgreSQL is away.
        """
        while self._owed:
            try:
                _, owed = self._owed.popitem()
            except KeyError:  # another thread was faster
                return
            try:
                self.pay(owed)
            except BaseException:
                self.owe_again(owed)
                raise

    def pay(self, owed: Owed) -> None:
        """Settle a call; where what it is said to have cost has no room in the table, what was reserved stays."""
        try:
            (row,) = self._holder.rows("settle_call", **owed.values)
        except psycopg.DataError as trouble:
            log.warning(
                "gateway_cost_unusable", extra={"endpoint": owed.values["endpoint"], "error": str(trouble)}
            )
            (row,) = self._holder.rows("settle_call", **{**owed.values, "cost_usd": owed.reserved_usd})
        self.heard(owed, is_settled=row["is_settled"])

    def heard(self, owed: Owed, *, is_settled: bool) -> None:
        """What the database said to a settlement: that the lease was gone is worth knowing."""
        if not is_settled:
            log.warning("gateway_lease_gone", extra={"endpoint": owed.values["endpoint"]})

    def _of(self, place: Place, outcome: str, cost_usd: float, error: str | None) -> Owed:
        values = {
            "endpoint": place.endpoint.name,
            **place.lease,
            "health": health_of(outcome),
            "cost_usd": cost_usd,
            "error": error or outcome,
            "now": self._now(),
            "open_after": self._rule.open_after,
            "open_s": self._rule.open_s,
        }
        return Owed(values, place.reserved_usd)
