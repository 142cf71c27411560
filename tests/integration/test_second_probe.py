"""Two processes at an endpoint that is being tried: who read its state before the trial failed is not let through."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from gateway_rehearsal import ASKED, ArgumentClock, admission, endpoint, n_leases, rows, spent

from rejoinder.errors import ModelTrouble
from resources.llm.gateway.admission import Admission
from resources.postgres import Database
from resources.provision import Addresses

SETTLE = "select settle_call('rehearsal', %s, %s, %s, %s, 0.5, 'again', %s, 1, 30)"


def ask(door: Admission) -> bool:
    with door.admit(endpoint(), ASKED, estimate_usd=0.25) as place:
        place.settle("ok", 0.25)
    return True


@pytest.mark.parametrize(("health", "is_let_through"), [("bad", False), ("good", True)])
def test_what_was_read_before_the_trial_ended_does_not_count(
    addresses: Addresses, db: Database, owner_db: Database, health: str, is_let_through: bool
) -> None:
    clock = ArgumentClock()
    with ExitStack() as doors:
        here, there = (admission(addresses.app, now=clock, open_after=1, open_s=30.0) for _ in range(2))
        doors.callback(here.close)
        doors.callback(there.close)
        pool = doors.enter_context(ThreadPoolExecutor(1))
        with here.admit(endpoint(), ASKED, estimate_usd=0.0) as place:
            place.settle("server", 0.0, "status 500")
        clock.advance(seconds=30)
        with here.admit(endpoint(), ASKED, estimate_usd=0.5) as probe:
            probe.is_settled = True
            with owner_db.transaction() as tx:
                tx.connection.execute("lock table endpoint_lease in access exclusive mode")
                asked = pool.submit(ask, there)
                wait_for_the_lock(db, asked)
                lease = probe.lease
                tx.connection.execute(
                    SETTLE, (lease["place"], lease["worker"], lease["number"], health, clock())
                )
            if is_let_through:
                assert asked.result(30)
            else:
                with pytest.raises(ModelTrouble, match="until 12:01:30 UTC; the last failure: again"):
                    asked.result(30)
    assert n_leases(db) == 0 and spent(db)["total"] == 0.5 + 0.25 * is_let_through
    state = "closed" if is_let_through else "open"
    assert rows(db, "select breaker from model_endpoint") == [{"breaker": state}]


def wait_for_the_lock(db: Database, asked: "Future[bool]") -> None:
    """Until the question has read the endpoint's state and waits for its leases."""
    waiting = "select 1 from pg_locks where not granted and relation = 'endpoint_lease'::regclass"
    while not (asked.done() or rows(db, waiting)):
        threading.Event().wait(0.01)
