"""Listening to X's stream over HTTP: every failure of it, and nothing lost or stored twice in any."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from x_listener import QUICK, XDesk, as_new, bearer, wait_for

from resources.platforms.failures import SpendStopped
from resources.platforms.port import Heard
from resources.platforms.streaming import as_block_stream
from resources.streaming.catch_up import save_poll
from resources.streaming.slot import take_slot


@pytest.fixture
def sandbox(shared_x: Any) -> Any:
    """The sandbox of this folder's tests of X."""
    return as_new(shared_x)


@pytest.fixture
def x_desk(db: Any, owner_db: Any, sandbox: Any) -> XDesk:
    desk = XDesk(db, owner_db, sandbox)
    desk.rule("asyncio")
    return desk


def is_connected(sandbox: Any) -> bool:
    return sandbox.get("health")["open_streams"] == 1


def test_posts_before_and_while_streaming_are_stored_and_the_cursor_follows(
    x_desk: Any, sandbox: Any
) -> None:
    x_desk.flow(30)
    with x_desk.ear().listening():
        wait_for(lambda: x_desk.state() == "streaming")
        x_desk.flow(30)
        x_desk.wait_for_the_flow()
        first = x_desk.rows("select value from cursor where name = 'hear'")[0]["value"]
        key = next(key for key in first if key.endswith(".since") and key.startswith("rule:"))
        sandbox.advance(seconds=5)
        x_desk.flow(2)

        def cursor() -> int:
            rows = x_desk.rows("select value from cursor where name = 'hear'")
            return int(rows[0]["value"][key])

        # The stream itself moves it: to the last post that is older than the disorder, and not beyond.
        wait_for(lambda: cursor() == int(x_desk.flowed()[59]))
        x_desk.wait_for_the_flow()
    assert x_desk.state() == "stopped"


PASSING = ("duplicate", "disorder", "no_tag", "unknown", "torn")


def test_odd_items_are_read_and_the_connection_stays(x_desk: Any, sandbox: Any, caplog: Any) -> None:
    with x_desk.ear().listening():
        wait_for(lambda: is_connected(sandbox))
        for kind in PASSING:
            sandbox.fault("stream", kind, times=2)
            x_desk.flow(10)
            x_desk.wait_for_the_flow()
        assert len(x_desk.connections("all")) == 1
    assert sum("unknown kind" in record.message for record in caplog.records) == 1


BREAKING = {
    "disconnect": lambda waits: waits == [0.0],
    "cut": lambda waits: waits[0] == 0.0,
    "silent": lambda waits: waits[0] == 0.0,
}


@pytest.mark.parametrize("kind", BREAKING)
def test_a_connection_that_ends_is_made_again_at_once_and_nothing_is_missed(
    x_desk: Any, sandbox: Any, kind: str
) -> None:
    listener = x_desk.ear(silence_s=1.0 if kind == "silent" else 25.0)
    with listener.listening():
        wait_for(lambda: x_desk.state() == "streaming")
        sandbox.fault("stream", kind, delay_s=4 if kind == "silent" else 0)
        x_desk.flow(60)
        x_desk.wait_for_the_flow()
        wait_for(lambda: listener.waits)
        assert BREAKING[kind](listener.waits), listener.waits


REFUSING = {
    "503": [5.0, 10.0],
    "drop": [0.0, 0.25],
    "429_no_headers": [60.0, 120.0],
    "too_many": [60.0, 120.0],
    "409": [5.0, 10.0],
    "401": [320.0, 320.0],
}


@pytest.mark.parametrize("kind", REFUSING)
def test_a_stream_that_is_refused_is_asked_for_again_by_the_schedule(
    x_desk: Any, sandbox: Any, kind: str
) -> None:
    sandbox.fault("stream", kind, times=2)
    listener = x_desk.ear()
    # Polls between two attempts would be waits too.
    listener.ear.ground.timing = QUICK.__class__(**{**timing_values(), "poll_s": 1000.0})
    with listener.listening():
        wait_for(lambda: is_connected(sandbox))
    assert listener.waits[:2] == REFUSING[kind]


def timing_values() -> dict[str, float]:
    return {name: getattr(QUICK, name) for name in QUICK.__dataclass_fields__}


def test_a_limit_that_names_its_end_is_waited_for_until_then(x_desk: Any, sandbox: Any) -> None:
    sandbox.fault("stream", "429")
    listener = x_desk.ear()
    listener.ear.ground.timing = QUICK.__class__(**{**timing_values(), "poll_s": 10_000.0})
    with listener.listening():
        wait_for(lambda: is_connected(sandbox))
    assert 0 < listener.waits[0] <= 15 * 60 + 2 and listener.waits[0] != 60.0


def test_while_the_stream_is_refused_search_is_asked(x_desk: Any, sandbox: Any) -> None:
    sandbox.fault("stream", "too_many", times=2)
    x_desk.flow(10)
    with x_desk.ear().listening():
        x_desk.wait_for_the_flow()
        wait_for(lambda: x_desk.state() in ("waiting", "polling"))


