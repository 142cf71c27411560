"""Rules at X that another program changes: ours are put right and their gap is read, the others stay."""

from typing import Any

import pytest
import requests
from x_listener import XDesk, as_new, bearer, wait_for

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.rules import MAX_RULES, ListeningRule
from resources.clients import open_client
from resources.commands import rules as deeds
from resources.platforms import x_rules


@pytest.fixture
def sandbox(shared_x: Any) -> Any:
    """The sandbox of this folder's tests of X."""
    return as_new(shared_x)


@pytest.fixture
def x_desk(db: Any, owner_db: Any, sandbox: Any) -> XDesk:
    desk = XDesk(db, owner_db, sandbox)
    desk.rule("asyncio")
    return desk


def change(sandbox: Any, **body: Any) -> None:
    url = f"{sandbox.url}/2/tweets/search/stream/rules"
    requests.post(url, json=body, headers=bearer(sandbox), timeout=30).raise_for_status()


def at_x(sandbox: Any) -> dict[str, str | None]:
    url = f"{sandbox.url}/2/tweets/search/stream/rules"
    rows = requests.get(url, headers=bearer(sandbox), timeout=30).json().get("data") or []
    return {row["value"]: row.get("tag") for row in rows}


def test_what_another_program_takes_away_is_back_and_nothing_is_missed(x_desk: XDesk, sandbox: Any) -> None:
    listener = x_desk.ear()
    with listener.listening():
        wait_for(lambda: x_desk.state() == "streaming")
        x_desk.flow(20)
        x_desk.wait_for_the_flow()
        # So that the stream has the rule in hand, and its search begins where the stream was last seen with it.
        change(sandbox, delete={"values": ["asyncio"]})
        x_desk.flow(40)
        wait_for(lambda: "asyncio" in at_x(sandbox))
        x_desk.wait_for_the_flow()
        sandbox.advance(seconds=5)
        x_desk.flow(5)
        x_desk.wait_for_the_flow()
        assert len(x_desk.connections("all")) == 1


def test_other_programs_rules_stay_and_are_told_of(x_desk: XDesk, sandbox: Any) -> None:
    change(sandbox, add=[{"value": "brand watch", "tag": "somebody"}, {"value": "no tag at all"}])
    change(sandbox, add=[{"value": "was ours", "tag": "keywords:0123456789ab"}])
    with x_desk.ear().listening():
        wait_for(lambda: x_desk.state() == "streaming")
        rows = x_desk.rows("select detail from channel_state where part = 'listen'")
        assert "rules at X that are not ours: 2, left alone" in rows[0]["detail"]
        assert at_x(sandbox) == {
            "brand watch": "somebody",
            "no tag at all": None,
            "asyncio": "keywords:asyncio",
        }


def test_a_query_that_another_program_asks_for_too_is_delivered_already(x_desk: XDesk, sandbox: Any) -> None:
    change(sandbox, add=[{"value": "asyncio", "tag": "somebody"}])
    client = deeds.client_of(x_desk.db, x_desk.channel, open_client)
    (ours,) = deeds.rules_of_channels(x_desk.db)
    for _ in range(2):
        changes = deeds.synced(client, ours.rules)
        assert changes is not None and changes.is_empty and len(changes.kept) == len(changes.foreign) == 1
    with x_desk.ear().listening():
        wait_for(lambda: x_desk.state() == "streaming")
        x_desk.flow(10)
        x_desk.wait_for_the_flow()


def test_other_programs_rules_count_towards_what_x_takes() -> None:
    there = {"data": [{"id": str(n), "value": f"other{n}", "tag": "theirs"} for n in range(MAX_RULES - 1)]}
    rules = [ListeningRule(f"keywords:{n}", f"word{n}") for n in range(2)]
    assert len(x_rules.plan(lambda *_, **__: there, rules[:1])[0].foreign) == MAX_RULES - 1
    with pytest.raises(ConfigInvalid, match="2 rules and 999 of other programs"):
        x_rules.plan(lambda *_, **__: there, rules)
