"""Admission: no call of a model without a place at its endpoint and money for it.

What belongs here: waiting for a place, and saying why there is none. Places and money are counted in the database
(migration 0014), so that processes share them.
"""

import itertools
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg

from rejoinder.errors import ModelRefusal
from rejoinder.llm.breaker import BreakerRule
from rejoinder.llm.choosing import WITHOUT_MODEL
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.requests import LlmRequest
from resources.llm.gateway.calls import Look, error_in_words
from resources.llm.gateway.holder import Holder
from resources.llm.gateway.refusals import refusal
from resources.llm.gateway.seats import Seats, busy
from resources.llm.gateway.settling import Place, Settlements

if TYPE_CHECKING:
    from resources.tuning_models import ModelBudget, Models

log = logging.getLogger("rejoinder.llm")
# A lease outlasts the longest call by this much, so that no call that is merely slow loses its place.
GRACE_S = 30.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.005, 0.05
REAP_EVERY_S = 1.0


class Admission:
    """Lets calls through as places and money allow; shared by all threads of a process.

    Args:
        url: of the database.
        models: how long to wait, and when an endpoint is left alone.
        budget: what may be spent on a UTC day.
        now: the time that days, breakers and leases go by.
        clock: seconds on a clock that only goes forward; deadlines are times of it.
        sleep: waits some seconds.
        draw: a random number in [0, 1).
    """

    def __init__(
        self,
        url: str,
        models: "Models",
        budget: "ModelBudget",
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.holder = Holder(url)
        self._models, self._budget = models, budget
        self.settlements = Settlements(self.holder, BreakerRule(models.open_after, models.open_s), now)
        self._now, self._clock, self._sleep, self._draw = now, clock, sleep, draw
        self._seats = Seats(clock)
        self._numbers = itertools.count(1)

    @contextmanager
    def admit(
        self,
        endpoint: Endpoint,
        request: LlmRequest,
        *,
        estimate_usd: float,
        deadline: float | None = None,
        is_check: bool = False,
        patience_s: float = 0.0,
        look: Look | None = None,
    ) -> Iterator[Place]:
        """A place and the money for one call, for the length of the block; waits up to models.queue_s for the place.

        Leaving the block without `Place.settle` gives the place back and counts the whole estimate as spent, because
        the call may have been sent. An endpoint that answers without a model has no limit and costs nothing: it is let
        through without a look at the database.

        Args:
            endpoint: what is to be called.
            request: its task and its creator say whose money it is.
            estimate_usd: what the call may cost at most.
            deadline: time of the clock after which nobody waits any more.
            is_check: a person asks whether the endpoint works: let through though it is switched off or left alone.
            patience_s: seconds for which PostgreSQL is waited for where it is away when it is asked.
            look: for kept answers, made by the statement that takes the place if nobody has made it, or before another
                thread of this process is waited for.

        Raises:
            AlreadyAnswered: the look found the answer.
            ModelTrouble: ("busy") no place came free in time; ("open") the endpoint is left alone, or switched off.
            BudgetSpent: a budget has not that much left today.
            ModelRefusal: ("price") what a call costs is not known.
            ServiceUnavailable: PostgreSQL is away.
        """
        if endpoint.uri.provider == WITHOUT_MODEL:
            yield Place(endpoint)
            return
        refuse_unpriced(endpoint)
        last_s = deadline if deadline is not None else float("inf")
        until_s = min(self._clock() + self._models.queue_s, last_s)
        values = self._asked(endpoint, request, estimate_usd, is_check)
        asking = _Asking(endpoint, values, patience_s, last_s, look)
        with self._seats.taken(endpoint, until_s, asking.look_first):
            place = self._lease(asking, until_s)
            try:
                yield place
            finally:
                place.leave()

    def loads(self, names: tuple[str, ...]) -> Mapping[str, int]:
        """Places that are taken now at these endpoints, by all processes; those without any are left out."""
        return {row["endpoint"]: row["n"] for row in self.holder.rows("endpoint_loads", names=list(names))}

    def close(self) -> None:
        """Let go of the connection."""
        self.holder.close()

    def _lease(self, asking: "_Asking", until_s: float) -> Place:
        """A lease, asked for until there is one: one thread asks at a time, so that the first to come is the first."""
        endpoint, values = asking.endpoint, asking.values
        with self._seats.turn(endpoint, until_s, asking.look_first) as seat:
            for wait_s in _waits():
                asked_s = self._clock()
                values["may_reap"] = seat.may_reap(asked_s, REAP_EVERY_S)
                values["will_wait"] = asked_s < until_s
                place = self._try(asking)
                if place is not None:
                    return place
                if values["may_reap"]:
                    seat.reaped_s = asked_s
                if not values["will_wait"]:
                    raise busy(endpoint)
                self._sleep(min(wait_s * (0.5 + self._draw()), max(0.0, until_s - self._clock())))
        raise AssertionError("waits have no end")

    def _asked(
        self, endpoint: Endpoint, request: LlmRequest, estimate_usd: float, is_check: bool
    ) -> dict[str, Any]:
        return {
            "endpoint": endpoint.name,
            "number": next(self._numbers),
            "task": request.task,
            "creator_id": request.creator_id,
            "price_usd": estimate_usd,
            "total_limit": self._budget.total_usd,
            "task_limit": self._budget.tasks.get(request.task),
            "creator_limit": self._budget.creator_usd,
            "lasting_s": endpoint.timeout_s + GRACE_S,
            "is_check": is_check,
        }

    def _try(self, asking: "_Asking") -> Place | None:
        """The lease, or None while all places are taken."""
        endpoint, values, now = asking.endpoint, asking.values, self._now()
        row = self._ask(asking, now)
        if row["verdict"] == "unknown":
            from resources.llm.gateway.registry import endpoint_values

            self.holder.rows("save_endpoint", **endpoint_values(endpoint))
            row = self._ask(asking, now)
        if row["verdict"] == "admitted":
            lease = {"place": row["place"], "worker": row["worker"], "number": values["number"]}
            return Place(endpoint, self.settlements, lease, values["price_usd"])
        if row["verdict"] == "full":
            return None
        raise refusal(endpoint, values, row, now)

    def _ask(self, asking: "_Asking", now: datetime) -> dict[str, Any]:
        """What the database says, which is waited for while it is away."""
        within_s = max(0.0, min(asking.patience_s, asking.last_s - self._clock()))
        return self.holder.when_back(partial(self._ask_now, asking, now), within_s)

    def _ask_now(self, asking: "_Asking", now: datetime) -> dict[str, Any]:
        self.settlements.pay_all()
        if asking.look is not None and not asking.look.is_made:
            row = self._look(asking, asking.look, now)
            if row is not None and row["verdict"] is not None:
                return row
        return self.holder.rows("admit_call", **asking.values, now=now)[0]

    def _look(self, asking: "_Asking", look: Look, now: datetime) -> dict[str, Any] | None:
        """What the database says if no answer is kept; None where the table of them is in trouble."""
        name = asking.endpoint.name
        try:
            (row,) = self.holder.rows(
                "admit_unless_kept",
                **asking.values,
                now=now,
                keys=list(look.keys.values()),
                enough=look.enough(name),
            )
        except psycopg.Error as error:
            log.warning("kept answers could not be read: %s", error_in_words(error))
            look.is_made = True
            return None
        kept = zip(
            row["kept_keys"] or (), row["kept_replies"] or (), row["kept_checksums"] or (), strict=True
        )
        look.make([{"key": key, "reply": reply, "checksum": checksum} for key, reply, checksum in kept], name)
        return row


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked of the database for one place; waited for is it for patience_s, up to last_s of the clock."""

    endpoint: Endpoint
    values: dict[str, Any]
    patience_s: float
    last_s: float
    look: Look | None

    def look_first(self) -> None:
        """Look for kept answers before another thread is waited for: they need no place."""
        if self.look is not None:
            self.look.make_alone(self.endpoint.name)


def refuse_unpriced(endpoint: Endpoint) -> None:
    """Pass silently if it is known what calls of the endpoint cost.

    Raises:
        ModelRefusal: ("price") it is not.
    """
    if endpoint.price is None:
        from resources.llm.providers.known_prices import price_hint

        raise ModelRefusal(
            "price",
            f"What calls of the endpoint {endpoint.name} cost is not known.",
            fix=f"Set price_in and price_out in [endpoints.{endpoint.name}] of rejoinder.toml; 0 is a price too."
            + price_hint(endpoint.uri),
        )


def _waits() -> Iterator[float]:
    wait_s = FIRST_WAIT_S
    while True:
        yield wait_s
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)
