"""Publications: rows <-> values, the moves that a publisher makes, and what follows from them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from rejoinder.engagement.windows import WINDOWS_S
from rejoinder.errors import LeaseLost
from rejoinder.ids import ChannelId, PostId, PublicationId
from rejoinder.listening.post import Post
from rejoinder.posting.verdicts import Verdict, post_place
from resources.postgres import Transaction
from resources.store.posts import FIRST_STEP, post_of

LIMITS = frozenset({"rate_limited", "spend_cap"})
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Publication:
    """An approved reply on its way.

    texts are its parts in order; is_summoned: the author called us; attempted_at is when it was last claimed for
    sending, on our clock; was_unknown says whether any earlier attempt ended in ``unknown``.
    """

    id: PublicationId
    post_id: PostId
    channel_id: ChannelId
    attempts: int
    texts: tuple[str, ...]
    parent: Post
    attempted_at: datetime
    was_unknown: bool
    is_summoned: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a reply stands on the platform; sent_at on our clock, platform_sent_at on the platform's."""

    platform_id: str
    platform_url: str | None
    sent_at: datetime
    platform_sent_at: datetime


class ApprovalVoid(Exception):
    """The approval of this publication no longer counts: its reviewer was deactivated or demoted."""

    def __init__(self, publication_id: PublicationId) -> None:
        super().__init__(f"publication {publication_id}")
        self.publication_id = publication_id


def load_publication(tx: Transaction, publication_id: PublicationId) -> Publication:
    """The publication with this id."""
    return _publication(tx.rows("load_publications", ids=[publication_id])[0])


def _publication(row: dict[str, Any]) -> Publication:
    return Publication(
        id=row["publication_id"],
        post_id=row["post_id"],
        channel_id=row["channel_id"],
        attempts=row["attempts"],
        texts=tuple(row["texts"] or ()),
        parent=post_of(row),
        attempted_at=row["attempted_at"] or LONG_AGO,
        was_unknown=row["was_unknown"],
        is_summoned=row["is_summoned"],
    )


@dataclass(frozen=True, slots=True)
class Due:
    """The next publication of a channel that is due, held with its post until the transaction ends."""

    id: PublicationId
    post_id: PostId
    parent: Post


def next_due(
    tx: Transaction, channel_id: ChannelId, *, now: datetime, seen_since: datetime | None = None
) -> Due | None:
    """The channel's next due publication, held; None if none is due.

    seen_since leaves out those whose post was looked at before that time; None where nobody can look.
    """
    publication_id = tx.value(
        "next_queued_publication", channel_id=channel_id, now=now, seen_since=seen_since
    )
    if publication_id is None:
        return None
    publication = load_publication(tx, publication_id)
    return Due(publication.id, publication.post_id, publication.parent)


def take(tx: Transaction, publication_id: PublicationId, *, worker: int, lease_s: float) -> Publication:
    """Take a publication that this transaction holds to ``sending``, its post to processing.

    Raises:
        ApprovalVoid: the database refuses it, because its approval no longer counts; roll back.
    """
    tx.execute("claim_publication", id=publication_id, worker=worker, lease_s=lease_s)
    try:
        tx.execute("mark_parts", id=publication_id, state="sending", platform_id=None)
    except psycopg.errors.InsufficientPrivilege:
        raise ApprovalVoid(publication_id) from None
    return load_publication(tx, publication_id)


def send_back(tx: Transaction, due: Due, *, reason_code: str, detail: str) -> None:
    """Cancel a publication that this transaction holds; its post goes back to review."""
    tx.execute("cancel_publication", id=due.id, reason_code=reason_code, detail=detail)
    tx.execute("return_to_review", id=due.post_id)
    notify(tx, "policy", f"reply {due.id}: {detail}", "publication", due.id)


def put_off(tx: Transaction, due: Due, *, until: datetime, reason_code: str, detail: str) -> None:
    """Let one publication that this transaction holds wait until a time."""
    tx.execute("defer_publications", ids=[due.id], until=until, reason_code=reason_code, detail=detail)


def hand_over(tx: Transaction, due: Due, *, detail: str) -> None:
    """Leave a publication that this transaction holds to a person's hand."""
    tx.execute("hand_over_publication", id=due.id, detail=detail)
    notify(tx, "handed_over", f"reply {due.id}: {detail}", "publication", due.id)