def test_a_connection_of_ours_that_outlived_its_listener_is_ended(x_desk: Any, sandbox: Any) -> None:
    listener = x_desk.ear()
    with listener.listening():
        wait_for(lambda: x_desk.rows("select 1 from cursor where value ? 'connection'"))
        sandbox.fault("stream", "cut", delay_s=3000)
        wait_for(lambda: listener.waits)
        x_desk.flow(20)
        x_desk.wait_for_the_flow()
        wait_for(lambda: is_connected(sandbox))
        assert len(listener.waits) < 10 and 1.0 in listener.waits


def test_somebody_elses_connection_is_left_alone(x_desk: Any, sandbox: Any) -> None:
    listener = x_desk.ear()
    listener.ear.ground.stream.sync_rules(list(map(rule_of, ["asyncio"])))
    with requests.get(
        f"{sandbox.url}/2/tweets/search/stream",
        headers=bearer(sandbox),
        stream=True,
        timeout=60,
    ) as other:
        assert other.status_code == 200
        with listener.listening():
            x_desk.flow(10)
            x_desk.wait_for_the_flow()
            assert len(x_desk.connections("active")) == 1
        assert len(x_desk.connections("all")) == 1


def rule_of(query: str) -> Any:
    from rejoinder.listening.rules import ListeningRule

    return ListeningRule(f"keywords:{query}", query)


def test_rules_change_while_the_connection_stays(x_desk: Any, sandbox: Any) -> None:
    with x_desk.ear().listening():
        wait_for(lambda: x_desk.state() == "streaming")
        x_desk.flow(10, text="threads number {n}")
        wait_for(lambda: not sandbox.get("flow")["running"])
        x_desk.rule("threads")
        # What was said before the rule was live is searched for.
        x_desk.wait_for_the_flow()
        x_desk.flow(10, text="threads again {n}")
        x_desk.wait_for_the_flow()
        assert len(x_desk.connections("all")) == 1


def test_a_second_listener_polls_and_says_so(x_desk: Any, sandbox: Any) -> None:
    listener = x_desk.ear()
    key = as_block_stream(listener.ear.ground.client).stream_key
    first = take_slot(x_desk.db.url, key)
    assert first is not None and first.is_held() and take_slot(x_desk.db.url, key) is None
    with listener.listening():
        wait_for(lambda: x_desk.state() == "polling")
        x_desk.flow(10)
        x_desk.wait_for_the_flow()
        assert not is_connected(sandbox)
        first.free()
        wait_for(lambda: x_desk.state() == "streaming")


def test_a_stop_stores_what_was_received_and_the_next_listener_finds_the_rest(
    x_desk: Any, sandbox: Any
) -> None:
    with x_desk.ear().listening():
        wait_for(lambda: is_connected(sandbox))
        x_desk.flow(150)
        wait_for(lambda: len(x_desk.stored()) > 20)
    with x_desk.ear().listening():
        x_desk.wait_for_the_flow()


def test_a_mention_that_no_rule_matches_is_heard(x_desk: Any, sandbox: Any) -> None:
    with x_desk.ear().listening():
        wait_for(lambda: x_desk.state() == "streaming")
        x_desk.flow(1, text="what do you say about tea, @sample_account?")
        x_desk.wait_for_the_flow()
    assert x_desk.rows("select is_summoned from post where text like '%%tea%%'")[0]["is_summoned"]


def test_after_more_than_a_week_the_gap_is_told(x_desk: Any, sandbox: Any) -> None:
    ground = x_desk.ear().ear.ground
    with x_desk.db.transaction() as tx:
        heard = Heard((), {"rule:2.since": "7"}, gaps=("rule:1: not polled for seven days",))
        save_poll(tx, ground, {"rule:1.since": "5"}, heard)
    told = x_desk.rows("select message from notification where kind = 'listen_gap'")
    assert len(told) == 1 and "not polled for seven days" in told[0]["message"]
    assert x_desk.rows("select value from cursor where name = 'hear'")[0]["value"] == {"rule:2.since": "7"}


class Purse:
    """A meter with so much in it."""

    def __init__(self, posts: int) -> None:
        self.left, self.seen = posts, {}

    def allow(self, action: str, n_resources: int = 1) -> None:
        if action == "post_read" and n_resources > self.left:
            raise SpendStopped(datetime.now(UTC) + timedelta(hours=3), "the day's budget is spent")

    def count(self, action: str, resource_ids: Any) -> None:
        fresh = set(resource_ids) - self.seen.setdefault(action, set())
        self.seen[action] |= fresh
        self.left -= len(fresh) if action == "post_read" else 0


def test_a_spent_budget_ends_the_stream_and_what_was_received_is_stored_and_counted(
    x_desk: Any, sandbox: Any
) -> None:
    purse = Purse(200)
    listener = x_desk.ear(meter=purse)
    with listener.listening():
        wait_for(lambda: x_desk.state() == "streaming")
        x_desk.flow(400)
        wait_for(lambda: x_desk.state() == "stopped")
        wait_for(lambda: any(wait >= 300 for wait in listener.waits))
        # X sees the end a moment after us.
        wait_for(lambda: not is_connected(sandbox))
    # Charged is what was received, and what was received is stored.
    flowed = set(x_desk.flowed())
    assert set(x_desk.stored()) & flowed == purse.seen["post_read"] & flowed
    assert 100 < len(x_desk.stored()) < 400 and purse.seen["user_read"] and purse.seen["own_read"]
