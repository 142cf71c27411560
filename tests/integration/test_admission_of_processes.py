"""Admission across processes and broken connections: what a kill leaves behind, and that money is counted once."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gateway_rehearsal import ASKED, FREE, ArgumentClock, admission, endpoint, n_leases, rows, spent

from rejoinder.errors import BudgetSpent, ModelTrouble
from resources.llm.gateway.admission import GRACE_S, Admission
from resources.postgres import Database
from resources.provision import Addresses
from resources.tuning_models import ModelBudget

PROGRAM = Path(__file__).with_name("gateway_process.py")
ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(addresses: Addresses) -> Iterator[Start]:
    """Starts processes that call through admission; those left over are killed."""
    made: list[subprocess.Popen[str]] = []

    def act(**order: Any) -> "subprocess.Popen[str]":
        command = [sys.executable, str(PROGRAM), json.dumps({"url": addresses.app, **order})]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        made.append(process)
        return process

    yield act
    for process in made:
        process.kill()
        process.communicate()


@pytest.fixture
def door(addresses: Addresses) -> Iterator[Admission]:
    made = admission(addresses.app)
    yield made
    made.close()


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_killed_process_leaks_no_place_and_what_it_reserved_counts(
    start: Start, door: Admission, db: Database
) -> None:
    two = endpoint(max_concurrent=2)
    killed = start(what="hold", places=2, limit=2, estimate_usd=0.25)
    assert said(killed) == "holding"
    with pytest.raises(ModelTrouble, match="All 2 places"), door.admit(two, ASKED, estimate_usd=0.0):
        pass
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    until_gone(db)
    later = admission(door.holder.url)
    with later.admit(two, ASKED, estimate_usd=0.125) as place:
        assert n_leases(db) == 1
        place.settle("ok", 0.125)
    later.close()
    assert spent(db) == dict.fromkeys(("total", "task reply", "creator 7", "endpoint rehearsal"), 0.625)


def until_gone(db: Database) -> None:
    """Wait until the server has seen that the killed process is gone."""
    while len(rows(db, "select 1 from living_worker")) > 1:
        pass


def test_two_processes_never_spend_more_than_there_is(start: Start, db: Database) -> None:
    order = {"what": "spend", "threads": 6, "limit": 20, "estimate_usd": 0.01, "total_usd": 0.995}
    both = [start(**order, endpoint=name) for name in ("one", "another")]
    assert [said(process) for process in both] == ["ready", "ready"]
    for process in both:
        assert process.stdin is not None
        print(file=process.stdin, flush=True)
    assert sum(int(said(process)) for process in both) == 99
    assert spent(db)["total"] == pytest.approx(0.99)
    assert n_leases(db) == 0


def test_money_is_counted_by_one_at_a_time(addresses: Addresses, db: Database) -> None:
    """Whoever asks while another's reservation is not committed yet waits for it, also at another endpoint."""
    budget = ModelBudget(total_usd=1.0)
    door = admission(addresses.app, budget=budget)
    with door.admit(endpoint("one"), ASKED, estimate_usd=0.25) as place:
        place.settle("ok", 0.0)

    def ask_for_most() -> str:
        try:
            with door.admit(endpoint("another"), ASKED, estimate_usd=0.75):
                return "admitted"
        except BudgetSpent:
            return "spent"

    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as tx:
            tx.connection.execute(
                "select admit_call('one', 0, 1, 'reply', 7, 0.5, 1, null, 1, now(), 60, false, false, false)"
            )
            asking = pool.submit(ask_for_most)
            while not (asking.done() or rows(db, "select 1 from pg_locks where not granted")):
                pass
        assert asking.result(60) == "spent"
    door.close()
    assert spent(db)["total"] == 0.5


