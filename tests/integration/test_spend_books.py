"""What calls cost, on real Postgres: de-duplicated by day, held, told, within the budget of all processes together."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import paid_channel
import psycopg
import pytest
from paid_channel import PAID, entries, make_channel, rows

from rejoinder.ids import ChannelId
from resources.platforms.failures import SpendStopped
from resources.postgres import Database
from resources.provision import Addresses
from resources.spending.books import book_deed, open_books, take_back_deed
from resources.spending.meter import SpendMeter
from resources.spending.meters import Meters, PostgresLedger
from resources.store.channel_states import read_states

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., "subprocess.Popen[str]"]


@dataclass
class Wall:
    """A clock that is set; it starts in the month before, since notices carry the database's time and must be later."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    @property
    def day(self) -> str:
        return self.now.date().isoformat()


@pytest.fixture
def clock() -> Wall:
    month_before = datetime.now(UTC).replace(day=1) - timedelta(days=1)
    return Wall(month_before.replace(day=15, hour=12, minute=0, second=0, microsecond=0))


@pytest.fixture
def channel_id(owner_db: Database) -> ChannelId:
    return make_channel(owner_db)


@pytest.fixture
def meter(db: Database, channel_id: ChannelId, clock: Wall) -> SpendMeter:
    return SpendMeter(PostgresLedger(db, channel_id, clock), clock)


def names(n: int, first: int = 0) -> list[str]:
    return [str(first + number) for number in range(n)]


def state(db: Database) -> tuple[str, str]:
    with db.transaction() as tx:
        (found,) = [s for s in read_states(tx) if s.part == "spend"]
    return found.state, found.detail


def notices(db: Database) -> list[str]:
    return [row["kind"] for row in rows(db, "select kind from notification order by id")]


def test_a_resource_is_charged_once_a_day(db: Database, meter: SpendMeter, clock: Wall) -> None:
    today = clock.day
    for _ in range(2):
        meter.allow("post_read", 3)
        meter.count("post_read", ["1", "2", "2"])
        meter.rest()
    assert entries(db) == {(today, "post_read"): (6, 2, 0.01)}
    clock.now += timedelta(hours=12)
    meter.count("post_read", ["1"])
    meter.count("user_read", ["1"])
    meter.rest()
    assert entries(db)[clock.day, "post_read"] == (1, 1, 0.005)
    assert entries(db)[clock.day, "user_read"] == (1, 1, 0.01)


def test_it_warns_stops_and_goes_on_when_the_day_turns(db: Database, meter: SpendMeter, clock: Wall) -> None:
    meter.allow("post_read", 100)
    meter.count("post_read", names(100))
    meter.tick()
    assert state(db) == ("ok", "") and notices(db) == []
    meter.allow("post_read", 70)
    meter.count("post_read", names(70, 100))
    meter.tick()
    assert state(db) == ("warned", "80 % or more of the budget of the day is spent")
    with pytest.raises(SpendStopped):
        meter.allow("post_read", 31)
    meter.rest()
    word, detail = state(db)
    assert word == "stopped" and "0.15 USD of it are left" in detail and "it goes on at" in detail
    meter.allow("post_read", 10)
    assert state(db)[0] == "stopped"
    assert notices(db) == ["spend_warning", "spend_cap"]
    clock.now += timedelta(hours=12)
    meter.allow("post_read", 31)
    assert state(db) == ("ok", "")


def test_a_raised_budget_is_seen_at_once(db: Database, meter: SpendMeter, owner_db: Database) -> None:
    with pytest.raises(SpendStopped):
        meter.allow("post_read", 300)
    meter.rest()
    assert state(db)[0] == "stopped"
    make_channel(owner_db, replace(PAID, spend_cap_usd_per_day=10.0))
    meter.allow("post_read", 300)
    assert state(db) == ("ok", "")


def test_a_new_price_holds_from_then_on(
    db: Database, meter: SpendMeter, owner_db: Database, clock: Wall
) -> None:
    meter.allow("post_read", 10)
    make_channel(owner_db, replace(PAID, price_per_read_usd=0.05))
    clock.now += timedelta(seconds=16)
    with pytest.raises(SpendStopped):
        meter.allow("post_read", 21)


def test_the_month_counts_its_days(db: Database, meter: SpendMeter, owner_db: Database, clock: Wall) -> None:
    make_channel(owner_db, replace(PAID, spend_cap_usd_per_month=1.5))
    for day in range(2):
        meter.allow("post_read", 140)
        meter.count("post_read", names(140, day * 200))
        meter.rest()
        clock.now += timedelta(days=1)
    assert notices(db).count("spend_warning_month") == 1
    with pytest.raises(SpendStopped, match="of the month") as stopped:
        meter.allow("post_read", 21)
    assert stopped.value.retry_at and stopped.value.retry_at.day == 1


