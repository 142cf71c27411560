"""Listening to the sandbox with prices: what is read is counted, once a day, and nothing is read beyond the budget."""

from dataclasses import replace
from typing import Any

from rejoinder.listening.policy import default_policy
from resources.clients import metered
from resources.listening import hear_all
from resources.spending.meters import meters_of
from resources.store.channels import load_channel, read_credential
from resources.work.stopping import StopSignal

PAID = replace(default_policy("x/enterprise"), spend_cap_usd_per_day=10.0)


def hear(desk: Any) -> Any:
    with metered(desk.db) as open_client:
        return hear_all(desk.db, open_client=open_client, tuning=desk.tuning, stop=StopSignal())


def charged(desk: Any) -> dict[str, tuple[int, int]]:
    rows = desk.rows("select action, n_resources, n_charged from spend_entry")
    return {row["action"]: (row["n_resources"], row["n_charged"]) for row in rows}


def start(desk: Any, live: Any, **budget: Any) -> Any:
    live("x", 3)
    with desk.owner.transaction() as tx:
        channel_id = tx.connection.execute("select id from channel").fetchone()["id"]
        channel = load_channel(tx, channel_id)
    policy = replace(PAID, **budget)
    with desk.owner.transaction() as tx:
        credential = read_credential(tx, channel_id)
    return desk.channel(platform="x", policy=policy, base_url=channel.base_url, credential=credential)


def test_what_is_heard_is_charged_once_a_day(desk: Any, live: Any) -> None:
    start(desk, live)
    assert hear(desk).errors == {}
    first = charged(desk)
    assert first["post_read"] == (3, 3) and first["user_read"][1] == 3
    desk.rows("delete from cursor")
    assert hear(desk).errors == {}
    assert charged(desk)["post_read"] == (6, 3)
    assert desk.rows("select * from spend_hold") == []


def test_a_spent_budget_sends_no_request(desk: Any, live: Any) -> None:
    start(desk, live, spend_cap_usd_per_day=0.05)
    report = hear(desk)
    assert any("the budget of the day" in error for error in report.errors), report.errors
    assert "post_read" not in charged(desk)
    (state,) = desk.rows("select state, detail from channel_state where part = 'spend'")
    assert state["state"] == "stopped" and "it goes on at" in state["detail"]
    assert desk.notices() == ["spend_cap"]


def test_a_page_that_brought_little_leaves_little_held(desk: Any, live: Any) -> None:
    channel = start(desk, live)
    with desk.owner.transaction() as tx:
        credential = read_credential(tx, channel.id)
    with metered(desk.db) as open_client:
        open_client(channel, credential).hear({}, (), ())
        meters_of(desk.db).of(channel.id).tick()
        (held,) = desk.rows("select coalesce(sum(held_usd), 0)::float8 as usd from spend_hold")
    assert held["usd"] <= 0.1, "a hundredth of the budget, though the page might have cost 3 USD"
