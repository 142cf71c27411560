"""What a call asks of the database, in how many statements, and what becomes of it while something is in the way."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from gateway_doors import GIVEN, VERDICT, Doors, asked, elsewhere, outcomes, rows, runs, tuning

from rejoinder.errors import ServiceUnavailable
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.requests import LlmRequest
from resources.llm.gateway.calls import Call
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


def test_an_answered_call_takes_two_statements(
    doors: Doors, gateway_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard(monkeypatch)
    with doors.open(tuning("first")) as gateway:
        heard.of(gateway, "The first call makes the endpoint known.")
        assert heard.of(gateway, "Is it?") == ["admit_unless_kept", "finish_call"]
        assert heard.of(gateway, "Is it?") == ["admit_unless_kept", "finish_call"]
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
    when_back = Holder.when_back

    def noted(holder: Holder, ask: Callable[[], Any], within_s: float) -> Any:
        waited.append(within_s)
        return when_back(holder, ask, 0.0)

    monkeypatch.setattr(Holder, "when_back", noted)
    monkeypatch.setattr(doors, "url", "postgresql://rejoinder@127.0.0.1:9/gone")
    with doors.open(tuning("first")) as gateway, pytest.raises(ServiceUnavailable):
        gateway.complete(asked())
    with doors.open(tuning("first", cache={"ttl_days": 0})) as gateway, pytest.raises(ServiceUnavailable):
        gateway.complete(asked())
    with doors.open(tuning("local")) as gateway:
        assert gateway.complete(asked(offline=lambda: "quoted")).text == "quoted"
    assert [round(seconds) for seconds in waited] == [10, 0, 10, 0, 10]


def test_the_wait_for_a_database_is_not_the_wait_for_a_place(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for no place, or has waited long for one, waits for PostgreSQL all the same."""
    waited: list[float] = []

    def noted(holder: Holder, ask: Callable[[], Any], within_s: float) -> Any:
        waited.append(round(within_s))
        return ask()

    monkeypatch.setattr(Holder, "when_back", noted)
    with doors.open(tuning("first", models={"queue_s": 0}, cache={"ttl_days": 0})) as gateway:
        gateway.complete(asked())
        gateway.complete(asked(), within_s=5.0)
    assert waited[-2:] == [5, 10]


def test_what_was_written_unheard_is_written_once(
    doors: Doors, gateway_db: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ask = Holder._ask
    unheard: list[Any] = []

    def breaking(holder: Holder, held: Any, name: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        found = ask(holder, held, name, values)
        if name == "finish_call" and not unheard:
            unheard.append(found)
            raise psycopg.OperationalError("the connection was lost behind the commit")
        return found

    monkeypatch.setattr(Holder, "_ask", breaking)
    with doors.open(tuning("first")) as gateway:
        gateway.complete(asked())
    assert unheard and len(runs(gateway_db)) == 1 and outcomes(gateway_db) == ["first ok"]
    assert rows(gateway_db, LEASES) == [{"n": 0}]
    assert "gateway_lease_gone" not in caplog.text


def test_a_kept_answer_waits_for_no_place(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard(monkeypatch)
    with doors.open(tuning("first", first={"max_concurrent": 1})) as gateway:
        heard.of(gateway, "Is it?")
        first = gateway.recorded.chains.links["first"].endpoint
        admission: Any = gateway.close.__self__  # type: ignore[attr-defined]
        with admission.admit(first, asked(), estimate_usd=0.0):
            assert heard.of(gateway, "Is it?") == ["kept_answers", "finish_call"]
        with admission._seats.turn(first, float("inf")):
            assert heard.of(gateway, "Is it?") == ["kept_answers", "finish_call"]


def test_a_kept_answer_waits_for_no_place_that_was_free_a_moment_ago(doors: Doors) -> None:
    with doors.open(tuning("first", models={"queue_s": 0}, first={"max_concurrent": 1})) as gateway:
        gateway.complete(asked())
        first = gateway.recorded.chains.links["first"].endpoint
        admission: Any = gateway.close.__self__  # type: ignore[attr-defined]
        cached: Any = gateway.recorded.inner._inner  # type: ignore[attr-defined]
        with ExitStack() as others:

            def then_taken(endpoint: Endpoint, request: LlmRequest) -> bool:
                others.enter_context(admission.admit(first, request, estimate_usd=0.0))
                return True

            hasty = replace(cached, is_at_hand=then_taken)
            call = Call(asked(), "champion", time.monotonic() + 60)
            call.keys = gateway.recorded.chains.of(call).keys(call.request)
            assert hasty.answer(call).is_cached and call.attempts == []


def test_a_kept_answer_takes_no_time(doors: Doors) -> None:
    """A call that is late gets it, and not what the end of its chain says without a model."""
    with doors.open(tuning("first", "local")) as gateway:
        kept = gateway.complete(asked(offline=lambda: "quoted"))
        late = gateway.complete(asked(offline=lambda: "quoted"), within_s=0.0)
    assert (late.text, late.is_cached) == (kept.text, True) and kept.endpoint == "first"


def test_whoever_is_interrupted_while_a_call_is_written_down_gives_its_place_back(
    doors: Doors, gateway_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, interrupted = Holder._ask, []

    def breaking(holder: Holder, held: Any, name: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        if name == "finish_call" and not interrupted:
            interrupted.append(name)
            raise KeyboardInterrupt
        return ask(holder, held, name, values)

    monkeypatch.setattr(Holder, "_ask", breaking)
    with doors.open(tuning("first", models={"queue_s": 0}, first={"max_concurrent": 1})) as gateway:
        with pytest.raises(KeyboardInterrupt):
            gateway.complete(asked())
        assert gateway.complete(asked("And that?")).endpoint == "first"
    assert interrupted and rows(gateway_db, LEASES) == [{"n": 0}]


def test_kept_answers_in_trouble_are_found_on_the_way_and_cost_the_call_nothing(
    doors: Doors, gateway_db: Database, gateway_owner_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard(monkeypatch)
    with doors.open(tuning("first")) as gateway:
        heard.of(gateway, "Is it?")
        with gateway_owner_db.transaction() as tx:
            tx.connection.execute("update llm_cache set reply = 'damaged'")
        looked = ["admit_unless_kept", "drop_answers", "admit_call", "finish_call"]
        assert heard.of(gateway, "Is it?") == looked
        assert heard.of(gateway, "Is it?") == ["admit_unless_kept", "finish_call"]
        with elsewhere(gateway_owner_db, "llm_cache"):
            asked_anew = heard.of(gateway, "Is it now?")
    assert asked_anew[:3] == ["admit_unless_kept", "admit_call", "finish_call"]
    assert rows(gateway_db, LEASES) == [{"n": 0}]
    assert [run["is_cached"] for run in runs(gateway_db)] == [False, False, True, False]
