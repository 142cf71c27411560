"""Admission: places, money and the circuit breaker in the database, in one process."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from gateway_rehearsal import ASKED, FREE, NOON, ArgumentClock, admission, endpoint, n_leases, rows, spent

from rejoinder.errors import BudgetSpent, ModelRefusal, ModelTrouble
from rejoinder.llm.endpoints import Endpoint
from resources.llm.gateway.admission import Admission
from resources.postgres import Database
from resources.provision import Addresses
from resources.tuning_models import ModelBudget


@pytest.fixture
def clock() -> ArgumentClock:
    return ArgumentClock()


@pytest.fixture
def door(addresses: Addresses, clock: ArgumentClock) -> Iterator[Admission]:
    made = admission(
        addresses.app, now=clock, budget=ModelBudget(total_usd=1.0, creator_usd=0.8, tasks={"claims": 0.3})
    )
    yield made
    made.close()


def call(
    door: Admission, at: Endpoint, outcome: str = "ok", cost_usd: float = 0.0, error: str | None = None
) -> None:
    with door.admit(at, ASKED, estimate_usd=0.0) as place:
        place.settle(outcome, cost_usd, error)


def test_a_place_is_taken_and_given_back_with_what_it_cost(door: Admission, db: Database) -> None:
    with door.admit(endpoint(), ASKED, estimate_usd=0.5) as place:
        assert spent(db) == dict.fromkeys(("total", "task reply", "creator 7", "endpoint rehearsal"), 0.5)
        assert door.loads(("rehearsal", "another")) == {"rehearsal": 1}
        place.settle("ok", 0.125)
    assert spent(db) == dict.fromkeys(("total", "task reply", "creator 7", "endpoint rehearsal"), 0.125)
    assert door.loads(("rehearsal",)) == {}


def test_a_block_left_without_a_word_counts_what_it_reserved(door: Admission, db: Database) -> None:
    with pytest.raises(KeyError), door.admit(endpoint(), ASKED, estimate_usd=0.5):
        raise KeyError("a bug")
    assert (n_leases(db), spent(db)["total"]) == (0, 0.5)
    assert rows(db, "select breaker, failures from model_endpoint") == [{"breaker": "closed", "failures": 0}]


def test_a_cost_that_nobody_can_believe_keeps_what_was_reserved(door: Admission, db: Database) -> None:
    """A server may tell any number of tokens: it neither keeps the place nor stands in the way of later calls."""
    one = endpoint(max_concurrent=1)
    with door.admit(one, ASKED, estimate_usd=0.5) as place:
        place.settle("ok", 1e9)
    assert (n_leases(db), spent(db)["total"]) == (0, 0.5)
    call(door, one)


def test_all_places_taken_is_busy(door: Admission, db: Database) -> None:
    two = endpoint(max_concurrent=2)
    with door.admit(two, ASKED, estimate_usd=0.0), door.admit(two, ASKED, estimate_usd=0.0):
        with (
            pytest.raises(ModelTrouble, match="All 2 places") as found,
            door.admit(two, ASKED, estimate_usd=0.0),
        ):
            pass
        assert found.value.kind == "busy"
    call(door, two)


def test_who_waits_gets_the_next_place(addresses: Addresses, db: Database) -> None:
    one = endpoint(max_concurrent=1, price=FREE)
    with ExitStack() as doors:
        here, there = (admission(addresses.app, queue_s=20) for _ in range(2))
        doors.callback(here.close)
        doors.callback(there.close)
        with ThreadPoolExecutor() as pool:
            with here.admit(one, ASKED, estimate_usd=0.0) as place:
                waiting = [pool.submit(call, door, one) for door in (here, there, there)]
                place.settle("ok", 0.0)
            for found in waiting:
                found.result(20)
    assert n_leases(db) == 0


def test_a_price_nobody_knows_is_refused_with_the_fix(door: Admission) -> None:
    with (
        pytest.raises(ModelRefusal, match="not known") as found,
        door.admit(endpoint(price=None), ASKED, estimate_usd=0.0),
    ):
        pass
    assert found.value.kind == "price" and "price_in" in str(found.value.fix)


@pytest.mark.parametrize(
    ("task", "price", "key", "limit"),
    [("reply", 1.01, "budget.total_usd", "of 1 US"), ("reply", 0.81, "budget.creator_usd", "of 0.8 US"),
     ("claims", 0.31, "budget.tasks.claims", "of 0.3 US")],
)  # fmt: skip
def test_each_budget_refuses_by_name(
    door: Admission, db: Database, task: str, price: float, key: str, limit: str
) -> None:
    from dataclasses import replace

    asked = replace(ASKED, task=task)
    with (
        pytest.raises(BudgetSpent, match="No day's budget") as found,
        door.admit(endpoint(), asked, estimate_usd=price),
    ):
        pass
    assert limit in str(found.value) and key in str(found.value.fix)
    assert (n_leases(db), spent(db)) == (0, {})


def test_a_budget_that_is_spent_has_money_again_the_next_day(
    door: Admission, db: Database, clock: ArgumentClock
) -> None:
    with door.admit(endpoint(), ASKED, estimate_usd=0.7) as place:
        with (
            pytest.raises(BudgetSpent, match=r"0\.7 are spent or reserved.*2026-11-22 00:00 UTC"),
            door.admit(endpoint(), ASKED, estimate_usd=0.2),
        ):
            pass
        clock.advance(hours=13)
        with door.admit(endpoint(), ASKED, estimate_usd=0.7) as next_day:
            next_day.settle("ok", 0.7)
        place.settle("ok", 0.25)
    found = rows(
        db, "select day::text, spent_usd::float8 as usd from model_spend where scope = 'total' order by 1"
    )
    assert found == [{"day": "2026-11-21", "usd": 0.25}, {"day": "2026-11-22", "usd": 0.7}]


def test_without_a_price_no_budget_is_asked(addresses: Addresses, db: Database) -> None:
    door = admission(addresses.app, budget=ModelBudget(total_usd=0.0))
    call(door, endpoint(price=FREE))
    with pytest.raises(BudgetSpent), door.admit(endpoint(), ASKED, estimate_usd=1e-6):
        pass
    door.close()
    assert spent(db) == {}


def test_failures_in_a_row_open_the_breaker_and_one_probe_closes_it(
    door: Admission, db: Database, clock: ArgumentClock
) -> None:
    at = endpoint(price=FREE)
    for kind in ("timeout", "server", "content", "connection", "empty"):
        call(door, at, kind)
    call(door, at)
    for kind in ("timeout", "server", "content", "connection", "empty", "rate_limit"):
        call(door, at, kind, error=f"it was {kind}")
    with pytest.raises(
        ModelTrouble, match="until 12:00:30 UTC; the last failure: it was rate_limit"
    ) as found:
        call(door, at)
    assert (found.value.kind, found.value.retry_after_s) == ("open", 30.0)
    clock.advance(seconds=30)
    with door.admit(at, ASKED, estimate_usd=0.0) as probe:
        with pytest.raises(ModelTrouble, match="while one call tries it"):
            call(door, at)
        probe.settle("timeout", 0.0)
    with pytest.raises(ModelTrouble, match="until 12:01:30"):
        call(door, at)
    clock.advance(seconds=60)
    call(door, at, "content")
    call(door, at)
    assert rows(db, "select breaker, failures, opened_until, last_ok_at from model_endpoint") == [
        {"breaker": "closed", "failures": 0, "opened_until": None, "last_ok_at": clock()}
    ]
    assert clock() > NOON


def test_calls_leave_nothing_behind(door: Admission, db: Database, owner_db: Database) -> None:
    """A place is used again, and its old versions are cleared away without a vacuum."""
    for _ in range(300):
        call(door, endpoint(price=FREE))
    assert rows(db, "select place, worker from endpoint_lease") == [{"place": 1, "worker": None}]
    [size] = rows(owner_db, "select pg_relation_size('endpoint_lease') as bytes")
    assert size["bytes"] <= 4 * 8192
