"""Polls saved with their cursor: new, known, edited, unreadable, opted out; failures; the stream."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from rejoinder.listening.post import Post
from resources import listening_stream
from resources.listening import hear_all
from resources.listening_stream import listen_stream
from resources.platforms.failures import AuthExpired, RateLimited, SpendStopped, Unreachable
from resources.platforms.port import Heard, Unreadable
from resources.work.stopping import StopSignal


def post(number: int, **changes: Any) -> Post:
    value = Post(
        "x", str(number), f"Post {number}", datetime(2026, 11, 1, tzinfo=UTC), author=f"author{number}"
    )
    return replace(value, **changes)


@dataclass
class Radio:
    """A client that can only listen: one entry of the programme per poll."""

    programme: list[Any] = field(default_factory=list)
    streams: list[Any] = field(default_factory=list)
    capabilities: frozenset[Any] = frozenset()
    cursors: list[dict[str, str]] = field(default_factory=list)
    rules: list[list[str]] = field(default_factory=list)

    def hear(self, cursor: Any, rules: Any, communities: Any) -> Heard:
        self.cursors.append(dict(cursor))
        self.rules.append([rule.x_query for rule in rules])
        entry = self.programme.pop(0) if self.programme else Heard((), cursor)
        if isinstance(entry, Exception):
            raise entry
        return entry

    def stream(self, rules: Any, stop: Any) -> Iterator[Post]:
        entry = self.streams.pop(0) if self.streams else []
        for item in entry:
            if isinstance(item, Exception):
                raise item
            yield item
        while not stop.is_set():
            threading.Event().wait(0.01)


def run(desk: Any, radio: Radio, **named: Any) -> Any:
    return hear_all(
        desk.db,
        open_client=named.get("open_client", lambda channel, credential: radio),
        tuning=desk.tuning,
        stop=StopSignal(),
    )


def test_polls_go_on_until_nothing_is_left_and_the_cursor_is_kept(desk):
    desk.channel()
    radio = Radio(
        [
            Heard((post(1), post(2)), {"since": "2"}, is_complete=False),
            Heard((post(3),), {"since": "3"}),
        ]
    )
    report = run(desk, radio)
    assert report.channels["rehearsal"].new == 3 and radio.cursors == [{}, {"since": "2"}]
    radio.programme = [Heard((post(3), replace(post(2), text="Post 2, edited")), {"since": "3"})]
    report = run(desk, radio)
    counts = report.channels["rehearsal"]
    assert (counts.new, counts.known, counts.edited) == (0, 1, 1)
    assert radio.cursors[-1] == {"since": "3"}


def test_who_called_us_comes_first(desk):
    desk.channel()
    run(desk, Radio([Heard((post(1), post(2, mentions=("rejoinder",))), {})]))
    rows = desk.rows("select is_summoned, priority from post order by priority desc")
    assert [r["is_summoned"] for r in rows] == [True, False] and rows[0]["priority"] >= 1000


def test_only_active_rules_are_listened_for(desk):
    channel = desk.channel()
    desk.rows(
        "insert into listening_rule (channel_id, tag, query, is_active) values (%s, 'a', 'heat', true),"
        " (%s, 'b', 'cold', false)",
        channel.id,
        channel.id,
    )
    radio = Radio()
    run(desk, radio)
    assert radio.rules == [["heat"]]


def test_what_cannot_be_read_or_stored_is_quarantined_and_the_rest_is_kept(desk):
    desk.channel()
    bad = post(2, text="nul \0 byte"), post(3, text="half \ud83d pair"), post(4, author_followers=2**40)
    heard = Heard((post(1), *bad, post(5)), {"since": "5"}, (Unreadable("6", '{"id": "6"}', "no text"),))
    report = run(desk, Radio([heard]))
    counts = report.channels["rehearsal"]
    assert (counts.new, counts.quarantined) == (2, 4)
    rows = desk.rows("select name, reason from quarantine order by name")
    assert [r["name"] for r in rows] == ["x:2", "x:3", "x:4", "x:6"] and rows[3]["reason"] == "no text"


def test_authors_who_opted_out_are_not_kept(desk):
    desk.channel()
    desk.rows("insert into opt_out (platform, author, reason) values ('x', 'Author1', 'stop')")
    counts = run(desk, Radio([Heard((post(1), post(2, author=None)), {})])).channels["rehearsal"]
    assert (counts.new, counts.opted_out) == (1, 1)


def test_a_channel_that_fails_does_not_hold_up_the_others(desk):
    desk.channel("broken")
    desk.channel("sound")
    broken, sound = Radio([RateLimited(None)]), Radio([Heard((post(1),), {})])
    report = run(desk, Radio(), open_client=lambda c, _: broken if c.name == "broken" else sound)
    assert report.channels["sound"].new == 1 and len(report.errors) == 1
    assert report.as_dict()["channels"]["sound"]["new"] == 1


def test_a_stream_that_breaks_is_caught_up_with_and_opened_again(desk, monkeypatch):
    monkeypatch.setattr(listening_stream, "FIRST_WAIT_S", 0.01)
    channel = desk.channel()
    desk.rows("insert into listening_rule (channel_id, tag, query) values (%s, 'a', 'heat')", channel.id)
    radio = Radio(
        programme=[Heard((post(1),), {"since": "1"}), Heard((post(3),), {"since": "3"})],
        streams=[[post(2), Unreachable("dropped")], [post(4)]],
        capabilities=frozenset({"stream"}),
    )
    stop, seen = StopSignal(), []

    def progress(count: int) -> None:
        seen.append(count)
        if sum(seen) == 4:
            stop.set()

    report = listen_stream(
        desk.db, open_client=lambda c, _: radio, tuning=desk.tuning, stop=stop, progress=progress
    )
    assert report.channels["rehearsal"].new == 4 and report.is_stopped


def test_a_channel_without_stream_is_polled(desk):
    desk.channel()
    radio, stop = Radio([Heard((post(1),), {}), Heard((post(2),), {})]), StopSignal()
    report = listen_stream(
        desk.db,
        open_client=lambda c, _: radio,
        tuning=desk.tuning,
        stop=stop,
        progress=lambda _: stop.set() if len(radio.cursors) == 2 else None,
        poll_s=0.01,
    )
    assert report.channels["rehearsal"].new == 2


def test_changed_rules_end_a_stream(desk, monkeypatch):
    channel = desk.channel()
    monkeypatch.setattr(listening_stream, "RULES_CHECK_S", 0.0)
    watch = listening_stream.RulesWatch(desk.db, channel, StopSignal())
    assert not watch.is_set()
    desk.rows("insert into listening_rule (channel_id, tag, query) values (%s, 'a', 'heat')", channel.id)
    assert watch.is_set()


def states(desk: Any) -> list[tuple[str, str]]:
    return [(row["state"], row["detail"]) for row in desk.rows("select state, detail from channel_state")]


def test_what_a_channel_does_is_kept_for_people(desk):
    desk.channel()
    run(desk, Radio())
    assert states(desk) == [("polling", "")]
    until = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)
    run(desk, Radio([RateLimited(until, "slow down")]))
    assert states(desk) == [("waiting", "slow down; goes on at 2026-11-02 07:30 UTC of the platform's time")]
    run(desk, Radio([SpendStopped(until, "spent")]))
    assert states(desk)[0][0] == "stopped"
    run(desk, Radio([AuthExpired("no")]))
    assert states(desk) == [("refused", "no")]
    run(desk, Radio([Heard((), {}, gaps=("r/py: more appeared than Reddit lists",))]))
    run(desk, Radio())
    [(state, detail)] = states(desk)
    assert state == "polling" and detail.endswith("r/py: more appeared than Reddit lists")
