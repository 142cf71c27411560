"""Trouble that lasts is one incident until it is over, and whoever has to act is reminded at most once a day."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from post_office import MAIL, PAGER, TEAM, Post

from resources.commands.notices import mark_all_read
from resources.notifications.delivering import count_due
from resources.notifications.message import NotTaken
from resources.notifications.outbox import claim, gather
from resources.platforms.failures import AuthExpired

DAY_S = 86_400.0


@pytest.fixture
def office(desk: Any) -> Callable[..., Post]:
    return lambda *sinks, **more: Post(desk, *(sinks or (PAGER,)), **more)


def events(post: Post, sink: str = "pager") -> list[str]:
    return [message.event for message in post.receivers.got.get(sink, [])]


def trouble(post: Post) -> int:
    """A channel whose credential is no longer taken; its id."""
    channel_id = int(post.desk.channel().id)
    post.tell("auth_expired", entity_type="channel", entity_id=channel_id)
    return channel_id


def end_it(post: Post, channel_id: int) -> None:
    post.desk.rows(
        "insert into audit_event (actor, action, entity_type, entity_id, created_at)"
        " values ('ada', 'set_credential', 'channel', %s, now() + interval '1 minute')",
        channel_id,
    )


def test_a_refused_credential_is_one_notice_over_days(desk: Any) -> None:
    desk.approved(desk.channel())
    desk.platform.script = [AuthExpired("401")] * 3
    for days in range(3):
        assert desk.run(later=timedelta(days=days)).requeued == 1
    assert desk.notices().count("auth_expired") == 1


def test_one_incident_is_reminded_of_once_a_day_under_its_key_until_it_is_over(
    office: Callable[..., Post],
) -> None:
    post = office(PAGER, TEAM, MAIL)
    channel_id = trouble(post)
    for hours in (0, 1, 23, 25, 26, 48, 50, 51):
        post.deliver(hours * 3600.0)
    assert events(post) == events(post, "team") == events(post, "post") == ["began", "reminded", "reminded"]
    end_it(post, channel_id)
    post.deliver(52 * 3600.0)
    post.deliver(100 * 3600.0)
    assert events(post) == ["began", "reminded", "reminded", "ended"]
    assert len({message.notices[0].key("r") for message in post.receivers.got["pager"]}) == 1
    assert len({message.id for message in post.receivers.got["pager"]}) == 4


def test_who_has_read_it_is_not_reminded(office: Callable[..., Post]) -> None:
    post = office()
    trouble(post)
    post.deliver()
    mark_all_read(post.desk.db, post.desk.approver)
    post.deliver(2 * DAY_S)
    assert events(post) == ["began"]


def test_only_what_needs_somebody_is_reminded_of(office: Callable[..., Post]) -> None:
    post = office(TEAM)
    for kind in ("refused", "run_failed", "listen_trouble"):
        post.tell(kind)
    post.deliver()
    post.deliver(2 * DAY_S)
    assert events(post, "team") == ["began"]


def test_a_reminder_that_is_due_is_seen_without_sending(office: Callable[..., Post]) -> None:
    post = office()
    trouble(post)
    post.deliver()
    assert count_due(post.desk.db, post.tuning, post.start + timedelta(hours=23)) == 0
    assert count_due(post.desk.db, post.tuning, post.start + timedelta(hours=25)) == 1


def test_a_reminder_never_opens_an_incident_again(office: Callable[..., Post]) -> None:
    post = office()
    channel_id = trouble(post)
    post.deliver()
    post.receivers.troubles = [NotTaken("HTTP 500")]
    assert post.deliver(DAY_S + 60).failed == 1, "the reminder waits"
    end_it(post, channel_id)
    assert post.deliver(DAY_S + 61).dropped == 1
    post.deliver(DAY_S + 7200)
    assert events(post) == ["began", "ended"] and post.states() == ["sent", "dropped", "sent"]


def test_a_reminder_that_may_have_arrived_is_settled_before_the_end_is_told(
    office: Callable[..., Post],
) -> None:
    post = office(TEAM)
    channel_id = trouble(post)
    post.deliver()
    post.at = post.start + timedelta(days=1, seconds=60)
    (sink,) = post.tuning.sinks
    gather(post.desk.db, sink, post.at)
    assert claim(post.desk.db, sink, post.at, lease_s=60, max_attempts=9), "another deliverer sends it"
    end_it(post, channel_id)
    assert post.deliver(DAY_S + 90).made == 0
    post.deliver(DAY_S + 200)
    assert events(post, "team") == ["began", "ended"]


def test_an_incident_that_was_over_before_anybody_tried_to_tell_is_none(office: Callable[..., Post]) -> None:
    post = office()
    post.tell("listen_trouble")
    post.receivers.troubles = [NotTaken("HTTP 500")]
    post.deliver()
    post.tell("listen_trouble", "another")
    post.deliver(1)
    mark_all_read(post.desk.db, post.desk.approver)
    assert post.deliver(2).dropped == 1
    post.deliver(3600)
    post.deliver(3700)
    told = [(message.event, message.notices[0].message) for message in post.receivers.got["pager"]]
    assert told == [("began", "m"), ("ended", "m")], "the one that was tried may have arrived"
