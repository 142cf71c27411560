"""Taking one publication to ``sending``: paced, affordable, still approved, and committed before the request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rejoinder.ids import PublicationId
from rejoinder.listening.answerable import Unanswerable
from rejoinder.listening.spending import Stop
from resources.postgres import Database, Transaction
from resources.publishing.money import book_reply
from resources.publishing.pacing import (
    LIMITED,
    Pace,
    count_call,
    lock_pace,
)
from resources.spending.books import open_books
from resources.store.answering import hold_author, standing_of
from resources.store.channels import Channel
from resources.store.publications import (
    ApprovalVoid,
    Due,
    Publication,
    cancel_withdrawn,
    defer,
    hand_over,
    next_due,
    put_off,
    send_back,
    take,
    take_back_approval,
)


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing was claimed; count says how many publications were deferred or cancelled."""

    why: Literal["nothing_due", "deferred", "cancelled", "kept_back"]
    count: int = 0


class _OverCap(Exception):
    """The claim has to be undone: a budget has no room for its price."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.detail)
        self.stop = stop


def claim(
    db: Database,
    channel: Channel,
    *,
    now: datetime,
    worker: int,
    lease_s: float,
    seen_since: datetime | None = None,
) -> Publication | Idle:
    """Claim the next due publication of a channel and commit; what was claimed must be sent by this worker.

    One at a time: only a reply in hand is ever ``sending``, so a crash leaves one outcome open at most. seen_since
    leaves out replies whose post was looked at before that time (`parents.look_at_next`).
    """
    try:
        with db.transaction() as tx:
            pace = lock_pace(tx, channel, now)
            if pace.allowed_from > now:
                return _defer_for_limit(tx, channel, now, pace)
            due = next_due(tx, channel.id, now=now, seen_since=seen_since)
            if due is None:
                return Idle("nothing_due")
            if idle := keep_back(tx, channel, due, now):
                return idle
            publication = take(tx, due.id, worker=worker, lease_s=lease_s)
            if stop := book_reply(tx, publication, now):
                raise _OverCap(stop)
            count_call(tx, channel, now)
            return publication
    except _OverCap as over:
        return _defer_for_cap(db, channel, now, over.stop)
    except ApprovalVoid as void:
        return _cancel(db, void.publication_id)


def keep_back(tx: Transaction, channel: Channel, due: Due, now: datetime) -> Idle | None:
    """Ask the channel's policy once more; where the reply may not go out now, it waits, or goes back with the reason.

    Two publishers that are about to answer one author take turns, so only one reply gets out of two.
    """
    hold_author(tx, due.parent)
    standing = standing_of(tx, due.post_id, due.parent, channel, now=now, with_waiting=False)
    if isinstance(standing, Unanswerable):
        return _refuse(tx, due, standing)
    if standing.way == "handoff":
        hand_over(tx, due, detail=standing.why_by_hand)
        return Idle("kept_back", 1)
    if standing.not_before:
        detail = f"channel {channel.name} keeps quiet until {standing.not_before:%Y-%m-%d %H:%M} UTC"
        until = standing.not_before
        count = defer(tx, channel.id, now=now, until=until, reason_code="quiet_hours", detail=detail)
        return Idle("deferred", count)
    return None


def _refuse(tx: Transaction, due: Due, why: Unanswerable) -> Idle:
    if why.until:
        put_off(tx, due, until=why.until, reason_code=why.rule, detail=why.reason)
        return Idle("kept_back", 1)
    if why.rule == "opted_out":
        return Idle("cancelled", cancel_withdrawn(tx))
    send_back(tx, due, reason_code=why.rule, detail=why.reason)
    return Idle("cancelled", 1)


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


def _defer_for_cap(db: Database, channel: Channel, now: datetime, stop: Stop) -> Idle:
    detail = f"channel {channel.name}: {stop.detail}"
    with db.transaction() as tx:
        count = defer(tx, channel.id, now=now, until=stop.goes_on_at, reason_code="spend_cap", detail=detail)
        open_books(tx, channel.id, now).stop(stop)
    return Idle("deferred", count)


def _cancel(db: Database, publication_id: PublicationId) -> Idle:
    with db.transaction() as tx:
        take_back_approval(tx, publication_id)
    return Idle("cancelled", 1)