def test_a_lease_whose_time_is_over_is_taken_away_though_its_holder_lives(
    addresses: Addresses, db: Database
) -> None:
    clock = ArgumentClock()
    one = endpoint(max_concurrent=1, timeout_s=5.0)
    here, there = admission(addresses.app, now=clock), admission(addresses.app, now=clock)
    with here.admit(one, ASKED, estimate_usd=0.5) as hanging:
        clock.advance(seconds=5 + GRACE_S)
        with there.admit(one, ASKED, estimate_usd=0.25) as place:
            place.settle("ok", 0.25)
        hanging.settle("ok", 0.125)
    here.close()
    there.close()
    assert spent(db)["total"] == 0.75


def break_connections(db: Database) -> None:
    """End the connections that hold workers' locks, as a restart of the server would."""
    text = "select pg_terminate_backend(pid, 10000) from pg_locks where classid = 21066 and objsubid = 2"
    assert rows(db, text + " and database = (select oid from pg_database where datname = current_database())")


def test_a_broken_connection_is_opened_again_and_its_leases_stay(door: Admission, db: Database) -> None:
    two = endpoint(max_concurrent=2)
    with door.admit(two, ASKED, estimate_usd=0.5) as before:
        worker = door.holder.worker().number
        break_connections(db)
        with door.admit(two, ASKED, estimate_usd=0.5) as after:
            assert door.holder.worker().number == worker
            assert n_leases(db) == 2
            after.settle("ok", 0.125)
        break_connections(db)
        before.settle("ok", 0.125)
    assert (n_leases(db), spent(db)["total"]) == (0, 0.25)


def test_what_could_not_be_settled_is_settled_with_the_next_call(
    door: Admission, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with door.admit(endpoint(), ASKED, estimate_usd=0.5) as place:
        door.holder.worker().connection.close()
        monkeypatch.setattr(door.holder, "url", "postgresql://nobody@127.0.0.1:9/nowhere")
        place.settle("ok", 0.125)
    assert n_leases(db) == 1
    monkeypatch.undo()
    with door.admit(endpoint(), ASKED, estimate_usd=0.5) as place:
        place.settle("ok", 0.125)
    assert (n_leases(db), spent(db)["total"]) == (0, 0.25)


# From Python 3.12 on a fork of a process with threads warns; the pool has some.
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_calls_on_a_connection_of_its_own(door: Admission, db: Database) -> None:
    one = endpoint(max_concurrent=2, price=FREE)
    with door.admit(one, ASKED, estimate_usd=0.0) as place:
        number = door.holder.worker().number
        child = os.fork()
        if child == 0:
            ok = False
            try:
                with door.admit(one, ASKED, estimate_usd=0.0) as mine:
                    ok = door.holder.worker().number != number and n_leases_of(door) == 2
                    mine.settle("ok", 0.0)
            finally:
                os._exit(0 if ok else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert n_leases(db) == 1
        place.settle("ok", 0.0)
    assert door.holder.worker().number == number
    assert n_leases(db) == 0


def n_leases_of(door: Admission) -> int:
    return int(door.loads(("rehearsal",))["rehearsal"])


def test_who_came_first_is_not_overtaken(addresses: Addresses, door: Admission, db: Database) -> None:
    """A place that comes free is the waiting process's, however often another one asks meanwhile."""
    one = endpoint(max_concurrent=1, price=FREE)
    waits = admission(addresses.app, queue_s=60)
    is_over = threading.Event()

    def wait_and_keep() -> None:
        with waits.admit(one, ASKED, estimate_usd=0.0) as place:
            is_over.wait(60)
            place.settle("ok", 0.0)

    with ThreadPoolExecutor(1) as pool:
        with door.admit(one, ASKED, estimate_usd=0.0) as place:
            waiting = pool.submit(wait_and_keep)
            while not rows(db, "select 1 from endpoint_waiter"):
                pass
            place.settle("ok", 0.0)
        try:
            for _ in range(20):
                with pytest.raises(ModelTrouble, match="taken"), door.admit(one, ASKED, estimate_usd=0.0):
                    pass
        finally:
            is_over.set()
        waiting.result(60)
    assert rows(db, "select 1 from endpoint_waiter") == []
    with door.admit(one, ASKED, estimate_usd=0.0) as place:
        place.settle("ok", 0.0)
    waits.close()
