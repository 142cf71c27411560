"""Answers that are kept: for how long, how many, and what becomes of damaged ones."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from gateway_doors import Doors, asked, elsewhere, rows, runs, tuning

from rejoinder.errors import ModelTrouble
from resources.postgres import Database


def change(db: Database, text: str) -> None:
    with db.transaction() as tx:
        tx.connection.execute(text)  # type: ignore[call-overload]


def test_an_answer_is_kept_for_its_time(doors: Doors, gateway_db: Database) -> None:
    with doors.open(tuning("first", cache={"ttl_days": 2})) as gateway:
        gateway.complete(asked())
        doors.world.later = timedelta(days=1.9)
        assert gateway.complete(asked()).is_cached
        doors.world.later = timedelta(days=2.1)
        assert not gateway.complete(asked()).is_cached
        assert gateway.complete(asked()).is_cached
    assert rows(gateway_db, "select count(*) as n from llm_cache") == [{"n": 1}]


def test_a_kept_answer_knows_whose_it_is_so_that_it_goes_with_it(doors: Doors, gateway_db: Database) -> None:
    with doors.open(tuning("first")) as gateway:
        gateway.complete(asked(input_ref="post:12"))
    assert rows(gateway_db, "select input_ref from llm_cache") == [{"input_ref": "post:12"}]


def test_no_time_keeps_nothing(doors: Doors, gateway_db: Database) -> None:
    with doors.open(tuning("first", cache={"ttl_days": 0})) as gateway:
        assert not any(gateway.complete(asked()).is_cached for _ in range(3))
    assert doors.calls() == 3 and rows(gateway_db, "select 1 as one from llm_cache") == []


@pytest.mark.parametrize(
    "damage",
    [
        "reply = replace(reply, 'rehearsal', 'changed')",
        "reply = left(reply, 20)",
        "reply = ''",
        "checksum = sha256('x')",
    ],
)
def test_a_damaged_answer_is_none(
    doors: Doors, gateway_db: Database, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    with doors.open(tuning("first")) as gateway:
        first = gateway.complete(asked())
        change(gateway_db, f"update llm_cache set {damage}")
        again = gateway.complete(asked())
        assert (again.text, again.is_cached) == (first.text, False)
        assert gateway.complete(asked()).is_cached
    assert "kept answers were damaged" in caplog.text


def test_a_damaged_answer_is_taken_out(doors: Doors, gateway_db: Database) -> None:
    with doors.open(tuning("first", models={"attempts": 1})) as gateway:
        gateway.complete(asked())
        change(gateway_db, "update llm_cache set reply = ''")
        doors.fault("500")
        with pytest.raises(ModelTrouble):
            gateway.complete(asked())
    assert rows(gateway_db, "select 1 as one from llm_cache") == []


def test_an_answer_under_another_key_is_damaged(
    doors: Doors, gateway_db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with doors.open(tuning("first")) as gateway:
        gateway.complete(asked("One?"))
        gateway.complete(asked("Two?"))
        change(
            gateway_db,
            "update llm_cache c set reply = o.reply, checksum = o.checksum from llm_cache o where o.key <> c.key",
        )
        assert not gateway.complete(asked("One?")).is_cached
    assert "kept answers were damaged" in caplog.text


def test_trouble_with_the_table_fails_no_call(
    doors: Doors, gateway_db: Database, gateway_owner_db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with doors.open(tuning("first")) as gateway:
        with elsewhere(gateway_owner_db, "llm_cache"):
            assert not gateway.complete(asked()).is_cached
            assert not gateway.complete(asked()).is_cached
        assert not gateway.complete(asked()).is_cached
        assert gateway.complete(asked()).is_cached
    assert "kept answers could not be read" in caplog.text and "an answer is not kept" in caplog.text
    assert [run["is_cached"] for run in runs(gateway_db)] == [False, False, False, True]


def test_the_longest_unused_go_when_there_is_no_room(
    doors: Doors, gateway_db: Database, gateway_owner_db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with doors.open(tuning("first", cache={"largest_mib": 1})) as gateway:
        for n in range(6):
            gateway.complete(asked(f"{n}?"))
        # Six answers of a sixth of the table each, used in the order in which they were given.
        change(gateway_owner_db, f"update llm_cache set size_bytes = {(1 << 20) // 6 - 2_000}")
        change(gateway_owner_db, "update llm_cache set used_at = used_at - interval '2 hours'")
        assert gateway.complete(asked("0?")).is_cached
        doors.world.drawn = 0.0
        gateway.complete(asked("6?"))
        doors.world.drawn = 0.5
        n_calls = doors.calls()
        kept = [gateway.complete(asked(f"{n}?")).is_cached for n in (0, 2, 3, 4, 5, 6)]
        assert kept == [True] * 6 and doors.calls() == n_calls
        assert not gateway.complete(asked("1?")).is_cached
    assert "kept answers" in caplog.text and "too many or too old" in caplog.text


def test_the_table_is_not_looked_through_at_every_call(doors: Doors, gateway_owner_db: Database) -> None:
    with doors.open(tuning("first", cache={"largest_mib": 1})) as gateway:
        gateway.complete(asked())
        change(gateway_owner_db, f"update llm_cache set size_bytes = {1 << 30}")
        gateway.complete(asked("And that?"))
        assert gateway.complete(asked()).is_cached
        doors.world.drawn = 0.0
        gateway.complete(asked("And those?"))
        doors.world.drawn = 0.5
        assert not gateway.complete(asked()).is_cached


def test_equal_calls_at_once_are_sent_once(doors: Doors, gateway_db: Database) -> None:
    doors.fault("hold")
    with doors.open(tuning("first")) as gateway, ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(gateway.complete, asked()) for _ in range(6)]
        while not doors.calls():
            pass
        doors.sandbox.post("models/release")
        replies = [one.result(30) for one in waiting]
    assert doors.calls() == 1 and len({reply.text for reply in replies}) == 1
    assert sum(reply.cost_usd > 0 for reply in replies) == 1
    assert sorted(run["is_cached"] for run in runs(gateway_db)) == [False] + [True] * 5
