"""Replies that are planned: at a time, in a slot, in the best hour; what becomes of a time that was missed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rejoinder.errors import DecisionInvalid, IllegalMove
from rejoinder.listening.calendar import read_slots
from rejoinder.listening.policy import default_policy
from rejoinder.listening.quiet_hours import QuietHours
from rejoinder.posting.schedule import BEST_HOUR, NEXT_SLOT, NOW, Schedule
from resources.commands.schedules import move_schedule
from resources.platforms.failures import Unreachable
from resources.store.schedules import list_planned

HOUR = timedelta(hours=1)
POLICY = replace(default_policy("sandbox/x/enterprise"), zone="Europe/Berlin")
DAILY = replace(POLICY, slots=read_slots("daily 09:00 17:00"))


def at(ahead: timedelta) -> Schedule:
    return Schedule("at", (datetime.now(UTC) + ahead).replace(microsecond=0), "America/New_York")


def test_a_planned_reply_waits_for_its_time(desk):
    channel = desk.channel(policy=POLICY)
    planned, now = at(3 * HOUR), desk.approved(channel)
    reply = desk.approved(channel, schedule=planned)
    assert desk.run().sent == 1 and desk.publication(now)["state"] == "sent"
    row = desk.publication(reply)
    assert (row["schedule"], row["scheduled_for"], row["schedule_zone"], row["due_at"]) == (
        "at", planned.at, "America/New_York", planned.at,
    )  # fmt: skip
    with desk.db.transaction() as tx:
        (listed,) = list_planned(tx)
    assert (listed.id, listed.schedule, listed.approved_by) == (reply, planned, "ada")
    (outlook,) = desk.outlook()
    assert (outlook.queued, outlook.due, outlook.next_at) == (1, 0, planned.at)
    assert desk.run(later=2 * HOUR).sent == 0
    assert desk.run(later=3 * HOUR + timedelta(seconds=1)).sent == 1


def test_two_replies_never_share_a_slot(desk):
    channel = desk.channel(policy=DAILY)
    replies = [desk.approved(channel, schedule=at(50 * HOUR)) for _ in range(6)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda reply: move_schedule(desk.db, desk.approver, reply, NEXT_SLOT), replies))
    times = sorted(desk.publication(reply)["scheduled_for"] for reply in replies)
    assert len(set(times)) == 6 and times[-1] < datetime.now(UTC) + timedelta(days=4)
    assert {desk.publication(reply)["schedule_zone"] for reply in replies} == {"Europe/Berlin"}


def test_a_slot_that_is_given_back_is_free_again(desk):
    channel = desk.channel(policy=DAILY)
    first = desk.approved(channel, schedule=NEXT_SLOT)
    slot = desk.publication(first)["scheduled_for"]
    move_schedule(desk.db, desk.approver, first, NOW)
    assert desk.publication(desk.approved(channel, schedule=NEXT_SLOT))["scheduled_for"] == slot


def test_the_best_hour_is_at_once_while_nothing_is_known_and_then_what_was_earned_says(desk):
    channel = desk.channel(policy=replace(POLICY, zone="UTC"))
    before = datetime.now(UTC)
    first = desk.publication(desk.approved(channel, schedule=BEST_HOUR))
    assert before <= first["scheduled_for"] <= datetime.now(UTC)
    best = (before + 5 * HOUR).hour
    for number in range(30):
        reply = desk.approved(channel)
        hour, likes = (best, 9) if number % 3 else ((best + 7) % 24, 0)
        desk.run()
        desk.rows(
            "update publication set sent_at = date_trunc('day', now()) + make_interval(hours => %s) where id = %s",
            hour,
            reply,
        )
        desk.rows("insert into engagement_snapshot (publication_id, window_s, likes, replies, reposts, taken_at)"
                  " values (%s, 86400, %s, 0, 0, now())", reply, likes)  # fmt: skip
    later = desk.publication(desk.approved(channel, schedule=BEST_HOUR))["scheduled_for"]
    assert later.hour == best and timedelta() < later - before <= 5 * HOUR


@pytest.mark.parametrize("wanted", [NEXT_SLOT, at(-HOUR), at(400 * 24 * HOUR), at(12 * HOUR)])
def test_a_time_that_cannot_be_had_is_refused_in_words(desk, wanted):
    start, end = (
        (datetime.now(UTC) + hours * HOUR).time().replace(second=0, microsecond=0) for hours in (11, 13)
    )
    channel = desk.channel(policy=replace(POLICY, quiet_hours=QuietHours("UTC", start, end)))
    with pytest.raises(DecisionInvalid, match=r"no calendar|is over|a year|quiet hours"):
        desk.approved(channel, schedule=wanted)


def test_a_slot_in_quiet_hours_is_passed_over(desk):
    quiet = QuietHours(
        "Europe/Berlin", datetime.min.time().replace(hour=8), datetime.min.time().replace(hour=10)
    )
    channel = desk.channel(policy=replace(DAILY, quiet_hours=quiet))
    slots = [desk.publication(desk.approved(channel, schedule=NEXT_SLOT))["scheduled_for"] for _ in range(2)]
    assert slots[1] - slots[0] >= 23 * HOUR


def test_what_could_not_go_out_in_time_goes_out_late_within_the_grace(desk):
    reply = desk.approved(desk.channel(policy=POLICY), schedule=at(HOUR))
    assert desk.run(later=2 * HOUR - timedelta(minutes=1)).sent == 1
    assert desk.publication(reply)["state"] == "sent"


def test_after_the_grace_a_missed_reply_goes_back_to_review(desk):
    reply = desk.approved(desk.channel(policy=POLICY), schedule=at(HOUR))
    report = desk.run(later=2 * HOUR + timedelta(minutes=1))
    assert (report.sent, report.cancelled, desk.platform.requests) == (0, 1, 0)
    row = desk.publication(reply)
    assert (row["state"], row["reason_code"], row["place"]) == (
        "cancelled",
        "missed_schedule",
        "review/pending",
    )
    assert "Europe/Berlin" in row["detail"] and desk.notices() == ["missed_schedule"]


@pytest.mark.parametrize(
    ("policy", "prepare"),
    [
        (replace(POLICY, missed_schedule="send"), lambda desk: None),
        (POLICY, lambda desk: desk.run(later=HOUR + timedelta(minutes=1))),
    ],
)
def test_a_missed_reply_is_sent_where_the_policy_says_so_or_where_it_was_tried_in_time(
    desk: Any, policy: Any, prepare: Callable[[Any], object]
):
    reply = desk.approved(desk.channel(policy=policy), schedule=at(HOUR))
    desk.platform.script = [Unreachable("down")] if policy is POLICY else []
    prepare(desk)
    assert desk.run(later=9 * HOUR).sent == 1
    assert desk.publication(reply)["state"] == "sent"


def test_only_what_waits_can_be_moved(desk):
    reply = desk.approved(desk.channel(policy=POLICY))
    later = at(5 * HOUR)
    assert move_schedule(desk.db, desk.approver, reply, later) == later
    assert desk.run().sent == 0
    move_schedule(desk.db, desk.approver, reply, NOW)
    assert desk.run().sent == 1
    with pytest.raises(IllegalMove, match="it is sent"):
        move_schedule(desk.db, desk.approver, reply, later)
    with pytest.raises(DecisionInvalid, match="no reply 999"):
        move_schedule(desk.db, desk.approver, 999, later)


def test_who_moves_what_was_taken_at_that_moment_is_told_what_became_of_it(desk):
    reply = desk.approved(desk.channel(policy=POLICY))
    with ThreadPoolExecutor(1) as pool:
        with desk.owner.transaction() as tx:
            tx.connection.execute("select id from post for update")
            moving = pool.submit(move_schedule, desk.db, desk.approver, reply, at(HOUR))
            while not desk.rows("select 1 from pg_locks where not granted"):
                assert not moving.done()
            tx.connection.execute("update publication set state = 'cancelled'")
        with pytest.raises(IllegalMove, match="it is cancelled"):
            moving.result(30)


def test_a_reply_by_hand_cannot_be_planned(desk):
    channel = desk.channel(policy=replace(POLICY, reply_mode="handoff"))
    with pytest.raises(DecisionInvalid, match="by hand"):
        desk.approved(channel, schedule=at(HOUR))
