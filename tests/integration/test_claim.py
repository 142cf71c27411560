"""The shared claim: leases, crashes, back-off, death, two workers side by side."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rejoinder.errors import InputUnreadable, LeaseLost
from resources.due import sources_due
from resources.living_worker import living_worker
from resources.postgres import Database, Transaction
from resources.tuning import StageTuning
from resources.work.runner import work_off, work_side_by_side
from resources.work.stopping import StopSignal


@dataclass
class Chunking:
    """A step over sources: bad ones raise, each success is written down once."""

    bad: frozenset[int] = frozenset()
    name: str = "chunk"
    table: str = "source"
    worked: list[int] = field(default_factory=list)
    delay_s: float = 0.0

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[Any]:
        return list(ids)

    def work(self, items: Sequence[Any]) -> list[Any]:
        time.sleep(self.delay_s)
        if self.bad & set(items):
            raise InputUnreadable("bad")
        return [i * 10 for i in items]

    def save(self, tx: Transaction, item: Any, result: Any, worker: int) -> str:
        if not tx.execute("advance_source", id=item, step="embed", worker=worker):
            raise LeaseLost(str(item))
        self.worked.append(item)
        return "done"


@pytest.fixture
def sources(owner_db: Database) -> list[int]:
    with owner_db.transaction() as tx:
        tx.connection.execute("insert into creator (name) values ('c')")
        tx.connection.execute("insert into project (creator_id, name) select id, 'p' from creator")
        rows = tx.connection.execute(
            "insert into source (project_id, name, title, format, content_hash)"
            " select p.id, 's' || n, 't', 'vtt', 'h' from project p, generate_series(1, 40) n returning id"
        ).fetchall()
    return [r["id"] for r in rows]


TUNING = StageTuning(batch=10, group=4, timeout_s=60, max_attempts=2, backoff_s=60)


def statuses(db: Database) -> dict[str, int]:
    with db.transaction() as tx:
        rows = tx.connection.execute("select step || '/' || status k, count(*) n from source group by 1")
        return {r["k"]: r["n"] for r in rows}


def test_all_are_done_once(db: Database, sources: list[int]) -> None:
    step = Chunking()
    report = work_off(step, db=db, tuning=TUNING, stop=StopSignal())
    assert sorted(step.worked) == sources
    assert report.outcomes == {"done": 40} and statuses(db) == {"embed/pending": 40}


def test_one_bad_item_does_not_sink_its_batch(db: Database, sources: list[int]) -> None:
    bad = frozenset(sources[5:7])
    report = work_off(Chunking(bad), db=db, tuning=TUNING, stop=StopSignal())
    assert report.outcomes == {"done": 38, "failed": 2}
    later = datetime.now(UTC) + timedelta(seconds=61)
    report = work_off(Chunking(bad), db=db, tuning=TUNING, stop=StopSignal(), now=lambda: later)
    assert report.outcomes == {"dead": 2}
    with db.transaction() as tx:
        letters = tx.connection.execute("select reason from dead_letter").fetchall()
    assert [r["reason"] for r in letters] == ["InputUnreadable: bad"] * 2


def test_two_workers_never_hold_the_same_item(db: Database, sources: list[int]) -> None:
    steps = [Chunking(delay_s=0.01), Chunking(delay_s=0.01)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda s: work_off(s, db=db, tuning=TUNING, stop=StopSignal()), steps))
    assert sorted(steps[0].worked + steps[1].worked) == sources


def test_leases_of_a_vanished_worker_are_taken_at_once(db: Database, sources: list[int]) -> None:
    with living_worker(db.url) as gone, db.transaction() as tx:
        held = tx.rows(
            "claim_items",
            table="source",
            step="chunk",
            now=datetime.now(UTC),
            batch=10,
            worker=gone.number,
            lease_s=900,
        )
        tx.execute("take_in_hand", table="source", ids=[held[0]["id"]], worker=gone.number)
    report = work_off(Chunking(), db=db, tuning=TUNING, stop=StopSignal())
    assert report.outcomes == {"done": 40}


def test_leases_of_a_living_worker_are_respected(db: Database, sources: list[int]) -> None:
    with living_worker(db.url) as other:
        with db.transaction() as tx:
            tx.rows(
                "claim_items",
                table="source",
                step="chunk",
                now=datetime.now(UTC),
                batch=10,
                worker=other.number,
                lease_s=900,
            )
        report = work_off(Chunking(), db=db, tuning=TUNING, stop=StopSignal())
    assert report.outcomes == {"done": 30}


def test_an_item_that_kills_its_worker_is_buried(db: Database, sources: list[int]) -> None:
    tuning = StageTuning(batch=40, max_crashes=3)
    for _ in range(3):
        with living_worker(db.url) as gone, db.transaction() as tx:
            tx.rows(
                "claim_items",
                table="source",
                step="chunk",
                now=datetime.now(UTC),
                batch=40,
                worker=gone.number,
                lease_s=900,
            )
            tx.execute("take_in_hand", table="source", ids=[sources[3]], worker=gone.number)
    report = work_off(Chunking(), db=db, tuning=tuning, stop=StopSignal())
    assert report.outcomes == {"done": 39, "dead": 1}


def test_an_item_that_was_in_hand_at_a_crash_goes_last_of_its_batch(db: Database, sources: list[int]) -> None:
    with living_worker(db.url) as gone, db.transaction() as tx:
        tx.rows(
            "claim_items",
            table="source",
            step="chunk",
            now=datetime.now(UTC),
            batch=5,
            worker=gone.number,
            lease_s=900,
        )
        tx.execute("take_in_hand", table="source", ids=[sources[0]], worker=gone.number)
    step = Chunking()
    work_off(step, db=db, tuning=TUNING, stop=StopSignal())
    assert step.worked.index(sources[0]) == TUNING.batch - 1 and len(step.worked) == 40


def test_a_hung_item_times_out_and_the_rest_goes_on(db: Database, sources: list[int]) -> None:
    # Long enough for the other items on a busy machine, where a thread may have to wait for its turn.
    tuning = StageTuning(batch=40, group=1, timeout_s=1, backoff_s=60)
    is_over = threading.Event()

    class Hanging(Chunking):
        def work(self, items: Sequence[Any]) -> list[Any]:
            if items[0] == sources[0]:
                is_over.wait(60)
            return super().work(items)

    report = work_off(Hanging(), db=db, tuning=tuning, stop=StopSignal())
    is_over.set()
    assert report.outcomes == {"done": 39, "failed": 1}
    assert "timed out after 1 s" in next(iter(report.errors))


def test_a_stop_frees_the_rest(db: Database, sources: list[int]) -> None:
    stop = StopSignal()

    class Stopping(Chunking):
        def save(self, tx: Transaction, item: Any, result: Any, worker: int) -> str:
            stop.set()
            return super().save(tx, item, result, worker)

    report = work_off(Stopping(), db=db, tuning=TUNING, stop=stop)
    assert report.is_stopped and report.outcomes == {"done": 4}
    assert statuses(db) == {"embed/pending": 4, "chunk/pending": 36}


def test_concurrency_works_side_by_side_and_adds_up(db: Database, sources: list[int]) -> None:
    tuning = StageTuning(batch=5, group=1, timeout_s=60, concurrency=3)
    step = Chunking(frozenset(sources[:1]), delay_s=0.01)
    report = work_side_by_side(step, db=db, tuning=tuning, stop=StopSignal())
    assert report.outcomes == {"done": 39, "failed": 1}
    assert sorted(step.worked) == sources[1:]


class Unloadable(Chunking):
    """A step whose load raises as soon as a bad item is among the ids."""

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[Any]:
        if self.bad & set(ids):
            tx.connection.execute("select 1 / 0")
        return list(ids)

    def work(self, items: Sequence[Any]) -> list[Any]:
        return list(items)


def test_an_item_that_cannot_be_loaded_fails_alone_and_dies_in_time(db: Database, sources: list[int]) -> None:
    step = Unloadable(frozenset(sources[2:3]))
    report = work_off(step, db=db, tuning=TUNING, stop=StopSignal())
    assert report.outcomes == {"done": 39, "failed": 1} and sources[2] not in step.worked
    later = datetime.now(UTC) + timedelta(seconds=61)
    report = work_off(step, db=db, tuning=TUNING, stop=StopSignal(), now=lambda: later)
    assert report.outcomes == {"dead": 1} and "division by zero" in next(iter(report.errors))


def test_a_death_while_loading_counts_as_a_crash(db: Database, sources: list[int]) -> None:
    class Killed(BaseException):
        """Stands for the end of the process: nothing after it runs."""

    class Deadly(Chunking):
        def load(self, tx: Transaction, ids: Sequence[int]) -> list[Any]:
            raise Killed

    with pytest.raises(Killed):
        work_off(Deadly(), db=db, tuning=TUNING, stop=StopSignal())
    with db.transaction() as tx:
        taken = tx.connection.execute("select count(in_hand_at) n from source").fetchone()
    assert taken == {"n": TUNING.group}


def test_fewer_results_than_items_fail_and_do_not_sink_the_run(db: Database, sources: list[int]) -> None:
    class Forgetful(Chunking):
        def work(self, items: Sequence[Any]) -> list[Any]:
            return []

    report = work_off(Forgetful(), db=db, tuning=TUNING, stop=StopSignal())
    assert report.outcomes == {"failed": 40}


def test_what_a_dead_worker_held_is_due_at_once(db: Database, sources: list[int]) -> None:
    assert sources_due(db) == 40
    with living_worker(db.url) as gone:
        with db.transaction() as tx:
            tx.rows(
                "claim_items",
                table="source",
                step="chunk",
                now=datetime.now(UTC),
                batch=30,
                worker=gone.number,
                lease_s=900,
            )
        assert sources_due(db) == 10
    assert sources_due(db) == 40


def test_a_failed_source_is_due_when_its_wait_is_over(db: Database, sources: list[int]) -> None:
    work_off(Chunking(frozenset(sources[:1])), db=db, tuning=TUNING, stop=StopSignal())
    assert sources_due(db) == 39  # done with chunking, waiting for vectors
    with db.transaction() as tx:
        tx.connection.execute("update source set due_at = now() where status = 'failed'")
    assert sources_due(db) == 40


@dataclass
class Colliding(Chunking):
    """Saves that the server breaks off: each item's first so many, by deadlock, or all of one by its time limit."""

    collisions: int = 0
    slow: int | None = None
    tries: list[int] = field(default_factory=list)

    def save(self, tx: Transaction, item: Any, result: Any, worker: int) -> str:
        self.tries.append(item)
        if item == self.slow:
            tx.connection.execute("set local statement_timeout = '20ms'")
            tx.connection.execute("select pg_sleep(5)")
        outcome = super().save(tx, item, result, worker)
        if self.tries.count(item) <= self.collisions:
            self.worked.remove(item)
            tx.connection.execute(
                "do $$ begin raise 'met another' using errcode = 'deadlock_detected'; end $$"
            )
        return outcome


def test_a_save_that_collides_is_done_again_at_once(db: Database, sources: list[int]) -> None:
    step = Colliding(collisions=2)
    report = work_off(step, db=db, tuning=TUNING, stop=StopSignal())
    assert report.outcomes == {"done": 40} and len(step.tries) == 120
    assert sorted(step.worked) == sources


def test_a_statement_that_takes_too_long_fails_its_item_alone(db: Database, sources: list[int]) -> None:
    step = Colliding(slow=sources[3])
    report = work_off(step, db=db, tuning=TUNING, stop=StopSignal())
    assert report.outcomes == {"done": 39, "failed": 1}, "the server is there: the others go on"
    assert "QueryCanceled" in next(iter(report.errors))
