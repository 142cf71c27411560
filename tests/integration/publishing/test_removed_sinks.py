"""Sinks that leave the configuration and come back, and sinks that take nothing: neither waits nor grows for ever."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from post_office import PAGER, TEAM, Post

from resources.commands.notices import mark_all_read
from resources.notifications.delivering import count_due, deliver_due
from resources.notifications.message import NotTaken
from resources.notifications.outbox import GONE, MOST_PENDING
from resources.tuning_notifications import Notifications

OTHER = {**TEAM, "name": "other"}
HOUR_S = 3600.0


@pytest.fixture
def office(desk: Any) -> Callable[..., Post]:
    return lambda *sinks, **more: Post(desk, *(sinks or (TEAM, OTHER)), **more)


def configure(post: Post, *sinks: dict[str, Any]) -> None:
    """The file has these sinks from now on."""
    post.tuning = Notifications.model_validate({"sinks": sinks})
    post.ground = replace(post.ground, tuning=post.tuning)


def waiting(post: Post, sink: str) -> list[dict[str, Any]]:
    return post.desk.rows(
        "select state, last_error from notification_delivery where sink = %s and state <> 'sent' order by id",
        sink,
    )


def test_what_waits_for_a_sink_that_is_gone_is_dropped_and_says_so(office: Callable[..., Post]) -> None:
    post = office()
    post.tell()
    post.receivers.troubles = [NotTaken("HTTP 503")]
    assert post.deliver().failed == 1
    configure(post, OTHER)
    post.deliver(600)
    assert [row["state"] for row in waiting(post, "team")] == ["pending"], (
        "the file may be in somebody's hands"
    )
    assert post.deliver(2 * HOUR_S).dropped == 1
    (row,) = waiting(post, "team")
    assert row == {"state": "dropped", "last_error": f"{GONE}; before that: HTTP 503"}
    assert post.deliver(3 * HOUR_S).dropped == 0
    assert count_due(post.desk.db, post.tuning, post.at) == 0


def test_the_last_sink_that_goes_is_seen_too(office: Callable[..., Post]) -> None:
    post = office(TEAM)
    post.tell()
    post.receivers.troubles = [NotTaken("HTTP 503")]
    post.deliver()
    configure(post)
    assert count_due(post.desk.db, post.tuning, post.at) == 0
    post.deliver(2 * HOUR_S)
    assert post.states() == ["dropped"] and count_due(post.desk.db, post.tuning, post.at) == 0


def test_what_was_given_up_goes_with_its_sink(office: Callable[..., Post]) -> None:
    post = office()
    post.tell()
    post.receivers.troubles = [NotTaken("HTTP 400", is_final=True)]
    post.deliver()
    configure(post, OTHER)
    assert post.deliver(2 * HOUR_S).dropped == 1
    assert post.desk.rows("select from notification_delivery where state = 'dead'") == []


def test_a_sink_that_comes_back_is_told_of_what_happens_from_then_on(office: Callable[..., Post]) -> None:
    post = office()
    post.tell("refused", "before")
    post.receivers.troubles = [NotTaken("HTTP 503")]
    post.deliver()
    configure(post, OTHER)
    post.deliver(2 * HOUR_S)
    post.desk.rows("insert into notification (kind, message, created_at) values ('refused', 'meanwhile',"
                   " now() + interval '150 minutes')")  # fmt: skip
    post.deliver(3 * HOUR_S)
    configure(post, TEAM, OTHER)
    post.deliver(4 * HOUR_S)
    post.desk.rows("insert into notification (kind, message, created_at) values ('refused', 'afterwards',"
                   " now() + interval '5 hours')")  # fmt: skip
    post.deliver(6 * HOUR_S)
    told = [notice.message for message in post.receivers.got["team"] for notice in message.notices]
    assert told == ["afterwards"]
    assert [n.message for m in post.receivers.got["other"] for n in m.notices] == [
        "before",
        "meanwhile",
        "afterwards",
    ]


def test_a_sink_that_comes_back_still_resolves_what_it_was_told_of(office: Callable[..., Post]) -> None:
    post = office(PAGER)
    post.tell("listen_trouble")
    post.deliver()
    configure(post)
    post.deliver(2 * HOUR_S)
    mark_all_read(post.desk.db, post.desk.approver)
    post.deliver(3 * HOUR_S)
    configure(post, PAGER)
    post.deliver(4 * HOUR_S)
    assert [message.event for message in post.receivers.got["pager"]] == ["began", "ended"]


def test_a_pause_of_all_deliverers_removes_no_sink(office: Callable[..., Post]) -> None:
    post = office(TEAM)
    post.tell()
    assert post.deliver(48 * HOUR_S).sent == 1


def test_a_sink_that_takes_nothing_gets_no_more_than_so_many_messages(office: Callable[..., Post]) -> None:
    post = office(PAGER)
    post.desk.rows(
        "insert into notification (kind, message) select 'listen_trouble', n::text from generate_series(1, %s) n",
        MOST_PENDING + 50,
    )
    for minutes in range(3):
        post.receivers.troubles = [NotTaken("HTTP 500")] * 10
        post.deliver(minutes * 600.0)
    assert post.states() == ["pending"] * MOST_PENDING
    assert count_due(post.desk.db, post.tuning, post.at) == 0, "while it rests there is nothing to do"
    post.receivers.troubles = []
    for hours in (1, 2, 3):
        post.deliver(hours * HOUR_S)
    assert len(post.receivers.got["pager"]) == MOST_PENDING + 50


def test_two_files_at_once_do_not_drop_each_others_messages(office: Callable[..., Post]) -> None:
    post = office()
    one = replace(post.ground, tuning=Notifications.model_validate({"sinks": [TEAM]}))
    two = replace(post.ground, tuning=Notifications.model_validate({"sinks": [OTHER]}))
    post.tell()
    post.receivers.troubles = [NotTaken("HTTP 503"), NotTaken("HTTP 503")]
    for minutes in range(0, 240, 20):
        for ground in (one, two):
            report = deliver_due(replace(ground, now=lambda m=minutes: post.start + timedelta(minutes=m)))
            assert report.dropped == 0
    assert set(post.states()) == {"sent"}


def test_messages_of_long_ago_are_forgotten_and_nothing_is_told_again(office: Callable[..., Post]) -> None:
    """Read or not: only of what is still reminded of it has to stay known that it was told."""
    post = office(TEAM)
    post.tell("refused")
    post.tell("auth_expired", entity_type="channel", entity_id=1)
    post.desk.channel()
    assert post.deliver().sent == 1
    post.receivers.troubles = [NotTaken("HTTP 400", is_final=True)]
    post.tell("refused")
    assert post.deliver(HOUR_S).dead == 1
    days = [post.deliver(n * 24 * HOUR_S).sent for n in (2, 89, 93)]
    assert days == [1, 1, 1], "the credential is still refused, and it is said once a day"
    rows = post.desk.rows("select event, state from notification_delivery order by id")
    assert [(row["event"], row["state"]) for row in rows] == [
        ("began", "sent"), ("began", "dead"), ("reminded", "sent"), ("reminded", "sent"),
    ]  # fmt: skip
    mark_all_read(post.desk.db, post.desk.approver)
    assert post.deliver(94 * 24 * HOUR_S).sent == 0
    rows = post.desk.rows("select event, state from notification_delivery order by id")
    assert [row["event"] for row in rows] == ["began", "reminded", "reminded"]
    assert post.desk.rows("select count(*) as n from notification") == [{"n": 3}]