def take_back_approval(tx: Transaction, publication_id: PublicationId) -> None:
    """Cancel a queued publication whose approval no longer counts; its post goes back to review."""
    detail = "the approval no longer counts: whoever gave it may not approve any more"
    post_id = tx.value("publication_post", id=publication_id)
    tx.row("lock_post", id=post_id)
    if not tx.execute("cancel_publication", id=publication_id, reason_code="approval_void", detail=detail):
        return
    tx.execute("return_to_review", id=post_id)
    notify(tx, "approval_void", f"reply {publication_id}: {detail}", "publication", publication_id)


def settle_attempt(
    tx: Transaction, publication: Publication, verdict: Verdict, arrival: Arrival | None, worker: int
) -> None:
    """Write down how an attempt ended and move post and parts with it.

    Raises:
        LeaseLost: the worker does not hold the publication any more.
    """
    values = _settled(publication, verdict, arrival)
    tx.row("lock_post", id=publication.post_id)  # posts before publications: the order everyone keeps
    if not tx.row("settle_attempt", worker=worker, **values):
        raise LeaseLost(f"publication {publication.id} is not held any more")
    _follow(tx, publication, verdict, arrival)


def settle_read_back(
    tx: Transaction, publication: Publication, verdict: Verdict, arrival: Arrival | None, now: datetime
) -> bool:
    """Write down what a read-back showed; False if someone else settled the publication meanwhile."""
    values = _settled(publication, verdict, arrival)
    tx.row("lock_post", id=publication.post_id)
    if not tx.row("settle_read_back", now=now, **values):
        return False
    _follow(tx, publication, verdict, arrival)
    return True


def _settled(publication: Publication, verdict: Verdict, arrival: Arrival | None) -> dict[str, Any]:
    return {
        "id": publication.id,
        "state": verdict.state,
        "due_at": verdict.due_at,
        "reason_code": verdict.reason_code,
        "detail": verdict.detail,
        "platform_id": arrival.platform_id if arrival else None,
        "platform_url": arrival.platform_url if arrival else None,
        "sent_at": arrival.sent_at if arrival else None,
    }


def _follow(tx: Transaction, publication: Publication, verdict: Verdict, arrival: Arrival | None) -> None:
    platform_id = arrival.platform_id if arrival else None
    tx.execute("mark_parts", id=publication.id, state=verdict.state, platform_id=platform_id)
    if verdict.state != "unknown":
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
    if arrival:
        schedule_measurements(tx, publication.id, publication.channel_id, arrival.platform_sent_at)


def schedule_measurements(
    tx: Transaction, publication_id: PublicationId, channel_id: ChannelId, platform_sent_at: datetime
) -> None:
    """Plan the four snapshots of a reply that was sent, in the channel's own time."""
    for window_s in WINDOWS_S:
        tx.execute(
            "schedule_measurement",
            publication_id=publication_id,
            window_s=window_s,
            step=f"measure/{channel_id}",
            due_at=platform_sent_at + timedelta(seconds=window_s),
        )


def cancel_withdrawn(tx: Transaction) -> int:
    """Take back replies to posts that were deleted or whose author opted out, also out of people's hands; how many."""
    tx.execute("withdraw_unanswerable")
    return len(tx.rows("cancel_withdrawn"))


def lapse_sending(tx: Transaction, now: datetime) -> list[int]:
    """Move publications whose publisher is gone or out of time to ``unknown``; their ids."""
    ids = [row["id"] for row in tx.rows("lapse_sending", now=now)]
    for publication_id in ids:
        tx.execute("lapse_parts", id=publication_id)
    return ids


def defer(
    tx: Transaction, channel_id: ChannelId, *, now: datetime, until: datetime, reason_code: str, detail: str
) -> int:
    """Let everything due on a channel wait until a time; how many publications that are.

    Their posts show as rate limited where a limit is the reason, else they stay as they are.
    """
    rows = tx.rows("lock_due_publications", channel_id=channel_id, now=now)
    posts = [row["post_id"] for row in rows]
    if rows:
        ids = [row["id"] for row in rows]
        tx.execute("defer_publications", ids=ids, until=until, reason_code=reason_code, detail=detail)
        if reason_code in LIMITS:
            tx.execute("take_deferred_posts", ids=posts)
            tx.execute("rest_deferred_posts", ids=posts, until=until)
    return len(rows)


def notify(
    tx: Transaction,
    kind: str,
    message: str,
    entity_type: str | None,
    entity_id: int | None,
    *,
    since: datetime = LONG_AGO,
) -> None:
    """Tell the people, once per kind and thing since a time; what is about no thing is told each time."""
    tx.execute(
        "notify_about", kind=kind, message=message, entity_type=entity_type, entity_id=entity_id, since=since
    )
