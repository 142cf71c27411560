"""The meter over books in memory: never beyond a budget, few looks, nothing lost."""

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rejoinder.errors import ServiceUnavailable
from rejoinder.listening.policy import ChannelPolicy, default_policy
from rejoinder.listening.spending import FREE, Order, Spent, Stop, budget_of, decide, month_of
from resources.platforms.failures import RateLimited, SpendStopped
from resources.spending.books import Counts
from resources.spending.meter import ReadsOnly, SpendMeter, Synced, Terms

PAID = replace(default_policy("x/self_serve"), spend_cap_usd_per_day=1.0, spend_cap_usd_per_month=3.0)
POST, USER = Decimal("0.005"), Decimal("0.01")


@dataclass
class Wall:
    """A clock that is set."""

    now: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def on(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Shelf:
    """The books of one channel, which several processes share."""

    clock: Wall = field(default_factory=Wall)
    policy: ChannelPolicy = PAID
    charged: dict[tuple[date, str], set[str]] = field(default_factory=dict)
    holds: dict[int, Decimal] = field(default_factory=dict)
    syncs: int = 0
    looks: int = 0
    is_away: bool = False
    told: list[Stop] = field(default_factory=list)

    def spent(self, holder: int | None = None) -> Spent:
        today = self.clock().date()
        cost = {
            key: len(ids) * Terms(self.policy, budget_of(self.policy, "x")).price_usd(key[1])  # type: ignore[arg-type]
            for key, ids in self.charged.items()
        }
        held = sum((usd for who, usd in self.holds.items() if who != holder), FREE)
        return Spent(
            sum((usd for (day, _), usd in cost.items() if day == today), FREE),
            sum((usd for (day, _), usd in cost.items() if day >= month_of(today)), FREE),
            held,
            held,
        )


@dataclass
class Ledger:
    """One process's way to the shelf."""

    shelf: Shelf
    number: int = 0

    def terms(self) -> Terms:
        self.shelf.looks += 1
        return Terms(self.shelf.policy, budget_of(self.shelf.policy, "x"))

    def sync(self, counts: Counts, order: Order) -> Synced:
        if self.shelf.is_away:
            raise ServiceUnavailable("away")
        self.shelf.syncs += 1
        for key, ids in counts.items():
            self.shelf.charged.setdefault(key, set()).update(ids)
        terms = Terms(self.shelf.policy, budget_of(self.shelf.policy, "x"))
        grant = decide(terms.budget, self.shelf.spent(self.number), order, self.shelf.clock())
        self.shelf.holds[self.number] = order.keep_usd + grant.usd
        return Synced(grant, terms)

    def stop(self, stop: Stop) -> None:
        self.shelf.told.append(stop)


def opened(shelf: Shelf, number: int = 0) -> SpendMeter:
    return SpendMeter(Ledger(shelf, number), shelf.clock)


def ids(n: int, first: int = 0) -> list[str]:
    return [str(first + number) for number in range(n)]


def test_a_call_that_has_no_room_is_stopped_until_the_day_turns() -> None:
    shelf = Shelf()
    meter = opened(shelf)
    for page in range(2):
        meter.allow("post_read", 100)
        meter.count("post_read", ids(100, page * 100))
    with pytest.raises(SpendStopped, match=r"of the day is 1\.00 USD, 0\.00 USD of it are left") as stopped:
        meter.allow("post_read", 1)
    assert isinstance(stopped.value, RateLimited) and stopped.value.kind == "rate_limited"
    assert stopped.value.retry_at == datetime(2026, 11, 22, tzinfo=UTC)
    shelf.clock.on(hours=12)
    meter.allow("post_read", 100)


def test_people_are_told_of_a_stop_unless_a_smaller_call_follows_at_once() -> None:
    shelf = Shelf()
    meter = opened(shelf)
    with pytest.raises(SpendStopped):
        meter.allow("post_read", 400)
    meter.tick()
    meter.allow("post_read", 20)
    shelf.clock.on(seconds=5)
    meter.tick()
    assert shelf.told == []
    with pytest.raises(SpendStopped):
        meter.allow("post_read", 400)
    shelf.clock.on(seconds=5)
    meter.tick()
    meter.tick()
    assert [stop.needed_usd for stop in shelf.told] == [2]


def test_a_raised_budget_lets_it_go_on_at_once() -> None:
    shelf = Shelf()
    meter = opened(shelf)
    with pytest.raises(SpendStopped):
        meter.allow("post_read", 201)
    shelf.policy = replace(PAID, spend_cap_usd_per_day=2.0)
    meter.allow("post_read", 201)


def test_the_month_stops_what_days_let_pass() -> None:
    shelf = Shelf(policy=replace(PAID, spend_cap_usd_per_month=1.5))
    meter = opened(shelf)
    for page in range(3):
        meter.allow("post_read", 100)
        meter.count("post_read", ids(100, page * 100))
        shelf.clock.on(hours=12)
    with pytest.raises(SpendStopped) as stopped:
        meter.allow("post_read", 1)
    assert stopped.value.retry_at == datetime(2026, 12, 1, tzinfo=UTC)


def test_what_a_call_did_not_use_is_there_for_the_next() -> None:
    shelf = Shelf()
    meter = opened(shelf)
    for call in range(50):
        meter.allow("post_read", 100)
        meter.count("post_read", ids(1, call))
    for _ in range(50):
        meter.allow("post_read", 150)
        meter.count("post_read", [])
    with pytest.raises(SpendStopped):
        meter.allow("post_read", 151)


def test_a_stream_needs_few_looks_and_counts_every_post() -> None:
    shelf = Shelf(policy=replace(PAID, spend_cap_usd_per_day=1000.0, spend_cap_usd_per_month=None))
    meter = opened(shelf)
    for second in range(20):
        for number in range(250):
            meter.allow("post_read", 1)
            meter.count("post_read", [f"{second}-{number}"])
            shelf.clock.on(seconds=1 / 250)
        meter.tick()
    assert shelf.syncs < 20 * 4
    meter.rest()
    assert shelf.spent() == Spent(5000 * POST, 5000 * POST)


def test_a_first_call_holds_no_more_than_it_may_cost() -> None:
    shelf = Shelf()
    opened(shelf).allow("post_read", 10)
    assert shelf.holds == {0: 10 * POST}


def test_what_is_held_ahead_is_a_hundredth_of_the_budget_at_most() -> None:
    shelf = Shelf()
    meter = opened(shelf)
    for number in range(40):
        meter.allow("post_read", 1)
        meter.count("post_read", [str(number)])
        assert shelf.spent().day_usd + shelf.holds[0] <= (number + 1) * POST + Decimal("0.01")


def test_what_costs_nothing_is_counted_and_never_asked_about() -> None:
    shelf = Shelf(policy=default_policy("reddit/approved_app"))
    meter = opened(shelf)
    for call in range(100):
        meter.allow("post_read", 1000)
        meter.count("post_read", ids(1, call))
    assert (shelf.syncs, shelf.looks) == (0, 1)
    meter.rest()
    assert len(shelf.charged[date(2026, 11, 21), "post_read"]) == 100 and shelf.syncs == 1


def test_a_resource_counts_on_the_day_on_which_it_came() -> None:
    shelf = Shelf()
    meter = opened(shelf)
    meter.allow("post_read", 2)
    meter.count("post_read", ["1"])
    shelf.clock.on(hours=12)
    meter.count("post_read", ["1"])
    meter.rest()
    assert sorted(shelf.charged) == [(date(2026, 11, 21), "post_read"), (date(2026, 11, 22), "post_read")]


def test_nothing_is_lost_while_the_database_is_away() -> None:
    shelf = Shelf()
    meter = opened(shelf)
    meter.allow("post_read", 100)
    shelf.is_away = True
    meter.count("post_read", ids(100))
    meter.tick()
    with pytest.raises(ServiceUnavailable):
        meter.allow("post_read", 100)
    shelf.is_away = False
    meter.tick()
    assert shelf.spent().day_usd == 100 * POST


def test_a_hold_is_renewed_and_what_nobody_needs_given_back() -> None:
    shelf = Shelf()
    meter = opened(shelf)
    meter.allow("post_read", 1)
    meter.count("post_read", ["1"])
    meter.allow("post_read", 100)
    meter.tick()
    syncs = shelf.syncs
    shelf.clock.on(seconds=29)
    meter.tick()
    assert shelf.syncs == syncs
    shelf.clock.on(seconds=1)
    meter.tick()
    assert shelf.syncs == syncs + 1 and shelf.holds == {0: 100 * POST}
    meter.rest()
    assert shelf.holds == {0: 0}


def test_who_polls_all_the_time_keeps_no_more_than_the_share() -> None:
    shelf = Shelf()
    meter = opened(shelf)
    for poll in range(3):
        meter.allow("post_read", 100)
        meter.count("post_read", [str(poll)])
        meter.count("post_read", [])
        shelf.clock.on(seconds=15)
        meter.tick()
        assert shelf.holds[0] <= Decimal("0.01")


def test_threads_keep_to_one_budget_together() -> None:
    shelf = Shelf()
    meter, passed = opened(shelf), []
    start = threading.Barrier(8)

    def read(name: int) -> None:
        start.wait()
        for call in range(50):
            try:
                meter.allow("post_read", 3)
            except SpendStopped:
                return
            meter.count("post_read", [f"{name}-{call}-{number}" for number in range(3)])
            passed.append(3)

    threads = [threading.Thread(target=read, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    meter.rest()
    assert shelf.spent().day_usd == sum(passed) * POST
    assert Decimal("0.9") < shelf.spent().day_usd <= 1


def test_deeds_are_left_to_the_publisher() -> None:
    shelf = Shelf()
    meter = ReadsOnly(opened(shelf))
    meter.allow("create", 1000)
    meter.count("create", ["9"])
    with pytest.raises(SpendStopped):
        meter.allow("own_read", 1001)
    meter.count("own_read", [])
    assert not shelf.charged


class Processes(RuleBasedStateMachine):
    """Three processes read within one budget; some are killed, posts come twice, and time goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.shelf = Shelf()
        self.meters = {number: opened(self.shelf, number) for number in range(3)}
        self.open_calls: dict[int, int] = {}
        self.seen: set[tuple[date, str]] = set()
        self.started = 3

    def alive(self) -> list[int]:
        return sorted(self.meters)

    @rule(data=st.data(), n=st.integers(1, 120))
    def ask(self, data: st.DataObject, n: int) -> None:
        who = data.draw(st.sampled_from(self.alive()))
        try:
            self.meters[who].allow("post_read", n)
            self.open_calls[who] = n
        except SpendStopped:
            self.open_calls.pop(who, None)

    @precondition(lambda self: self.open_calls)
    @rule(data=st.data(), first=st.integers(0, 300))
    def answer(self, data: st.DataObject, first: int) -> None:
        who = data.draw(st.sampled_from(sorted(self.open_calls)))
        n = data.draw(st.integers(0, self.open_calls.pop(who)))
        self.meters[who].count("post_read", ids(n, first))
        self.seen.update((self.shelf.clock().date(), name) for name in ids(n, first))

    @rule(seconds=st.sampled_from([0.5, 3, 40, 20_000]))
    def wait(self, seconds: float) -> None:
        self.shelf.clock.on(seconds=seconds)
        for meter in self.meters.values():
            meter.tick()

    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from(self.alive()))
        del self.meters[who]
        self.open_calls.pop(who, None)
        self.meters[self.started] = opened(self.shelf, self.started)
        self.started += 1

    @invariant()
    def no_budget_is_exceeded(self) -> None:
        """What platforms charged is spent or held, and both together are within what there is."""
        spent = self.shelf.spent()
        assert spent.month_usd + spent.held_month_usd <= Decimal(3)
        assert spent.day_usd + spent.held_day_usd <= Decimal(1)
        today, price = self.shelf.clock().date(), POST
        truly_today = sum(1 for day, _ in self.seen if day == today) * price
        assert truly_today <= spent.day_usd + spent.held_day_usd
        assert sum(1 for day, _ in self.seen) * price <= spent.month_usd + spent.held_month_usd


Processes.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestProcesses = Processes.TestCase
