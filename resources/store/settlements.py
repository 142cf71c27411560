"""How attempts and read-backs end: the part that was in hand, its publication and its post, in one transaction.

What belongs here: the moves that settle what was sent. Posts are locked before their publications, publications
before their parts.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from rejoinder.errors import LeaseLost
from rejoinder.posting.verdicts import Verdict, on_thread, post_place
from resources.postgres import Transaction
from resources.store.posts import FIRST_STEP
from resources.store.publications import (
    Arrival,
    Publication,
    begin_next_part,
    load_publication,
    schedule_measurements,
)


def hold_attempt(tx: Transaction, publication: Publication, worker: int) -> None:
    """Hold a publication that this worker sends, and its post, until the transaction ends.

    Raises:
        LeaseLost: the worker does not hold the publication any more.
    """
    if not tx.row("hold_attempt", id=publication.id, post_id=publication.post_id, worker=worker):
        raise LeaseLost(f"publication {publication.id} is not held any more")


def hold_unknown(tx: Transaction, publication: Publication) -> bool:
    """Hold a publication of unknown outcome, and its post; False if someone settled that attempt meanwhile."""
    tx.row("lock_post", id=publication.post_id)
    if tx.row("hold_unknown", id=publication.id) is None:
        return False
    part = load_publication(tx, publication.id).part
    return (part.position, part.attempts) == (publication.part.position, publication.part.attempts)


def settle_part(
    tx: Transaction, publication: Publication, verdict: Verdict, arrival: Arrival | None
) -> Publication:
    """Write down what became of the part in hand, of a publication that the caller holds; as it is now."""
    row = tx.row(
        "settle_part",
        id=publication.id,
        position=publication.part.position,
        state=verdict.state,
        reason_code=verdict.reason_code,
        detail=verdict.detail,
        **_stands_at(arrival),
    )
    in_hand = publication.part.position
    parts = [replace(part, **(row or {})) if part.position == in_hand else part for part in publication.parts]
    return replace(publication, parts=tuple(parts))


def _stands_at(arrival: Arrival | None) -> dict[str, Any]:
    return {
        "platform_id": arrival.platform_id if arrival else None,
        "platform_url": arrival.platform_url if arrival else None,
        "sent_at": arrival.sent_at if arrival else None,
        "platform_sent_at": arrival.platform_sent_at if arrival else None,
    }


def settle_whole(
    tx: Transaction,
    publication: Publication,
    verdict: Verdict,
    now: datetime,
    *,
    read_back_at: datetime | None = None,
) -> Verdict:
    """Write down what became of the reply, from the verdict on the part in hand, and move its post.

    Args:
        tx: it holds the publication, and its part is settled.
        publication: with that part settled.
        verdict: on the part; or on what keeps the next one from following.
        now: aware.
        read_back_at: when the account was read back, if it was.

    Returns:
        The verdict on the reply as a whole.
    """
    whole = on_thread(verdict, n_sent=publication.n_sent, n_parts=len(publication.parts), now=now)
    tx.execute(
        "settle_publication",
        id=publication.id,
        state=whole.state,
        due_at=whole.due_at,
        reason_code=whole.reason_code,
        detail=whole.detail,
        read_back_at=read_back_at,
    )
    if whole.state != "unknown":
        _move_post(tx, publication, whole)
    if whole.state == "sent":
        _plan_measurements(tx, publication)
    return whole


def _move_post(tx: Transaction, publication: Publication, verdict: Verdict) -> None:
    place = post_place(verdict)
    tx.execute(
        "move_sending_post",
        id=publication.post_id,
        stage=place.stage,
        step=FIRST_STEP[place.stage],
        status=place.status,
        due_at=verdict.due_at,
        last_error=None if verdict.state == "sent" else f"{verdict.reason_code}: {verdict.detail}"[:500],
    )


def _plan_measurements(tx: Transaction, publication: Publication) -> None:
    """A reply is measured by its first part, from when that stood."""
    first = publication.parts[0]
    if first.platform_sent_at:
        schedule_measurements(tx, publication.id, publication.channel_id, first.platform_sent_at)


def go_on(tx: Transaction, publication: Publication, *, worker: int, lease_s: float) -> Publication | None:
    """Take the next part of a thread to ``sending`` under a lease that begins anew; the caller commits it.

    Returns:
        The publication with that part in hand; None where its post is gone or its author opted out meanwhile.

    Raises:
        psycopg.errors.InsufficientPrivilege: the approval does not count any more, or a pause is in force; roll back.
    """
    if not tx.row("go_on_with_thread", id=publication.id, worker=worker, lease_s=lease_s):
        return None
    begin_next_part(tx, publication.id)
    return load_publication(tx, publication.id)
