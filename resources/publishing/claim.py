"""Taking one publication to ``sending``: paced, affordable, still approved, and committed before the request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rejoinder.ids import PublicationId
from resources.postgres import Database, Transaction
from resources.publishing.pacing import (
    LIMITED,
    Pace,
    count_call,
    is_affordable,
    lock_pace,
    midnight_after,
    midnight_before,
)
from resources.store.channels import Channel
from resources.store.publications import (
    ApprovalVoid,
    Publication,
    claim_next,
    defer,
    notify,
    take_back_approval,
)


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing was claimed; count says how many publications were deferred or cancelled."""

    why: Literal["nothing_due", "deferred", "cancelled"]
    count: int = 0


class _OverCap(Exception):
    """The claim has to be undone: its price would break the day's cap."""


def claim(
    db: Database, channel: Channel, *, now: datetime, worker: int, lease_s: float
) -> Publication | Idle:
    """Claim the next due publication of a channel and commit; what was claimed must be sent by this worker.

    One at a time: only a reply in hand is ever ``sending``, so a crash leaves one outcome open at most.
    """
    try:
        with db.transaction() as tx:
            pace = lock_pace(tx, channel, now)
            if pace.allowed_from > now:
                return _defer_for_limit(tx, channel, now, pace)
            publication = claim_next(tx, channel.id, now=now, worker=worker, lease_s=lease_s)
            if publication is None:
                return Idle("nothing_due")
            if not is_affordable(tx, channel, publication.texts[0], now):
                raise _OverCap
            count_call(tx, channel.id, now)
            return publication
    except _OverCap:
        return _defer_for_cap(db, channel, now)
    except ApprovalVoid as void:
        return _cancel(db, void.publication_id)


def _defer_for_limit(tx: Transaction, channel: Channel, now: datetime, pace: Pace) -> Idle:
    at = f"{pace.allowed_from:%Y-%m-%d %H:%M:%S} UTC"
    detail = (
        f"the limits of channel {channel.name} allow the next reply at {at}"
        if pace.reason_code == LIMITED
        else f"channel {channel.name} waits until {at}: its last reply was not taken ({pace.reason_code})"
    )
    count = defer(
        tx, channel.id, now=now, until=pace.allowed_from, reason_code=pace.reason_code, detail=detail
    )
    return Idle("deferred" if count else "nothing_due", count)


def _defer_for_cap(db: Database, channel: Channel, now: datetime) -> Idle:
    cap = channel.policy.spend_cap_usd_per_day
    detail = f"channel {channel.name} has spent its {cap} USD of the day"
    with db.transaction() as tx:
        count = defer(
            tx, channel.id, now=now, until=midnight_after(now), reason_code="spend_cap", detail=detail
        )
        notify(tx, "spend_cap", detail, "channel", channel.id, since=midnight_before(now))
    return Idle("deferred", count)


def _cancel(db: Database, publication_id: PublicationId) -> Idle:
    with db.transaction() as tx:
        take_back_approval(tx, publication_id)
    return Idle("cancelled", 1)
