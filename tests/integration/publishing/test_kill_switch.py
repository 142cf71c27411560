"""The kill switch: who may turn it, what it stops, and that nothing new leaves once it is turned."""

import threading
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from rejoinder.errors import ConfigInvalid, DecisionInvalid, NotAllowed
from resources.commands.actors import Actor, machine_owner
from resources.commands.pauses import pause, resume
from resources.platforms.failures import OutcomeUnknown

HOUR = timedelta(hours=1)


def test_a_paused_channel_sends_nothing_and_goes_on_when_it_is_resumed(desk):
    quiet, loud = desk.channel("quiet"), desk.channel("loud", account="other")
    kept, sent = desk.approved(quiet), desk.approved(loud)
    done = pause(desk.db, desk.approver, "quiet", reason="an outcry")
    assert (done.changed, done.in_hand, [each.channel for each in done.in_force]) == (True, 0, ["quiet"])
    report = desk.run()
    assert (report.sent, report.deferred) == (1, 1)
    assert [desk.publication(each)["state"] for each in (kept, sent)] == ["queued", "sent"]
    outlook = desk.outlook()[0]
    assert (outlook.reason, outlook.allowed_from, str(outlook.pause)) == (
        "paused", None, "channel quiet is paused by ada: an outcry",
    )  # fmt: skip
    assert resume(desk.db, desk.approver, "quiet").in_force == ()
    assert desk.run().sent == 1
    assert desk.notices() == ["paused", "resumed"]
    audit = desk.rows(
        "select action, entity_type, diff ->> 'channel' as channel from audit_event order by id desc limit 2"
    )
    assert [(a["action"], a["entity_type"], a["channel"]) for a in audit] == [
        ("resume", "channel", "quiet"), ("pause", "channel", "quiet"),
    ]  # fmt: skip


def test_everything_can_be_paused_and_a_channel_s_own_pause_outlives_it(desk):
    desk.approved(desk.channel("one"))
    desk.approved(desk.channel("two", account="other"))
    pause(desk.db, desk.approver, "one", reason="mine")
    pause(desk.db, machine_owner(), None, reason="all")
    assert pause(desk.db, desk.approver, None, reason="again").changed is False
    assert desk.run().items == 0
    left = resume(desk.db, desk.approver, None).in_force
    assert [each.channel for each in left] == ["one"]
    assert desk.run().sent == 1


def test_outcomes_that_were_not_seen_are_read_back_while_it_is_paused(desk):
    reply = desk.approved(desk.channel())
    desk.platform.script = [("landed", OutcomeUnknown("cut"))]
    desk.run()
    pause(desk.db, desk.approver, None, reason="stop")
    assert desk.run(later=2 * HOUR / 60).found == 1
    assert desk.publication(reply)["state"] == "sent"


def test_a_pause_counts_what_is_in_hand_and_nothing_leaves_after_it(desk):
    channel = desk.channel()
    [desk.approved(channel) for _ in range(3)]
    seen: list[Any] = []
    desk.platform.script = [lambda: seen.append(pause(desk.db, desk.approver, None, reason="now"))]
    assert desk.run().sent == 1, "the request in hand comes to its outcome"
    assert (seen[0].in_hand, desk.platform.requests) == (1, 1)


def test_a_pause_waits_for_a_claim_that_is_being_committed(desk):
    channel = desk.channel()
    desk.approved(channel)
    done: list[Any] = []
    turning = threading.Thread(target=lambda: done.append(pause(desk.db, desk.approver, None, reason="now")))
    with desk.publisher.transaction() as tx:
        tx.execute("hold_switch")
        turning.start()
        turning.join(0.5)
        assert turning.is_alive() and not done
    turning.join(60)
    assert done[0].changed


def test_the_database_itself_lets_nothing_be_sent_while_it_is_paused(desk):
    reply = desk.approved(desk.channel())
    pause(desk.db, desk.approver, None, reason="now")
    with pytest.raises(psycopg.Error, match="paused"), desk.publisher.transaction() as tx:
        tx.execute("claim_publication", id=reply, worker=1, lease_s=60)


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_it_takes_an_approver(desk, role):
    desk.channel()
    desk.rows(
        "insert into person (name, display_name, role, password_hash) values ('ed', 'Ed', %s, 'x')", role
    )
    person = desk.rows("select id from person where name = 'ed'")[0]["id"]
    for deed in (lambda a: pause(desk.db, a, None, reason="x"), lambda a: resume(desk.db, a, None)):
        with pytest.raises(NotAllowed, match="approver"):
            deed(Actor(person, "ed", role))
    with pytest.raises(NotAllowed, match="--as"):
        resume(desk.db, machine_owner(), None)
    with pytest.raises(DecisionInvalid, match="why"):
        pause(desk.db, desk.approver, None, reason=" ")
    with pytest.raises(ConfigInvalid, match="no channel"):
        pause(desk.db, desk.approver, "nowhere", reason="x")
