"""Changing when an approved reply goes out: its words, its approval and its approver stay as they are."""

from datetime import UTC, datetime
from typing import Any

from rejoinder.errors import DecisionInvalid, IllegalMove
from rejoinder.posting.schedule import Schedule
from resources.commands.actors import Actor, authorise, record
from resources.postgres import Database, Transaction
from resources.store.channels import load_channel
from resources.store.schedules import settle_schedule


def channel_zone(db: Database, publication_id: int) -> str:
    """The zone of the channel that a reply goes out on.

    Raises:
        DecisionInvalid: there is no such reply.
    """
    with db.transaction() as tx:
        return load_channel(tx, _row(tx, publication_id)["channel_id"]).policy.zone


def _row(tx: Transaction, publication_id: int) -> dict[str, Any]:
    row = tx.row("publication_schedule", id=publication_id)
    if row is None:
        raise DecisionInvalid(
            f"there is no reply {publication_id}: `rejoinder schedule list` shows those that wait"
        )
    return row


def move_schedule(db: Database, actor: Actor, publication_id: int, schedule: Schedule) -> Schedule:
    """Let an approved reply go out at another time, or at once; returns the schedule with its instant.

    Raises:
        NotAllowed: the role does not allow it.
        IllegalMove: it does not wait any more: it is being sent, or was, or was taken back.
        DecisionInvalid: there is no such reply, or the time cannot be had (`settle_schedule`).
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "reschedule")
        row = _row(tx, publication_id)
        tx.row("lock_post", id=row["post_id"])
        if tx.row("lock_queued_publication", id=publication_id) is None:
            state = _row(tx, publication_id)["state"]  # as it is now: it may have been taken a moment ago
            raise IllegalMove(f"reply {publication_id} does not wait any more: it is {state}")
        settled = settle_schedule(tx, load_channel(tx, row["channel_id"]), schedule, now=datetime.now(UTC))
        tx.execute(
            "move_publication",
            id=publication_id,
            schedule=settled.kind,
            scheduled_for=settled.at,
            schedule_zone=settled.zone,
        )
        before = Schedule(row["schedule"], row["scheduled_for"], row["schedule_zone"])
        diff: dict[str, object] = {"from": str(before), "to": str(settled)}
        record(tx, acting, "reschedule", "publication", publication_id, diff)
    return settled
