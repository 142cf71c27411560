"""Taking one publication to ``sending``: paced, affordable, still approved, and committed before the request."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from rejoinder.ids import PublicationId
from rejoinder.listening.answerable import Unanswerable, why_by_hand
from rejoinder.listening.spending import Stop
from rejoinder.posting.pacing import jittered_s
from rejoinder.posting.schedule import is_missed, shown_time
from resources.postgres import Database, Transaction
from resources.publishing.clock import Clock
from resources.publishing.money import book_reply
from resources.publishing.pacing import (
    count_call,
    end_hold_for_room,
    hold_for_room,
    hold_one_channel,
    room_from,
    space_out,
)
from resources.publishing.turn import time_to_send
from resources.spending.books import open_books
from resources.store.answering import hold_author, standing_of
from resources.store.channels import Channel, load_channel
from resources.store.publications import (
    ApprovalVoid,
    Due,
    Publication,
    cancel_withdrawn,
    hand_over,
    next_due,
    put_off,
    send_back,
    take,
    take_back_approval,
)

# A budget may be raised at any time, so it is asked about again this often.
ASK_BUDGET_AGAIN = timedelta(minutes=5)
SPEND_CAP = "spend_cap"
MISSED = "missed_schedule"
# Rules on how many replies there may be.
OF_NEW_REPLIES = frozenset({"author_window", "conversation_cap"})


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing was claimed.

    ``nothing_due``; ``waiting``: a limit, quiet hours or a pause keeps everything of the channel back; ``cancelled``
    and ``kept_back``: count publications were taken out of the way, so that the next one may be claimed.
    """

    why: Literal["nothing_due", "waiting", "cancelled", "kept_back"]
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
    clock: Clock,
    worker: int,
    lease_s: float,
    draw: Callable[[], float] = random.random,
    seen_since: datetime | None = None,
) -> Publication | Idle:
    """Claim the next due publication of a channel and commit; what was claimed must be sent by this worker.

    One at a time: only a reply in hand is ever ``sending``, so a crash leaves one outcome open at most. What waits for
    a limit is left as it is, however much it is: the account's windows say until when.

    Args:
        db: as the publisher's login.
        channel: whose publication is wanted.
        clock: our time.
        worker: who sends it.
        lease_s: how long the worker has for it.
        draw: random numbers from 0 to 1, for the interval to the account's next reply.
        seen_since: leaves out replies whose post was looked at before that time (`parents.look_at_next`).
    """
    try:
        with db.transaction() as tx, tx.pipelined():
            channel = load_channel(tx, channel.id)  # its policy may have been changed since the pass began
            now = time_to_send(tx, channel, clock)
            if now is None:
                return Idle("waiting")
            due = next_due(tx, channel.id, now=now, seen_since=seen_since)
            if due is None:
                return Idle("nothing_due")
            if idle := keep_back(tx, channel, due, now) or _await_room(tx, channel, due, now):
                return idle
            return _take(tx, channel, due, now=now, worker=worker, lease_s=lease_s, draw=draw)
    except _OverCap as over:
        return _wait_for_budget(db, channel, clock.now(), over.stop)
    except ApprovalVoid as void:
        return _cancel(db, void.publication_id)


def _take(
    tx: Transaction,
    channel: Channel,
    due: Due,
    *,
    now: datetime,
    worker: int,
    lease_s: float,
    draw: Callable[[], float],
) -> Publication:
    publication = take(tx, due.id, worker=worker, lease_s=lease_s)
    if stop := book_reply(tx, publication, now, channel):
        raise _OverCap(stop)
    count_call(tx, channel, now)
    if due.parts > 1:
        end_hold_for_room(tx, channel, now)
    policy = channel.policy
    space_out(tx, channel, jittered_s(policy.min_interval_s, policy.jitter_share, draw()), now)
    return publication


def keep_back(tx: Transaction, channel: Channel, due: Due, now: datetime) -> Idle | None:
    """Ask the channel's policy once more; where the reply may not go out now, it waits, or goes back with the reason.

    Two publishers that are about to answer one author take turns, so only one reply gets out of two. What is left of a
    thread is no reply more: no cap holds it back, only an author who asked us to stop.
    """
    if _is_missed(channel, due, now):
        return _send_back_missed(tx, channel, due)
    hold_author(tx, due.parent)
    standing = standing_of(tx, due.post_id, due.parent, channel, now=now, with_waiting=False)
    if isinstance(standing, Unanswerable) and not (due.is_begun and standing.rule in OF_NEW_REPLIES):
        return _refuse(tx, due, standing)
    if why := why_by_hand(due.parent, channel.policy, channel.account):
        hand_over(tx, due, detail=why)
        return Idle("kept_back", 1)
    return None


def _await_room(tx: Transaction, channel: Channel, due: Due, now: datetime) -> Idle | None:
    """Begin a thread once the limits have room for all its parts, so that its readers get it whole.

    The account waits, not the thread alone: shorter replies would take every call that comes free, those of its other
    channels too.
    """
    if due.parts == 1 or due.is_begun:
        return None
    until = room_from(tx, channel, due.parts, now)
    if until <= now:
        return None
    hold_for_room(tx, channel, until, now)
    return Idle("waiting")


def _is_missed(channel: Channel, due: Due, now: datetime) -> bool:
    policy = channel.policy
    if policy.missed_schedule == "send" or due.missed_since is None:
        return False
    return is_missed(due.missed_since, now, policy.missed_after_s)


def _send_back_missed(tx: Transaction, channel: Channel, due: Due) -> Idle:
    assert due.missed_since is not None
    detail = (
        f"it was to go out at {shown_time(due.missed_since, channel.policy.zone)} and could not, "
        f"and {channel.policy.missed_after_s} seconds later it is too late: approve it anew, or give it up"
    )
    send_back(tx, due, reason_code=MISSED, detail=detail, kind=MISSED)
    return Idle("cancelled", 1)


def _refuse(tx: Transaction, due: Due, why: Unanswerable) -> Idle:
    if why.until:
        put_off(tx, due, until=why.until, reason_code=why.rule, detail=why.reason)
        return Idle("kept_back", 1)
    if why.rule == "opted_out":
        return Idle("cancelled", cancel_withdrawn(tx))
    send_back(tx, due, reason_code=why.rule, detail=why.reason)
    return Idle("cancelled", 1)


def _wait_for_budget(db: Database, channel: Channel, now: datetime, stop: Stop) -> Idle:
    with db.transaction() as tx:
        until = min(stop.goes_on_at, now + ASK_BUDGET_AGAIN)
        hold_one_channel(tx, channel, until, now, SPEND_CAP)
        open_books(tx, channel.id, now).stop(stop)
    return Idle("waiting")


def _cancel(db: Database, publication_id: PublicationId) -> Idle:
    with db.transaction() as tx:
        take_back_approval(tx, publication_id)
    return Idle("cancelled", 1)
