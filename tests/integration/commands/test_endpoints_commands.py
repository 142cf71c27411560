"""`rejoinder endpoints`: what it prints, what it changes and who may, and checks over HTTP."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.app import build_app
from rejoinder.errors import ConfigInvalid, ModelRefusal, ModelTrouble, NotAllowed
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.requests import LlmRequest, Message, RawReply, Usage
from resources.commands.actors import Actor, machine_owner
from resources.commands.endpoints import reset_endpoint, switch_endpoint
from resources.commands.people import add_person
from resources.llm.gateway.admission import Admission
from resources.llm.gateway.checking import check_endpoint
from resources.llm.gateway.registry import configured_endpoints, endpoint_statuses, register_endpoints
from resources.postgres import Database
from resources.provision import Addresses
from resources.settings import load_settings
from resources.tuning import Tuning

TOML = """
[endpoints.small]
uri = "openai::gpt-small"
base_url = "https://models.example/v1"
max_concurrent = 3
price_in = 0.4
price_out = 1.6
price_as_of = 2026-11-01

[endpoints.large]
uri = "openai::gpt-large"

[budget]
total_usd = 2.0
tasks = { reply = 0.5 }
"""
# Tells nobody anything: it is of accounts that live as long as a test.
PASSWORD = "correct horse battery staple"
ASKED = LlmRequest("reply", (Message("user", "Is that so?"),), creator_id=7)


@pytest.fixture
def tuning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tuning]:
    """The file rejoinder.toml of this test."""
    from resources.tuning import load_tuning

    file = tmp_path / "rejoinder.toml"
    file.write_text(TOML)
    monkeypatch.setenv("REJOINDER_CONFIG", str(file))
    load_settings.cache_clear()
    yield load_tuning(load_settings())
    load_settings.cache_clear()


class Cli:
    """Runs commands in this process."""

    def run(self, *arguments: str) -> Result:
        return CliRunner(env={"COLUMNS": "200"}).invoke(build_app(), ["endpoints", *arguments])

    def json(self, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
        found = self.run(*arguments, "--json")
        assert found.exit_code == exit_code, found.output
        answer: dict[str, Any] = json.loads(found.stdout)
        return answer


@pytest.fixture
def cli(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setattr("resources.provision.prepare", lambda _settings: addresses)
    return Cli()


@pytest.fixture
def door(addresses: Addresses, tuning: Tuning) -> Iterator[Admission]:
    with closing(
        Admission(addresses.app, tuning.models.model_copy(update={"queue_s": 0.0}), tuning.budget)
    ) as made:
        yield made


def registered(db: Database, tuning: Tuning) -> dict[str, Any]:
    with db.transaction() as tx:
        register_endpoints(tx, tuning)
        return {row.name: row for row in endpoint_statuses(tx, datetime.now(UTC).date())}


def test_only_local_says_how_to_add_a_model(cli: Cli) -> None:
    found = cli.run()
    assert found.exit_code == 0
    assert "local::extractive" in found.stdout and "[endpoints.small]" in found.stdout
    assert cli.json("list") == cli.json()


def test_endpoints_are_listed_with_load_price_health_and_money(
    cli: Cli, tuning: Tuning, door: Admission
) -> None:
    small = configured_endpoints(tuning)["small"]
    for _ in range(5):
        with door.admit(small, ASKED, estimate_usd=0.25) as place:
            place.settle("timeout", 0.0625, "no answer in 60 s")
    rows = {row["name"]: row for row in cli.json()["endpoints"]}
    assert list(rows) == ["large", "local", "small"]
    found = rows["small"]
    assert (found["price_in"], found["price_out"], found["price_as_of"]) == (0.4, 1.6, "2026-11-01")
    assert (found["breaker"], found["failures"], found["last_error"]) == ("open", 5, "no answer in 60 s")
    assert (found["spent_usd"], found["load"], found["max_concurrent"]) == (0.3125, 0, 3)
    table = cli.run("list").stdout
    for said in ("left alone", "unknown", "0 of 3", "0.4 / 1.6 (2026-11-01)", "0.31"):
        assert said in table
    assert (
        "small is left alone until" in table
        and "5 failures in a row" in table
        and "no answer in 60 s" in table
    )


def test_the_registry_follows_the_file_and_keeps_health(
    db: Database, tuning: Tuning, door: Admission
) -> None:
    registered(db, tuning)
    small = configured_endpoints(tuning)["small"]
    with door.admit(small, ASKED, estimate_usd=0.0) as place:
        place.settle("server", 0.0, "status 500")
    assert registered(db, tuning)["small"].failures == 1
    slower = Tuning.model_validate({"endpoints": {"small": {"uri": "openai::gpt-small", "max_concurrent": 9,
                                                           "base_url": "https://models.example/v1"}}})  # fmt: skip
    rows = registered(db, slower)
    assert (rows["small"].max_concurrent, rows["small"].failures, rows["small"].price_in) == (9, 1, None)
    assert (rows["small"].is_configured, rows["large"].is_configured) == (True, False)
    other = Tuning.model_validate({"endpoints": {"small": {"uri": "openai::gpt-other"}}})
    assert registered(db, other)["small"].failures == 0
    assert registered(db, tuning)["large"].is_configured


def test_a_registry_that_says_so_already_is_not_written(db: Database, tuning: Tuning) -> None:
    registered(db, tuning)
    with db.transaction() as tx:
        before = tx.connection.execute("select name, xmin::text from model_endpoint order by 1").fetchall()
    registered(db, tuning)
    with db.transaction() as tx:
        assert (
            before
            == tx.connection.execute("select name, xmin::text from model_endpoint order by 1").fetchall()
        )


@pytest.fixture
def ada(db: Database) -> str:
    add_person(db, machine_owner(), "ada", "Ada", "admin", PASSWORD)
    return "ada"


def test_switching_off_is_audited_and_holds_for_all(
    cli: Cli, db: Database, owner_db: Database, tuning: Tuning, door: Admission, ada: str
) -> None:
    registered(db, tuning)
    small = configured_endpoints(tuning)["small"]
    assert cli.json("disable", "small") == {"name": "small", "is_enabled": False}
    with (
        pytest.raises(ModelTrouble, match="switched off") as refused,
        door.admit(small, ASKED, estimate_usd=0.0),
    ):
        pass
    assert refused.value.fix == "rejoinder endpoints enable small"
    assert "switched off" in cli.run().stdout
    assert "is off already" in cli.run("disable", "small").stderr
    assert cli.run("disable", "nosuch").exit_code == cli.run("disable", "local").exit_code == 2
    cli.json("enable", "small")
    with door.admit(small, ASKED, estimate_usd=0.0) as place:
        place.settle("ok", 0.0)
    with owner_db.transaction() as tx:
        rows = tx.connection.execute(
            "select action, entity_type, diff from audit_event where action like '%endpoint' order by id"
        ).fetchall()
    assert [(row["action"], row["diff"]) for row in rows] == [
        ("disable_endpoint", {"name": "small"}), ("enable_endpoint", {"name": "small"}),
    ]  # fmt: skip


def test_a_breaker_is_reset_by_an_admin_alone(
    db: Database, cli: Cli, tuning: Tuning, door: Admission, ada: str
) -> None:
    small = configured_endpoints(tuning)["small"]
    for _ in range(5):
        with door.admit(small, ASKED, estimate_usd=0.0) as place:
            place.settle("server", 0.0, "status 500")
    add_person(db, machine_owner(), "eve", "Eve", "approver", PASSWORD)
    assert cli.run("reset", "small", "--as", "eve").exit_code == 3
    assert cli.json("reset", "small") == {"name": "small"}
    assert registered(db, tuning)["small"].breaker == "closed"
    assert "is well already" in cli.run("reset", "small").stderr


def test_a_wrong_key_is_shown_until_a_call_is_answered(cli: Cli, tuning: Tuning, door: Admission) -> None:
    small = configured_endpoints(tuning)["small"]
    with door.admit(small, ASKED, estimate_usd=0.0) as place:
        place.settle("key", 0.0, "small: 401")
    shown = cli.run("list").stdout
    assert "refuses" in shown and "small refused a call at" in shown and "small: 401" in shown
    with door.admit(small, ASKED, estimate_usd=0.0) as place:
        place.settle("ok", 0.0)
    assert "refuse" not in cli.run("list").stdout


def test_without_the_role_nothing_is_changed(db: Database, tuning: Tuning) -> None:
    registered(db, tuning)
    with pytest.raises(NotAllowed):
        switch_endpoint(db, machine_owner(), "small", is_enabled=False)
    with pytest.raises(NotAllowed):
        reset_endpoint(db, Actor(None, "root", "admin"), "small")
    assert registered(db, tuning)["small"].is_enabled


def test_money_is_shown_beside_the_budgets(cli: Cli, tuning: Tuning, door: Admission) -> None:
    small = configured_endpoints(tuning)["small"]
    with door.admit(small, ASKED, estimate_usd=0.25) as place:
        place.settle("ok", 0.125)
    with door.admit(small, ASKED, estimate_usd=0.25):
        rows = {row["scope"]: row for row in cli.json("spend", "--days", "1")["spending"]}
    assert set(rows) == {"total", "task", "creator", "endpoint"}
    assert {(row["spent_usd"], row["reserved_usd"]) for row in rows.values()} == {(0.125, 0.25)}
    assert (rows["task"]["key"], rows["task"]["budget_usd"], rows["task"]["used_pct"]) == ("reply", 0.5, 75.0)
    assert (rows["total"]["budget_usd"], rows["creator"]["key"], rows["endpoint"]["budget_usd"]) == (
        2.0,
        "7",
        None,
    )
    assert "reply" in cli.run("spend").stdout


def test_no_money_spent_is_said(cli: Cli) -> None:
    assert "No model that costs was called" in cli.run("spend").stdout


class Scripted:
    """A model that says what it is told to, or fails with it."""

    has_schemas = False

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)

    def complete(self, request: LlmRequest, timeout_s: float) -> RawReply:
        said = self.answers.pop(0)
        if isinstance(said, Exception):
            raise said
        return RawReply(said, Usage(1_000, 500))

    def count_tokens(self, text: str) -> int | None:
        return None


def test_a_check_goes_past_switch_and_breaker_and_closes_it(
    db: Database, tuning: Tuning, door: Admission
) -> None:
    small = configured_endpoints(tuning)["small"]
    for _ in range(5):
        with door.admit(small, ASKED, estimate_usd=0.0) as place:
            place.settle("server", 0.0, "status 500")
    with db.transaction() as tx:
        tx.execute("switch_endpoint", name="small", is_enabled=False)
    model = Scripted(ModelTrouble("server", "status 503"), " ", "ready")

    def opened(_: Endpoint) -> Scripted:
        return model

    failed, empty, well = (check_endpoint(small, door, opened) for _ in range(3))
    assert (failed.is_ok, failed.error, failed.latency_ms) == (False, "status 503", None)
    assert failed.fix is not None and "empty" in str(empty.error)
    assert (well.is_ok, well.cost_usd) == (True, pytest.approx(0.0012))
    row = registered(db, tuning)["small"]
    assert (row.breaker, row.failures, row.is_enabled, row.load) == ("closed", 0, False, 0)
    assert row.last_ok_at > datetime.now(UTC) - timedelta(minutes=5)


def test_a_check_that_fails_costs_what_the_provider_says(
    db: Database, tuning: Tuning, door: Admission
) -> None:
    small = configured_endpoints(tuning)["small"]
    model = Scripted(ModelRefusal("request", "it thought too long", charged=(1_000, 500)))
    assert not check_endpoint(small, door, lambda _: model).is_ok
    assert registered(db, tuning)["small"].spent_usd == pytest.approx(0.0012)


def test_a_check_without_price_or_provider_names_the_fix(cli: Cli, tuning: Tuning, door: Admission) -> None:
    assert cli.json("check", "local")["checks"][0]["is_ok"]
    [found] = cli.json("check", "large", exit_code=1)["checks"]
    assert "is not known" in found["error"] and "price_in" in found["fix"]
    assert "nosuch" in cli.run("check", "nosuch").stderr

    def broken(_: Endpoint) -> Scripted:
        raise ConfigInvalid("no provider", fix="install it")

    checked = check_endpoint(configured_endpoints(tuning)["small"], door, broken)
    assert (checked.error, checked.fix) == ("no provider", "install it")
