"""`rejoinder spend` and the states of channels in `rejoinder status`."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import build_app
from rejoinder.ids import ChannelId
from rejoinder.listening.policy import default_policy
from resources.platforms.failures import SpendStopped
from resources.postgres import Database
from resources.spending.meter import SpendMeter
from resources.spending.meters import PostgresLedger
from resources.spending.report import live_states, read_spend
from resources.store.channel_states import set_state
from resources.store.channels import save_channel

PAID = replace(default_policy("x/self_serve"), spend_cap_usd_per_day=1.0, spend_cap_usd_per_month=20.0)
pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def channel_id(owner_db: Database) -> ChannelId:
    with owner_db.transaction() as tx:
        tx.connection.execute("insert into creator (name) values ('c')")
        project = tx.connection.execute(
            "insert into project (creator_id, name) select id, 'p' from creator returning id"
        ).fetchone()
        assert project
        return save_channel(
            tx,
            project_id=project["id"],
            name="news",
            platform="x",
            account="rejoinder",
            base_url=None,
            is_sandbox=False,
            policy=PAID,
        )


@pytest.fixture
def meter(db: Database, channel_id: ChannelId) -> SpendMeter:
    return SpendMeter(PostgresLedger(db, channel_id))


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(build_app(), list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def show(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("spend", "show", "--json", *arguments))["spending"]
    return found


def test_spend_shows_what_was_paid_for_and_what_is_left(meter: SpendMeter) -> None:
    meter.allow("post_read", 100)
    for _ in range(2):
        meter.count("post_read", [str(n) for n in range(100)])
        meter.tick()
    meter.allow("user_read", 10)
    (spend,) = show("--channel", "news")
    assert (spend["channel"], spend["state"], spend["detail"]) == ("news", "ok", "")
    assert spend["today"] == {
        "spent_usd": 0.5,
        "held_usd": 0.1,
        "budget_usd": 1.0,
        "left_usd": 0.4,
        "share": 0.5,
    }
    assert spend["month"]["left_usd"] == 19.4 and spend["month_end_usd"] >= 0.5
    (entry,) = spend["by_action"]
    assert (entry["action"], entry["n_resources"], entry["n_charged"]) == ("post_read", 200, 100)
    text = run("spend", "show")
    assert "news (ok)" in text and "50.0%" in text and "policy set CHANNEL spend_cap_usd_per_day" in text


def test_days_before_are_shown_when_asked_for(meter: SpendMeter, db: Database, channel_id: ChannelId) -> None:
    with db.transaction() as tx:
        tx.connection.execute(
            "insert into spend_entry (channel_id, day, action, n_resources, n_charged, spent_usd)"
            " values (%s, %s, 'create', 2, 2, 0.03)",
            (channel_id, datetime.now(UTC).date() - timedelta(days=2)),
        )
    assert show()[0]["by_action"] == []
    assert [row["action"] for row in show("--days", "3")[0]["by_action"]] == ["create"]


def test_a_channel_that_is_not_there_is_named(meter: SpendMeter) -> None:
    assert "there are: news" in run("spend", "show", "--channel", "nwes", code=2)


def test_without_a_channel_the_next_step_is_said() -> None:
    assert "rejoinder channel add" in run("spend", "show")


def test_status_shows_what_channels_do(meter: SpendMeter, db: Database, channel_id: ChannelId) -> None:
    assert "Channels" not in run("status")
    with db.transaction() as tx:
        set_state(tx, channel_id, "listen", "catching_up", "since 12:04")
    with pytest.raises(SpendStopped):
        meter.allow("post_read", 201)
    meter.rest()
    told = {state["part"]: state for state in json.loads(run("status", "--json"))["channels"]}
    assert told["listen"]["state"] == "catching_up"
    assert told["spend"]["state"] == "stopped" and "it goes on at" in told["spend"]["detail"]
    assert "catching up" in run("status")


def test_a_stop_is_over_when_the_day_turned_also_if_nobody_called(
    meter: SpendMeter, db: Database, channel_id: ChannelId
) -> None:
    with pytest.raises(SpendStopped):
        meter.allow("post_read", 201)
    meter.rest()
    now = datetime.now(UTC)
    with db.transaction() as tx:
        assert read_spend(tx, now)[0].state == "stopped"
        later = now + timedelta(days=1)
        assert read_spend(tx, later)[0].state == "ok"
        assert [state.state for state in live_states(tx, later)] == ["ok"]


def test_a_warning_names_the_budget_that_is_nearly_spent_now(
    meter: SpendMeter, db: Database, channel_id: ChannelId
) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with db.transaction() as tx:
        tx.connection.execute(
            "insert into spend_entry (channel_id, day, action, n_resources, n_charged, spent_usd)"
            " values (%s, '2026-11-10', 'create', 2, 2, 17)",
            (channel_id,),
        )
        set_state(tx, channel_id, "spend", "warned", "80 % or more of the budget of the day is spent")
        (told,) = live_states(tx, now)
    assert (told.state, told.detail) == ("warned", "80 % or more of the budget of the month is spent")