def test_the_publisher_and_readers_share_a_budget(
    addresses: Addresses, db: Database, meter: SpendMeter, channel_id: ChannelId, clock: Wall
) -> None:
    publisher = Database(addresses.publisher).open()
    meter.allow("post_read", 100)
    meter.count("post_read", names(100))
    meter.tick()
    with publisher.transaction() as tx:
        books = open_books(tx, channel_id, clock())
        assert [book_deed(books, "create_with_link", f"reply {n}/1") for n in range(2)] == [None, None]
        stop = book_deed(books, "create_with_link", "reply 2/1")
        assert stop and "0.10 USD of it are left" in stop.detail
    with pytest.raises(SpendStopped):
        meter.allow("post_read", 21)
    with publisher.transaction() as tx:
        books = open_books(tx, channel_id, clock())
        for _ in range(2):
            take_back_deed(books, "create_with_link", "reply 1/1")
            take_back_deed(books, "create_with_link", "never booked")
    assert entries(db)[clock.day, "create_with_link"] == (1, 1, 0.2)
    meter.allow("post_read", 21)
    publisher.close()


def test_what_is_free_is_counted_too(db: Database, owner_db: Database, clock: Wall) -> None:
    free = make_channel(owner_db, replace(PAID, price_per_read_usd=0.0), name="free")
    meter = SpendMeter(PostgresLedger(db, free, clock), clock)
    meter.allow("post_read", 10_000)
    meter.count("post_read", names(10))
    meter.tick()
    assert entries(db) == {(clock.day, "post_read"): (10, 10, 0.0)}
    assert rows(db, "select * from spend_hold") == []


def test_old_rows_go_a_slice_at_a_time(
    db: Database, meter: SpendMeter, channel_id: ChannelId, monkeypatch: pytest.MonkeyPatch, clock: Wall
) -> None:
    monkeypatch.setattr("resources.spending.books.FORGET_AT_ONCE", 4)
    with db.transaction() as tx:
        for days, n in ((0, 3), (1, 3), (2, 5), (9, 5)):
            tx.connection.execute(
                "insert into spend_resource select %s, %s, 'post_read', 'old' || n from generate_series(1, %s) n",
                (channel_id, clock().date() - timedelta(days=days), n),
            )
    for left in (12, 8, 6, 6):
        meter.count("user_read", ["1"])
        meter.tick()
        (row,) = rows(db, "select count(*) as n from spend_resource where action = 'post_read'")
        assert row["n"] == left


def test_what_a_dead_process_held_counts_for_its_day_and_is_booked_then(
    db: Database, channel_id: ChannelId, clock: Wall
) -> None:
    dead, living = (SpendMeter(PostgresLedger(db, channel_id, clock), clock) for _ in range(2))
    dead.allow("post_read", 120)
    day = clock.day
    rows(db, "update spend_hold set renewed_at = now() - interval '1 hour' returning holder")
    with pytest.raises(SpendStopped, match=r"0\.40 USD of it are left"):
        living.allow("post_read", 81)
    clock.now += timedelta(days=1)
    living.allow("post_read", 200)
    living.rest()
    assert rows(db, "select held_usd from spend_hold") == [{"held_usd": Decimal("0.6")}]
    clock.now += timedelta(days=1)
    later = SpendMeter(PostgresLedger(db, channel_id, clock), clock)
    later.allow("post_read", 1)
    later.rest()
    assert entries(db) == {(day, "unaccounted"): (0, 0, 0.6)}
    assert rows(db, "select * from spend_hold") == []


def test_the_application_and_the_publisher_may_write_the_books_and_no_more(addresses: Addresses) -> None:
    for url in (addresses.app, addresses.publisher):
        with Database(url).open().transaction() as tx:
            tx.connection.execute("delete from spend_hold")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                tx.connection.execute("delete from spend_entry")


@pytest.fixture
def start(addresses: Addresses, channel_id: ChannelId) -> Iterator[Start]:
    """Starts processes that read; those left over are killed."""
    made: list[subprocess.Popen[str]] = []

    def act(**order: Any) -> "subprocess.Popen[str]":
        order = {"url": addresses.app, "channel_id": channel_id, "n": 1, "n_held": 0, "threads": 3, **order}
        process = subprocess.Popen(
            [sys.executable, paid_channel.__file__, json.dumps(order)],
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


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_two_processes_never_spend_more_than_there_is(start: Start, db: Database) -> None:
    both = [start(n=1), start(n=7)]
    assert [said(process) for process in both] == ["ready", "ready"]
    for process in both:
        print(file=process.stdin, flush=True)
    total = sum(int(said(process)) for process in both)
    assert 190 <= total <= 200
    ((_, charged, usd),) = entries(db).values()
    assert charged == total and usd == pytest.approx(total * 0.005)
    assert rows(db, "select * from spend_hold") == []


def test_a_killed_process_leaves_what_it_may_have_spent(
    start: Start, db: Database, channel_id: ChannelId
) -> None:
    killed = start(n_held=150)
    assert said(killed) == "holding"
    killed.kill()
    killed.wait()
    meters = Meters(db)
    with meters.open():
        meter = meters.of(channel_id)
        meter.allow("post_read", 50)
        with pytest.raises(SpendStopped):
            meter.allow("post_read", 51)
    assert rows(db, "select held_usd from spend_hold") == [{"held_usd": Decimal("0.75")}]
    assert state(db)[0] == "stopped"
