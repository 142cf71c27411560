"""`rejoinder notifications` and `rejoinder marts`: what they print, whom they ask, how they end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import build_app
from resources.notices import notify
from resources.postgres import Database
from resources.tuning import load_tuning

pytestmark = pytest.mark.usefixtures("environment")
SINK = '[[notifications.sinks]]\nname = "team"\nkind = "webhook"\nurl = "http://127.0.0.1:9/nobody"\n'
Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: Database) -> Run:
    """Runs a command with one sink that nobody answers at; its JSON and exit code."""
    file = tmp_path / "rejoinder.toml"
    file.write_text(SINK, "utf-8")
    monkeypatch.setenv("REJOINDER_CONFIG", str(file))
    load_tuning.cache_clear()

    def run(*typed: str, code: int = 0) -> Any:
        done = CliRunner().invoke(build_app(), [*typed, "--json"])
        assert done.exit_code == code, (done.output, done.exception)
        return json.loads(done.stdout)

    return run


def test_notices_are_listed_and_read(run: Run, db: Database) -> None:
    for kind in ("refused", "refused", "policy"):
        notify(db, kind, "m")
    assert [n["severity"] for n in run("notifications", "list")["notices"]] == ["info", "warning", "warning"]
    assert run("notifications", "read", "--kind", "refused") == {"read": 2}
    number = run("notifications", "list")["notices"][0]["id"]
    assert run("notifications", "read", str(number)) == {"read": 1}
    assert run("notifications", "list") == {"notices": []}
    assert len(run("notifications", "list", "--all")["notices"]) == 3
    run("notifications", "read", code=2)


def test_what_a_sink_does_not_take_is_told_with_the_exit_code(run: Run, db: Database) -> None:
    assert run("notifications", "deliver")["sent"] == 0
    notify(db, "refused", "m")
    report = run("notifications", "deliver", code=5)
    assert report["failed"] == 1 and report["errors"] == {"team": "it cannot be reached"}
    (state,) = run("notifications", "sinks")["sinks"]
    assert (state["kind"], state["pending"], state["last_error"]) == ("webhook", 1, "it cannot be reached")
    assert run("notifications", "retry", "team") == {"due": 0}


def test_a_sink_that_is_gone_is_shown_with_what_became_of_its_messages(
    run: Run, db: Database, owner_db: Database, tmp_path: Path
) -> None:
    run("notifications", "deliver")
    notify(db, "refused", "m")
    run("notifications", "deliver", code=5)
    (tmp_path / "rejoinder.toml").write_text("", "utf-8")
    load_tuning.cache_clear()
    with owner_db.transaction() as tx:
        tx.connection.execute("update notification_sink set seen_at = now() - interval '2 hours'")
        tx.connection.execute("update notification_delivery set lease_until = null")
    assert run("notifications", "deliver")["dropped"] == 1
    (state,) = run("notifications", "sinks")["sinks"]
    assert (state["name"], state["kind"], state["dropped"], state["pending"]) == (
        "team",
        "not configured",
        1,
        0,
    )
    assert state["removed_at"] and "no longer in rejoinder.toml" in state["last_error"]


def test_a_test_that_does_not_arrive_says_why(run: Run) -> None:
    run("notifications", "test", "team", code=5)
    run("notifications", "test", "nobody", code=2)


def test_marts_are_written_and_shown(run: Run, db: Database) -> None:
    assert run("marts", "show", "funnel")["as_of"] is None
    notify(db, "refused", "m")
    assert run("marts", "refresh")["rows"]["notices"] == 1
    shown = run("marts", "show", "notices")
    assert shown["rows"][0]["kind"] == "refused" and shown["as_of"] and shown["stale_since"] is None
    run("marts", "show", "no such mart", code=2)


def test_people_get_tables(run: Run, db: Database) -> None:
    notify(db, "refused", "the author has blocked us")
    for typed in (
        ("notifications", "list"),
        ("notifications", "sinks"),
        ("marts", "show", "funnel"),
        ("marts", "refresh"),
    ):
        done = CliRunner().invoke(build_app(), list(typed))
        assert done.exit_code == 0, done.output
