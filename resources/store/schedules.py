"""Schedules of replies: which slot is free, which hour is best, what is planned."""

from dataclasses import dataclass, replace
from datetime import datetime

from rejoinder.errors import DecisionInvalid
from rejoinder.listening.calendar import EXAMPLE, slots_after
from rejoinder.listening.quiet_hours import quiet_until
from rejoinder.posting.best_hour import BestHour, MeasuredReply, OwnHours
from rejoinder.posting.schedule import MAX_AHEAD, NOW, Schedule, shown_time
from resources.postgres import Transaction
from resources.store.channels import Channel


@dataclass(frozen=True, slots=True)
class Planned:
    """An approved reply that waits: at is what the approver wished (None: at once), due_at when it may go out next."""

    id: int
    post_id: int
    channel: str
    schedule: Schedule
    due_at: datetime
    reason_code: str | None
    detail: str | None
    text: str
    approved_by: str


def settle_schedule(
    tx: Transaction, channel: Channel, wanted: Schedule, *, now: datetime, best_hour: BestHour | None = None
) -> Schedule:
    """The schedule with its instant: a free slot of the calendar, the best hour, or the time that was named.

    Until the transaction ends nobody else is given a slot of the channel.

    Args:
        tx: the one in which the reply is approved or moved.
        channel: of the reply.
        wanted: as the person chose.
        now: aware.
        best_hour: chooses the hour; by default by the channel's own replies (`OwnHours`).

    Raises:
        DecisionInvalid: the time is over or lies in quiet hours, or the calendar has no free slot.
    """
    if wanted.kind == "now":
        return NOW
    if wanted.kind == "slot":
        return _next_slot(tx, channel, now)
    if wanted.kind == "best_hour":
        measured = [MeasuredReply(**row) for row in tx.rows("measured_replies", channel_id=channel.id)]
        choice = (best_hour or OwnHours()).choose(measured, channel.policy.zone, now)
        at = quiet_until(channel.policy.quiet_hours, choice.at) or choice.at
        return Schedule("best_hour", at, channel.policy.zone, choice.why)
    return _at(channel, wanted, now)


def _at(channel: Channel, wanted: Schedule, now: datetime) -> Schedule:
    assert wanted.at is not None
    zone = wanted.zone or channel.policy.zone
    if not now < wanted.at <= now + MAX_AHEAD:
        raise DecisionInvalid(
            f"{shown_time(wanted.at, zone)} is over or more than a year ahead; it is {shown_time(now, zone)}"
        )
    if until := quiet_until(channel.policy.quiet_hours, wanted.at):
        quiet = f"the quiet hours of channel {channel.name}, {channel.policy.quiet_hours}"
        raise DecisionInvalid(
            f"{shown_time(wanted.at, zone)} lies in {quiet}: name a time from {shown_time(until, zone)}"
        )
    return replace(wanted, zone=zone)


def _next_slot(tx: Transaction, channel: Channel, now: datetime) -> Schedule:
    policy = channel.policy
    if not policy.slots:
        raise DecisionInvalid(
            f"channel {channel.name} has no calendar of slots: `rejoinder policy set {channel.name} slots=...`; "
            f"{EXAMPLE}"
        )
    tx.execute("hold_calendar", channel_id=channel.id)
    taken = {row["scheduled_for"] for row in tx.rows("taken_slots", channel_id=channel.id, now=now)}
    for at in slots_after(policy.slots, policy.zone, now):
        if at not in taken and quiet_until(policy.quiet_hours, at) is None:
            return Schedule("slot", at, policy.zone)
    raise DecisionInvalid(f"every slot of channel {channel.name} is taken or in quiet hours for a year")


def list_planned(tx: Transaction, channel: str | None = None, top: int = 100) -> list[Planned]:
    """Approved replies that wait to be sent, the next one first."""
    return [
        Planned(
            row["id"],
            row["post_id"],
            row["channel"],
            Schedule(row["schedule"], row["scheduled_for"], row["schedule_zone"]),
            row["due_at"],
            row["reason_code"],
            row["detail"],
            row["text"],
            row["approved_by"],
        )
        for row in tx.rows("planned_publications", channel=channel, top=top)
    ]
