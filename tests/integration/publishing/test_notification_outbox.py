"""The outbox on a real PostgreSQL: told once, never by two at a time, again after a fault, dead after its attempts."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from post_office import MAIL, PAGER, TEAM, Post

from rejoinder.errors import ConfigInvalid
from resources.commands.notices import mark_all_read, retry_messages
from resources.commands.upkeep import mark_read
from resources.notices import list_notices, notify
from resources.notifications.delivering import count_due, deliver_due, send_test
from resources.notifications.message import NotTaken
from resources.notifications.outbox import claim, gather
from resources.notifications.sinks import sink_named
from resources.work.stopping import StopSignal


@pytest.fixture
def office(desk: Any) -> Callable[..., Post]:
    return lambda *sinks, **more: Post(desk, *(sinks or (TEAM,)), **more)


def test_a_notice_is_told_once(office: Callable[..., Post]) -> None:
    post = office()
    post.tell()
    assert post.deliver().sent == 1
    assert post.deliver(3600).sent == 0
    assert post.receivers.kinds("team") == [["refused"]] and post.states() == ["sent"]


def test_a_new_sink_is_not_told_of_the_past(desk: Any, office: Callable[..., Post]) -> None:
    notify(desk.db, "refused", "long ago")
    desk.rows("update notification set created_at = now() - interval '2 hours'")
    post = office()
    assert post.deliver().sent == 0 and post.receivers.got == {}


def test_each_sink_is_told_what_it_chose(office: Callable[..., Post]) -> None:
    quiet = {**TEAM, "name": "calm", "kinds": ["policy"]}
    post = office(TEAM, PAGER, quiet)
    for kind in ("policy", "refused", "unknown_outcome", "a_kind_of_later"):
        post.tell(kind)
    post.deliver()
    assert post.receivers.kinds("team") == [["refused", "unknown_outcome", "a_kind_of_later"]]
    assert post.receivers.kinds("pager") == [["unknown_outcome"]]
    assert post.receivers.kinds("calm") == [["policy"]]


def test_a_burst_is_one_letter_and_then_the_next_waits(office: Callable[..., Post]) -> None:
    post = office({**MAIL, "group_s": 600})
    for number in range(120):
        post.tell("refused", f"reply {number}")
    post.deliver()
    post.tell("refused", "one more")
    post.deliver(300)
    assert [len(message.notices) for message in post.receivers.got["post"]] == [120]
    post.deliver(601)
    assert [len(message.notices) for message in post.receivers.got["post"]] == [120, 1]


def test_in_quiet_hours_only_what_is_critical_is_told(office: Callable[..., Post]) -> None:
    now = datetime.now(UTC)
    start, end = (now - timedelta(hours=1), now + timedelta(hours=1))
    post = office({**TEAM, "quiet": f"{start:%H:%M}-{end:%H:%M} UTC"})
    post.tell("refused")
    post.tell("auth_expired")
    post.deliver()
    assert post.receivers.kinds("team") == [["auth_expired"]]
    post.deliver(2 * 3600)
    assert post.receivers.kinds("team") == [["auth_expired"], ["refused"]]


def test_what_is_over_is_told_after_quiet_hours_and_an_incident_is_resolved_within(
    office: Callable[..., Post],
) -> None:
    now = datetime.now(UTC)
    start, end = (now + timedelta(minutes=1), now + timedelta(hours=2))
    quiet = f"{start:%H:%M}-{end:%H:%M} UTC"
    post = office({**TEAM, "quiet": quiet}, {**PAGER, "quiet": quiet})
    post.tell("listen_trouble")
    post.deliver()
    mark_all_read(post.desk.db, post.desk.approver)
    post.deliver(1800)
    events = {name: [message.event for message in got] for name, got in post.receivers.got.items()}
    assert events == {"team": ["began"], "pager": ["began", "ended"]}
    post.deliver(3 * 3600)
    assert [message.event for message in post.receivers.got["team"]] == ["began", "ended"]


def test_a_fault_is_tried_again_under_the_same_id(office: Callable[..., Post]) -> None:
    post = office()
    post.tell()
    post.receivers.troubles = [NotTaken("HTTP 503")]
    assert post.deliver().failed == 1
    assert post.desk.rows("select last_error, attempts from notification_delivery") == [
        {"last_error": "HTTP 503", "attempts": 1}
    ]
    post.tell("refused", "another, meanwhile")
    assert post.deliver(10).sent == 0, "the sink rests"
    assert post.deliver(31).sent == 2
    first, second = post.receivers.got["team"]
    assert (len(first.notices), len(second.notices)) == (1, 1) and first.number < second.number


def test_a_sink_is_waited_for_as_long_as_it_asks(office: Callable[..., Post]) -> None:
    post = office()
    post.tell()
    post.receivers.troubles = [NotTaken("HTTP 429", asked_s=500)]
    post.deliver()
    assert post.deliver(499).sent == 0
    assert post.deliver(501).sent == 1


def test_one_sink_that_is_down_does_not_hold_up_another(office: Callable[..., Post]) -> None:
    post = office(TEAM, {**TEAM, "name": "other"})
    post.tell()
    post.receivers.troubles = [NotTaken("HTTP 500")]
    report = post.deliver()
    assert (report.sent, report.failed, report.errors) == (1, 1, {"team": "HTTP 500"})
    assert list(post.receivers.got) == ["other"]


def test_after_its_attempts_a_message_is_dead_until_somebody_retries(office: Callable[..., Post]) -> None:
    post = office(TEAM, max_attempts=2)
    post.tell()
    post.receivers.troubles = [NotTaken("HTTP 500")] * 2
    post.deliver()
    assert post.deliver(100).dead == 1 and post.states() == ["dead"]
    assert post.deliver(10_000).sent == 0
    assert retry_messages(post.desk.db, post.desk.approver, "team", now=lambda: post.at) == 1
    assert post.deliver(10_001).sent == 1


def test_what_can_never_be_taken_is_dead_at_once_and_holds_nobody_up(office: Callable[..., Post]) -> None:
    post = office(PAGER)
    post.tell("unknown_outcome")
    post.tell("listen_trouble")
    post.receivers.troubles = [NotTaken("HTTP 400", is_final=True)]
    report = post.deliver()
    assert (report.dead, report.sent) == (1, 1) and post.states() == ["dead", "sent"]


def test_a_wrong_secret_is_a_fault_like_any_other(office: Callable[..., Post]) -> None:
    post = office()
    post.tell()
    post.receivers.troubles = [ConfigInvalid("The secret is no base64.")]
    assert post.deliver().failed == 1 and post.deliver(60).sent == 1


def test_trouble_that_nobody_foresaw_holds_up_neither_sink_nor_pass(office: Callable[..., Post]) -> None:
    post = office(TEAM, {**TEAM, "name": "other"})
    post.tell()
    post.receivers.troubles = [UnicodeError("https://a.example/hush")]
    report = post.deliver()
    assert (report.sent, report.errors) == (1, {"team": "sending broke down (UnicodeError)"})
    assert post.deliver(60).sent == 1


def test_two_deliverers_never_hold_one_message(desk: Any, office: Callable[..., Post]) -> None:
    post = office(PAGER)
    for number in range(60):
        post.tell("unknown_outcome", f"reply {number}")
    start = threading.Barrier(3)

    def run() -> None:
        start.wait()
        deliver_due(post.ground)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deliver_due(post.ground)
    told = [message.notices[0].id for message in post.receivers.got["pager"]]
    assert len(told) == 60 and len(set(told)) == 60


def test_a_deliverer_that_died_leaves_the_message_to_the_next(office: Callable[..., Post]) -> None:
    post = office(TEAM, max_attempts=2)
    (sink,) = post.tuning.sinks
    post.tell()
    gather(post.desk.db, sink, post.start)
    lost = claim(post.desk.db, sink, post.start, lease_s=60, max_attempts=2)
    assert lost is not None
    assert post.deliver(30).sent == 0, "it is still held"
    assert post.deliver(61).sent == 1
    assert post.receivers.got["team"][0].number == lost.id


def test_a_message_that_kills_its_deliverers_is_dead(office: Callable[..., Post]) -> None:
    post = office(TEAM, max_attempts=2)
    (sink,) = post.tuning.sinks
    post.tell()
    gather(post.desk.db, sink, post.start)
    for n in range(2):
        assert claim(post.desk.db, sink, post.start + timedelta(seconds=61 * n), lease_s=60, max_attempts=2)
    assert post.deliver(200).dead == 1 and post.states() == ["dead"]


def test_a_late_answer_settles_nothing(office: Callable[..., Post]) -> None:
    post = office()
    (sink,) = post.tuning.sinks
    post.tell()
    gather(post.desk.db, sink, post.start)
    claim(post.desk.db, sink, post.start, lease_s=60, max_attempts=9)
    claim(post.desk.db, sink, post.start + timedelta(seconds=61), lease_s=60, max_attempts=9)
    values = {"state": "sent", "due_at": None, "last_error": None, "now": post.start}
    with post.desk.db.transaction() as tx:
        assert tx.row("settle_delivery", id=1, attempts=1, **values) is None
        assert tx.row("settle_delivery", id=1, attempts=2, **values) is not None


def unknown_since(desk: Any, minutes: int, state: str = "unknown") -> int:
    """A reply whose outcome nobody has seen for so long, with no publisher anywhere."""
    publication = int(desk.approved(desk.channel()))
    lease = "1, lease_until = now() - interval '1 minute'"
    with desk.publisher.transaction() as tx:
        tx.connection.execute(
            f"update publication set state = 'sending', lease_worker = {lease} where id = %s", (publication,)
        )
        if state == "unknown":
            tx.connection.execute(
                "update publication set state = 'unknown', lease_worker = null, lease_until = null where id = %s",
                (publication,),
            )
    desk.rows("alter table publication_event disable trigger publication_event_append_only")
    long_ago = timedelta(minutes=minutes)
    desk.rows("update publication_event set created_at = now() - %s", long_ago)
    return publication


@pytest.mark.parametrize("state", ["unknown", "sending"])
def test_an_outcome_that_stays_unknown_is_told_without_a_publisher(
    desk: Any, office: Callable[..., Post], state: str
) -> None:
    publication = unknown_since(desk, 11, state)
    post = office(PAGER)
    assert count_due(desk.db, post.tuning, post.start) == 1
    report = post.deliver()
    assert (report.overdue, report.sent) == (1, 1)
    (message,) = post.receivers.got["pager"]
    assert message.notices[0].entity_id == publication and message.notices[0].kind == "unknown_outcome"
    assert post.deliver(60).overdue == 0, "told once"


def test_an_outcome_of_nine_minutes_is_not_told(desk: Any, office: Callable[..., Post]) -> None:
    unknown_since(desk, 9)
    assert office().deliver().overdue == 0


def test_an_incident_is_resolved_when_the_trouble_is_over(desk: Any, office: Callable[..., Post]) -> None:
    publication = unknown_since(desk, 11)
    post = office(PAGER, MAIL)
    post.deliver()
    desk.rows("update publication set state = 'abandoned' where id = %s", publication)
    assert post.deliver(60).ended == 1
    began, ended = post.receivers.got["pager"]
    assert (began.event, ended.event) == ("began", "ended")
    assert began.notices[0].key("r") == ended.notices[0].key("r")
    assert [message.event for message in post.receivers.got["post"]] == ["began"], (
        "letters don't tell the end"
    )
    assert post.deliver(120).ended == 0 and len(post.receivers.got["pager"]) == 2


def test_what_is_over_before_it_was_told_opens_no_incident(desk: Any, office: Callable[..., Post]) -> None:
    publication = unknown_since(desk, 11)
    post = office(PAGER)
    post.receivers.troubles = [NotTaken("HTTP 500")]
    post.tell("listen_trouble")
    post.deliver()
    mark_all_read(desk.db, desk.approver)
    desk.rows("update publication set state = 'abandoned' where id = %s", publication)
    post.tell("listen_trouble", "again")
    post.deliver(1)
    mark_all_read(desk.db, desk.approver)
    post.deliver(3600)
    events = [(message.event, message.notices[0].message) for message in post.receivers.got["pager"]]
    assert all(events.count((event, words)) == 1 for event, words in events)


ENDS: dict[str, tuple[str, str]] = {
    "auth_expired": (
        "channel",
        "insert into audit_event (actor, action, entity_type, entity_id, created_at)"
        " select 'ada', 'add_channel', 'channel', max(id), now() + interval '1 minute' from channel",
    ),
    "spend_cap": ("channel", "update channel_state set state = 'ok'"),
    "paused": ("channel", "update pause set resumed_at = now() + interval '1 minute'"),
    "handed_over": ("publication", "update publication set state = 'abandoned'"),
}


@pytest.mark.parametrize("kind", ENDS)
def test_each_lasting_kind_ends_by_itself_and_not_by_reading(
    desk: Any, office: Callable[..., Post], kind: str
) -> None:
    channel = desk.channel()
    publication = desk.approved(channel)
    desk.rows(
        "insert into channel_state (channel_id, part, state) values (%s, 'spend', 'stopped')", channel.id
    )
    if kind == "paused":
        desk.rows("insert into pause (channel_id, reason) values (%s, 'r')", channel.id)
    if kind == "handed_over":
        desk.rows("update publication set state = 'handoff' where id = %s", publication)
    entity, end = ENDS[kind]
    post = office()
    post.tell(kind, entity_type=entity, entity_id=channel.id if entity == "channel" else publication)
    mark_all_read(desk.db, desk.approver)
    assert post.deliver().ended == 0
    desk.rows(end)
    assert post.deliver(120).ended == 1


@pytest.mark.parametrize("way", ["unknown", "handoff"])
def test_a_credential_is_not_good_again_because_a_reply_was_found_or_posted_by_hand(
    desk: Any, office: Callable[..., Post], way: str
) -> None:
    channel = desk.channel()
    publication = desk.approved(channel)
    post = office()
    post.tell("auth_expired", entity_type="channel", entity_id=channel.id)
    for state in (way, "sent"):
        desk.rows(
            "insert into publication_event (publication_id, from_state, to_state, created_at)"
            " values (%s, %s, %s, now() + interval '1 second')",
            publication,
            "sending" if state == way else way,
            state,
        )
    assert post.deliver(60).ended == 0
    desk.rows(
        "insert into publication_event (publication_id, from_state, to_state, created_at)"
        " values (%s, 'sending', 'sent', now() + interval '1 second')",
        publication,
    )
    assert post.deliver(120).ended == 1


def test_trouble_that_comes_back_is_told_again(desk: Any, office: Callable[..., Post]) -> None:
    channel = desk.channel()
    post = office()
    for hour in range(2):
        desk.rows(
            "insert into channel_state (channel_id, part, state) values (%s, 'spend', 'stopped')"
            " on conflict (channel_id, part) do update set state = 'stopped'",
            channel.id,
        )
        post.tell("spend_cap", entity_type="channel", entity_id=channel.id)
        post.tell("spend_cap", entity_type="channel", entity_id=channel.id)
        post.deliver(hour * 3600)
        desk.rows("update channel_state set state = 'ok'")
        post.deliver(hour * 3600 + 30)
    told = [message.event for message in post.receivers.got["team"]]
    assert told == ["began", "ended", "began", "ended"]


def test_what_happened_once_is_over_when_it_is_read(desk: Any, office: Callable[..., Post]) -> None:
    post = office()
    post.tell("refused")
    assert post.deliver().ended == 0
    (row,) = list_notices(desk.db)
    assert mark_read(desk.db, desk.approver, row["id"])
    assert post.deliver(60).ended == 1
    assert list_notices(desk.db) == [] and list_notices(desk.db, with_read=True)[0]["ended_at"]


def test_notices_know_where_their_post_is(desk: Any) -> None:
    publication = desk.approved(desk.channel())
    notify(desk.db, "refused", "m", entity_type="publication", entity_id=publication)
    notify(desk.db, "run_failed", "m")
    run, refused = list_notices(desk.db)
    assert refused["post_id"] == desk.publication(publication)["post_id"] and run["post_id"] is None
    assert (refused["severity"], run["severity"], refused["about"]) == (
        "warning",
        "error",
        f"publication {publication}",
    )


def test_a_kind_is_marked_at_once(desk: Any) -> None:
    for kind in ("refused", "policy", "policy"):
        notify(desk.db, kind, "m")
    assert mark_all_read(desk.db, desk.approver, "policy") == 2
    assert [row["kind"] for row in list_notices(desk.db)] == ["refused"]


def test_a_test_goes_past_the_outbox_and_leaves_no_incident(office: Callable[..., Post]) -> None:
    post = office(TEAM, PAGER)
    for name in ("team", "pager"):
        send_test(post.ground, sink_named(post.tuning, name))
    assert [message.event for message in post.receivers.got["pager"]] == ["began", "ended"]
    assert len(post.receivers.got["team"]) == 1 and post.states() == []
    with pytest.raises(ConfigInvalid, match="there are: team, pager"):
        sink_named(post.tuning, "nobody")


def test_a_stop_ends_between_two_messages(office: Callable[..., Post]) -> None:
    post, stop = office(PAGER), StopSignal()
    for _ in range(3):
        post.tell("unknown_outcome")
    stop.set()
    deliver_due(post.ground, stop=stop)
    assert post.receivers.got == {} and post.states() == ["pending"] * 3
