"""What a call asks of the database, in how many statements, and what becomes of it while something is in the way."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from gateway_doors import GIVEN, VERDICT, Doors, asked, elsewhere, outcomes, rows, runs, tuning

from rejoinder.errors import ServiceUnavailable
from resources.llm.gateway.gateway import Gateway
from resources.llm.gateway.holder import Holder
from resources.postgres import Database

LEASES = "select count(*)::int as n from endpoint_lease where worker is not null"
SPENT = "select spent_usd::float8 as usd from model_spend where scope = 'total'"


class Heard:
    """The names of the statements that holders run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        ask = Holder._ask

        def listening(holder: Holder, held: Any, name: str, values: dict[str, Any]) -> list[dict[str, Any]]:
            self.names.append(name)
            return ask(holder, held, name, values)

        monkeypatch.setattr(Holder, "_ask", listening)

    def of(self, gateway: Gateway, text: str) -> list[str]:
        self.names.clear()
        gateway.complete(asked(text, offline=lambda: "quoted"))
        return self.names


def test_an_answered_call_takes_three_statements(
    doors: Doors, gateway_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard(monkeypatch)
    with doors.open(tuning("first")) as gateway:
        heard.of(gateway, "The first call makes the endpoint known.")
        assert heard.of(gateway, "Is it?") == ["kept_answers", "admit_call", "finish_call"]
        assert heard.of(gateway, "Is it?") == ["kept_answers", "finish_call"]
        assert rows(gateway_db, LEASES) == [{"n": 0}]
        connections = "select 1 as one from pg_locks where classid = 21066 and objsubid = 2"
        assert len(rows(gateway_db, connections)) == 1
    with doors.open(tuning("first", cache={"ttl_days": 0})) as gateway:
        assert heard.of(gateway, "Is it?") == ["admit_call", "finish_call"]
    with doors.open(tuning("local")) as gateway:
        assert heard.of(gateway, "Is it?") == ["finish_call"]
    assert sum(run["is_ok"] for run in runs(gateway_db)) == 5


def test_an_answer_that_is_asked_for_again_gives_its_place_back_first(
    doors: Doors, gateway_db: Database
) -> None:
    doors.fault("wrong_schema")
    with doors.open(tuning("first", first={"max_concurrent": 1})) as gateway:
        reply = gateway.complete(replace(asked("Is it?"), schema=VERDICT))
    assert reply.text == GIVEN and outcomes(gateway_db) == ["first invalid", "first ok"]
    assert rows(gateway_db, LEASES) == [{"n": 0}]
    [spent] = rows(gateway_db, SPENT)
    assert spent["usd"] == pytest.approx(reply.cost_usd)


@pytest.mark.parametrize("table", ["model_run", "llm_cache"])
def test_a_table_in_trouble_keeps_no_place_and_no_money(
    doors: Doors, gateway_db: Database, gateway_owner_db: Database, table: str
) -> None:
    with doors.open(tuning("first")) as gateway, elsewhere(gateway_owner_db, table):
        reply = gateway.complete(asked())
    assert rows(gateway_db, LEASES) == [{"n": 0}]
    [spent] = rows(gateway_db, SPENT)
    assert spent["usd"] == pytest.approx(reply.cost_usd)


class Restarting(Holder):
    """A database that is away for some questions more."""

    def __init__(self, n_away: int) -> None:
        self.time, self.n_away, self.asked = 0.0, n_away, 0
        super().__init__("", lambda: self.time, self._pass)

    def _pass(self, seconds: float) -> None:
        self.time += seconds

    def rows(self, name: str, /, **values: Any) -> list[dict[str, Any]]:
        self.asked += 1
        if self.asked <= self.n_away:
            raise ServiceUnavailable("PostgreSQL is away")
        return [values]


@pytest.fixture
def restarting() -> Iterator[Restarting]:
    yield Restarting(3)


def test_a_database_that_is_away_for_moments_is_waited_for(restarting: Restarting) -> None:
    assert restarting.rows_when_back("kept_answers", 10.0, one=1) == [{"one": 1}]
    assert restarting.asked == 4 and 0 < restarting.time < 1


def test_one_that_stays_away_is_not_waited_for_longer_than_said() -> None:
    gone = Restarting(10_000)
    with pytest.raises(ServiceUnavailable):
        gone.rows_when_back("kept_answers", 10.0)
    assert 10 <= gone.time < 11
    with pytest.raises(ServiceUnavailable):
        gone.rows_when_back("finish_call", 0.0)
    assert gone.time < 11


def test_a_call_without_a_database_waits_for_it_once(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    when_back = Holder.rows_when_back

    def noted(holder: Holder, name: str, within_s: float, /, **values: Any) -> list[dict[str, Any]]:
        waited.append(within_s)
        return when_back(holder, name, 0.0, **values)

    monkeypatch.setattr(Holder, "rows_when_back", noted)
    monkeypatch.setattr(doors, "url", "postgresql://rejoinder@127.0.0.1:9/gone")
    with doors.open(tuning("first")) as gateway, pytest.raises(ServiceUnavailable):
        gateway.complete(asked())
    with doors.open(tuning("local")) as gateway:
        assert gateway.complete(asked(offline=lambda: "quoted")).text == "quoted"
    assert [round(seconds) for seconds in waited] == [10, 0, 10]
