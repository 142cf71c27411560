"""A rule that X refuses is put aside with X's reason, and keeps no other rule from being listened for."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner
from x_listener import XDesk, as_new, wait_for

from resources.clients import open_client
from resources.commands import rules as deeds
from resources.listening import hear_all
from resources.store.refused_rules import rules_aside
from resources.tuning import Tuning
from resources.work.stopping import StopSignal

BAD = "asyncio ( OR )"


@pytest.fixture
def sandbox(shared_x: Any) -> Any:
    """The sandbox of this folder's tests of X."""
    return as_new(shared_x)


@pytest.fixture
def x_desk(db: Any, owner_db: Any, sandbox: Any) -> XDesk:
    desk = XDesk(db, owner_db, sandbox)
    desk.rule("asyncio")
    return desk


def aside(desk: XDesk) -> list[str]:
    with desk.db.transaction() as tx:
        return [one.query for one in rules_aside(tx, desk.channel.id)]


def told(desk: XDesk) -> list[str]:
    rows = desk.rows("select message from notification where kind = 'rule_refused' order by id")
    return [row["message"] for row in rows]


def detail(desk: XDesk) -> str:
    return str(desk.rows("select detail from channel_state where part = 'listen'")[0]["detail"])


def test_the_stream_begins_with_the_others(x_desk: XDesk, environment: None) -> None:
    x_desk.rule(BAD, "bad")
    with x_desk.ear().listening():
        wait_for(lambda: x_desk.state() == "streaming")
        x_desk.flow(10)
        x_desk.wait_for_the_flow()
        assert aside(x_desk) == [BAD]
        wait_for(lambda: "rules that X does not take: 1" in detail(x_desk))
    (message,) = told(x_desk)
    assert "the listening rule bad: a term is missing" in message
    from cli.app import build_app

    listed = json.loads(CliRunner().invoke(build_app(), ["rules", "list", "--json"]).stdout)["rules"]
    assert {row["tag"]: bool(row["refusal"]) for row in listed} == {"keywords:asyncio": False, "bad": True}


def test_one_that_comes_while_we_stream_keeps_no_new_one_from_being_heard(x_desk: XDesk) -> None:
    with x_desk.ear().listening():
        wait_for(lambda: x_desk.state() == "streaming")
        with x_desk.db.transaction() as tx:
            for tag, query in (("bad", BAD), ("keywords:threads", "threads")):
                values = {"channel_id": x_desk.channel.id, "tag": tag, "query": query}
                tx.execute("upsert_listening_rule", **values)
        wait_for(lambda: aside(x_desk) == [BAD])
        x_desk.flow(10)
        x_desk.wait_for_the_flow()
        x_desk.flow(10, text="threads number {n}")
        x_desk.wait_for_the_flow()
        assert len(x_desk.connections("all")) == 1
    assert len(told(x_desk)) == 1


def test_another_text_is_tried_again(x_desk: XDesk) -> None:
    x_desk.rule(BAD, "changed")
    with x_desk.ear().listening():
        wait_for(lambda: aside(x_desk) == [BAD])
        x_desk.rule("threads", "changed")
        assert aside(x_desk) == []
        wait_for(lambda: x_desk.state() == "streaming" and detail(x_desk) == "")
        x_desk.flow(10, text="threads number {n}")
        x_desk.wait_for_the_flow()


def test_polls_put_a_rule_aside_too_and_read_the_others(x_desk: XDesk, sandbox: Any) -> None:
    x_desk.rule(BAD, "bad")
    x_desk.flow(5)
    wait_for(lambda: not sandbox.get("flow")["running"])
    sandbox.advance(seconds=60)
    client = sandbox.client("x")
    report = hear_all(x_desk.db, open_client=lambda *_: client, tuning=Tuning(), stop=StopSignal())
    assert report.errors == {} and set(x_desk.flowed()) <= set(x_desk.stored())
    assert aside(x_desk) == [BAD]


def test_a_person_has_it_tried_again(x_desk: XDesk) -> None:
    x_desk.rule("threads", "later")
    with x_desk.db.transaction() as tx:
        tx.execute("put_rule_aside", channel_id=x_desk.channel.id, query="threads", reason="not today")
    client = deeds.client_of(x_desk.db, x_desk.channel, open_client)
    (ours,) = deeds.rules_of_channels(x_desk.db)
    assert [rule.x_query for rule in ours.rules] == ["asyncio"] and ours.aside[0].reason == "not today"
    changes = deeds.try_again(x_desk.db, ours, client)
    assert changes is not None and {rule.tag for rule in changes.added} == {"keywords:asyncio", "later"}
    assert aside(x_desk) == []


def test_what_was_put_aside_is_not_switched_on_beyond_the_budget(x_desk: XDesk, environment: None) -> None:
    x_desk.rule("threads", "later")
    x_desk.rule(BAD, "bad")
    with x_desk.db.transaction() as tx:
        for query in ("threads", BAD):
            tx.execute("put_rule_aside", channel_id=x_desk.channel.id, query=query, reason="not today")
    client = deeds.client_of(x_desk.db, x_desk.channel, open_client)
    (ours,) = deeds.rules_of_channels(x_desk.db)
    assert {rule.tag for rule in ours.wanted} == {"keywords:asyncio", "bad", "later"}
    assert [one.rule.x_query for one in deeds.forecasts_of_wanted(client, ours)] == ["asyncio", "threads"]
