"""The supervisor of a fault campaign: breaks what the plan says once its moment has come, and lets time pass."""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic, sleep
from typing import Any

import httpx

from bench.publish_clocks import Clocks
from bench.publish_desk import Desk
from bench.publish_pauses import Pauses
from bench.publish_person import Person
from bench.publish_plan import Event, Plan
from bench.publish_processes import Publishers, crash_postgres
from resources.postgres import is_outage
from resources.publishing.outlook import read_outlook
from resources.settings import Settings

log = logging.getLogger("rejoinder.bench")

LOOK_S = 0.05
IN_HAND_S = 0.6
LEAST_JUMP_S = 60.0  # what is due a little later than the next of all is waited for with it
LONGEST_WAIT_FOR_HAND_S = 3.0
NEVER = datetime.max.replace(tzinfo=UTC)
EDITED = "Heat pumps do work in winter, I was wrong"

STANDING = """
select count(*) filter (where state not in ('queued', 'sending', 'unknown'))::int as settled,
       count(*) filter (where state in ('queued', 'sending', 'unknown'))::int as open
from publication
"""


@dataclass(slots=True)
class Supervisor:
    """One run: what it breaks, what it waits for."""

    plan: Plan
    desk: Desk
    clocks: Clocks
    person: Person
    pauses: Pauses
    publishers: Publishers
    control: httpx.Client
    settings: Settings
    chance: Random
    advance: Callable[[int], None]
    broken: Counter[str] = field(default_factory=Counter)
    settled: int = 0
    waiting: list[Event] = field(default_factory=list)
    requests_before: int = 0

    def run(self, longest_s: float) -> float:
        """Publish, break and wait until every publication came to its end, or the time is over; seconds it took."""
        self.waiting = list(self.plan.events)
        self.requests_before = self._n_requests()
        began = monotonic()
        while monotonic() - began < longest_s:
            if self._step():
                break
            sleep(LOOK_S)
        else:
            log.warning("the campaign is not over after %g s", longest_s)
        self.pauses.end_all()
        return monotonic() - began

    def _step(self) -> bool:
        """Keep publishers running, break what is due, and say whether all is done; an outage is waited out."""
        try:
            self.publishers.keep_up()
            self.pauses.end_what_is_over()
            self._break_what_is_due()
            return self._is_done()
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("%s", error)
            return False

    def struck(self) -> dict[str, int]:
        """How many faults happened, by the sandbox's own count."""
        found: dict[str, int] = self._get("faults/struck")
        return found

    def _break_what_is_due(self) -> None:
        if not self.waiting:
            return
        n_requests = self._n_requests() - self.requests_before
        while self.waiting and self.waiting[0].at <= n_requests:
            event = self.waiting[0]
            getattr(self, f"_{event.kind}")(*event.of)
            self.broken[event.kind] += 1
            self.waiting.pop(0)

    def _n_requests(self) -> int:
        return int(self._get("summary")["write_requests"])

    def _fault(self, endpoint: str, kind: str, delay_s: str) -> None:
        order = {
            "endpoint": endpoint,
            "kind": kind,
            "times": 1,
            "delay_s": float(delay_s) / self._pieces(kind),
        }
        self._post("faults", order)

    def _pieces(self, kind: str) -> int:
        return 20 if kind == "slow_body" else 1

    def _kill(self, number: str) -> None:
        sleep(self.chance.uniform(0, 0.2))
        self.publishers.kill(int(number))

    def _kill_in_hand(self, number: str) -> None:
        """Kill while the sandbox holds a request that it will take afterwards."""
        for endpoint in ("create", "comment"):
            self._fault(endpoint, "slow", str(IN_HAND_S))
        until = monotonic() + LONGEST_WAIT_FOR_HAND_S
        while not self._get("health")["writes_in_hand"] and monotonic() < until:
            sleep(0.02)
        self.publishers.kill(int(number))

    def _postgres(self) -> None:
        crash_postgres(self.settings)

    def _sandbox_clock(self) -> None:
        self.clocks.skew_sandbox()

    def _database_clock(self) -> None:
        self.clocks.skew_database()

    def _publisher_clock(self) -> None:
        self.clocks.skew_publisher()

    def _reddit_tokens(self) -> None:
        for account in self.plan.accounts:
            if account.platform == "reddit":
                self._post("tokens", {"platform": "reddit", "state": "expired", "account": account.name})

    def _parent(self, post_id: str, end: str) -> None:
        self._post(f"posts/{post_id}", {"text": EDITED} if end == "text" else {end: True})

    def _pause_channel(self, name: str) -> None:
        self.pauses.begin(name)

    def _resume_channel(self, name: str) -> None:
        self.pauses.end(name)

    def _pause_everything(self, lasts_s: str) -> None:
        self.pauses.begin(None, float(lasts_s))

    def _is_done(self) -> bool:
        """Whether nothing is open; lets a person decide, or time pass, where all else waits for that."""
        [now] = self.desk.rows(STANDING)
        self.advance(now["settled"] - self.settled)
        self.settled = now["settled"]
        if not now["open"]:
            return self.person.settle() == 0
        next_at = self._idle_until()
        if next_at and not self.person.settle():
            self._go_on_at(next_at)
        return False

    def _go_on_at(self, next_at: datetime) -> None:
        """Nothing is due: let time pass, or resume the channels where all that is left waits for that."""
        if next_at < NEVER:
            self._let_time_pass(next_at)
        elif not self.pauses.is_everything_paused:
            self.pauses.end_all()

    def _idle_until(self) -> datetime | None:
        """When a publisher has something to do next; None while one has, NEVER where only people do.

        What a pause keeps back is nothing to do, however long it has been due.
        """
        now = self.clocks.now()
        with self.desk.owner.transaction() as tx:
            moments = [one.next_at for one in read_outlook(tx, now) if one.next_at]
        next_at = min(moments, default=NEVER)
        return None if next_at <= now or self._get("health")["writes_in_hand"] else next_at

    def _let_time_pass(self, next_at: datetime) -> None:
        needed_s = (next_at - self.clocks.now() + timedelta(seconds=0.2)).total_seconds()
        self.clocks.jump(max(needed_s, LEAST_JUMP_S))

    def _get(self, path: str) -> Any:
        return self.control.get(f"/sandbox/{path}").raise_for_status().json()

    def _post(self, path: str, body: dict[str, Any]) -> None:
        self.control.post(f"/sandbox/{path}", json=body).raise_for_status()
