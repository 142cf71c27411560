"""Listening rules on the sandbox: what a sync would change and changes, what rules would cost, and who refuses."""

import json
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner
from x_listener import XDesk, as_new, wait_for

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.policy import default_policy
from rejoinder.listening.rules import MAX_RULES, ListeningRule
from resources.clients import open_client
from resources.commands import rules as deeds
from resources.listening import hear_all
from resources.rule_forecasts import forecasts, usd_per_day
from resources.streaming.costs import tell_cost
from resources.tuning import Tuning
from resources.work.stopping import StopSignal


@pytest.fixture
def sandbox(shared_x: Any) -> Any:
    """The sandbox of this folder's tests of X."""
    return as_new(shared_x)


@pytest.fixture
def x_desk(db: Any, owner_db: Any, sandbox: Any) -> XDesk:
    desk = XDesk(db, owner_db, sandbox)
    desk.rule("asyncio")
    return desk


def test_a_dry_run_shows_what_a_sync_does(x_desk: Any, sandbox: Any) -> None:
    client = deeds.client_of(x_desk.db, x_desk.channel, open_client)
    (ours,) = deeds.rules_of_channels(x_desk.db)
    planned = deeds.planned(client, ours.rules)
    assert planned is not None and [rule.x_query for rule in planned.added] == ["asyncio"]
    assert deeds.planned(client, ours.rules) == planned
    assert deeds.synced(client, ours.rules) == planned
    again = deeds.planned(client, ours.rules)
    assert again is not None and again.is_empty and len(again.kept) == 1
    other = deeds.planned(client, [ListeningRule("new", "threads")])
    assert other is not None and [rule.x_query for rule in other.removed] == ["asyncio"]


def test_a_thousand_rules_are_the_most(x_desk: Any) -> None:
    client = deeds.client_of(x_desk.db, x_desk.channel, open_client)
    rules = [ListeningRule(f"tag{n}", f"word{n}") for n in range(MAX_RULES + 1)]
    with pytest.raises(ConfigInvalid, match="1001 rules"):
        deeds.planned(client, rules)
    changes = deeds.synced(client, rules[:250])
    assert changes is not None and len(changes.added) == 250
    assert deeds.planned(client, rules[:250]).is_empty


def test_rules_beyond_the_daily_budget_need_a_yes(x_desk: Any) -> None:
    x_desk.flow(60)
    wait_for(lambda: not x_desk.sandbox.get("flow")["running"])
    x_desk.sandbox.advance(days=2)
    client = deeds.client_of(x_desk.db, x_desk.channel, open_client)
    (ours,) = deeds.rules_of_channels(x_desk.db, "x-rehearsal")
    policy = replace(default_policy("x/enterprise"), spend_cap_usd_per_day=0.01)
    channel = replace(x_desk.channel, policy=policy)
    found = forecasts(client, channel, ours.rules)
    assert usd_per_day(found) > 0.01
    row = deeds.forecast_row(found[0])
    assert row["usd_per_month"] == pytest.approx(30 * usd_per_day(found), abs=0.01)
    with pytest.raises(ConfigInvalid, match=r"would cost .* USD a day, its budget is 0.01 USD"):
        deeds.refuse_beyond_budget(channel, found, is_agreed=False)
    deeds.refuse_beyond_budget(channel, found, is_agreed=True)


def test_what_new_rules_will_cost_is_told_before_they_are_switched_on(x_desk: Any) -> None:
    x_desk.flow(60)
    wait_for(lambda: not x_desk.sandbox.get("flow")["running"])
    x_desk.sandbox.advance(days=2)
    client = deeds.client_of(x_desk.db, x_desk.channel, open_client)
    (ours,) = deeds.rules_of_channels(x_desk.db)
    for cap, told in ((1_000.0, 0), (0.01, 1), (0.01, 1)):
        policy = replace(default_policy("x/enterprise"), spend_cap_usd_per_day=cap)
        channel = replace(x_desk.channel, policy=policy)
        words = tell_cost(x_desk.db, client, channel, lambda: ours.rules)
        assert words and f"its budget is {cap:.2f} USD a day" in words
        kinds = [row["kind"] for row in x_desk.rows("select kind from notification")]
        assert kinds.count("rules_beyond_budget") == told


def test_where_reading_is_free_nothing_is_counted(x_desk: Any) -> None:
    client = deeds.client_of(x_desk.db, x_desk.channel, open_client)
    asked: list[str] = []
    assert tell_cost(x_desk.db, client, x_desk.channel, lambda: asked.append("asked") or []) is None
    assert asked == []


def test_a_platform_that_does_not_count_is_no_reason_not_to_listen(x_desk: Any) -> None:
    client = deeds.client_of(x_desk.db, x_desk.channel, open_client)
    (ours,) = deeds.rules_of_channels(x_desk.db)
    x_desk.sandbox.fault("counts", "503", times=3)
    channel = replace(x_desk.channel, policy=default_policy("x/enterprise"))
    assert tell_cost(x_desk.db, client, channel, lambda: ours.rules) is None


def test_the_commands_tell_programs_and_people(x_desk: Any, environment: None) -> None:
    from cli.app import build_app

    app, runner = build_app(), CliRunner()
    listed = json.loads(runner.invoke(app, ["rules", "list", "--json"]).stdout)
    only = {"channel": "x-rehearsal", "tag": "keywords:asyncio", "query": "asyncio", "refusal": None}
    assert listed == {"rules": [only]}
    bad = runner.invoke(app, ["rules", "check", "is:retweet", "--json"])
    assert bad.exit_code == 1 and "stand alone" in json.loads(bad.stdout)["problems"][0]
    assert "well formed" in runner.invoke(app, ["rules", "check", "asyncio -is:retweet"]).stdout


@pytest.mark.parametrize(("is_sandbox", "heard"), [(False, 5), (True, 10)])
def test_a_new_rule_reads_a_day_back_and_not_the_week(
    db: Any, owner_db: Any, sandbox: Any, is_sandbox: bool, heard: int
) -> None:
    desk = XDesk(db, owner_db, sandbox, is_sandbox)
    desk.rule("asyncio")
    for _ in range(2):
        sandbox.advance(days=3)
        desk.flow(5)
        wait_for(lambda: not sandbox.get("flow")["running"])
    client = sandbox.client("x")
    report = hear_all(db, open_client=lambda *_: client, tuning=Tuning(), stop=StopSignal())
    assert report.errors == {}
    assert len(set(desk.stored()) & set(desk.flowed())) == heard


def test_an_unknown_channel_is_named(x_desk: Any) -> None:
    with pytest.raises(ConfigInvalid, match="no enabled channel named nothing"):
        deeds.rules_of_channels(x_desk.db, "nothing")
