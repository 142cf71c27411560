"""Publications: rows <-> values, the moves that a publisher makes, and what follows from them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from rejoinder.engagement.windows import WINDOWS_S
from rejoinder.errors import IllegalMove
from rejoinder.ids import ChannelId, PostId, PublicationId
from rejoinder.listening.post import Post
from rejoinder.posting.states import PartState
from resources.postgres import Transaction
from resources.store.posts import post_of

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a reply; attempted_at is when it was last about to leave, on our clock.

    was_unknown says whether the outcome of any attempt at it was ever not seen; reason_code what was last said of it.
    """

    position: int
    text: str
    state: PartState
    platform_id: str | None
    platform_sent_at: datetime | None
    attempts: int
    attempted_at: datetime
    was_unknown: bool
    reason_code: str | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """An approved reply on its way: parts in order, at least one; is_summoned: the author called us.

    first_attempted_at is when its first request was about to leave, on our clock.
    """

    id: PublicationId
    post_id: PostId
    channel_id: ChannelId
    parts: tuple[Part, ...]
    parent: Post
    is_summoned: bool = False
    first_attempted_at: datetime = LONG_AGO

    @property
    def texts(self) -> tuple[str, ...]:
        """What was approved, part by part."""
        return tuple(part.text for part in self.parts)

    @property
    def part(self) -> Part:
        """The part in hand: the first that does not stand, the last where all do."""
        return next((part for part in self.parts if part.state != "sent"), self.parts[-1])

    @property
    def n_sent(self) -> int:
        """How many parts stand."""
        return sum(part.state == "sent" for part in self.parts)

    @property
    def answers(self) -> str:
        """The platform's id of what the part in hand answers: the post, or the part before it."""
        before = self.parts[: self.part.position]
        return (before[-1].platform_id or "") if before else self.parent.platform_post_id

    @property
    def attempted_at(self) -> datetime:
        """When the part in hand was last about to leave, on our clock."""
        return self.part.attempted_at


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
        parts=tuple(_part(part, row["attempted_at"] or LONG_AGO) for part in row["parts"]),
        parent=post_of(row),
        is_summoned=row["is_summoned"],
        first_attempted_at=row["first_sending_at"] or LONG_AGO,
    )


def _part(row: dict[str, Any], claimed_at: datetime) -> Part:
    moments = {
        name: row[name] and datetime.fromisoformat(row[name]) for name in ("sending_at", "platform_sent_at")
    }
    return Part(
        position=row["position"],
        text=row["text"],
        state=row["state"],
        platform_id=row["platform_id"],
        platform_sent_at=moments["platform_sent_at"],
        attempts=row["attempts"],
        attempted_at=moments["sending_at"] or claimed_at,
        was_unknown=row["was_unknown"],
        reason_code=row["reason_code"],
    )


@dataclass(frozen=True, slots=True)
class Due:
    """The next publication of a channel that is due, held with its post until the transaction ends.

    missed_since is the time it was scheduled for, if it was and was never tried; None else. is_begun: a part stands.
    parts: how many there are.
    """

    id: PublicationId
    post_id: PostId
    parent: Post
    missed_since: datetime | None = None
    is_begun: bool = False
    parts: int = 1


def next_due(
    tx: Transaction, channel_id: ChannelId, *, now: datetime, seen_since: datetime | None = None
) -> Due | None:
    """The channel's next due publication, held; None if none is due.

    seen_since leaves out those whose post was looked at before that time; None where nobody can look.
    """
    row = tx.row("next_queued_publication", channel_id=channel_id, now=now, seen_since=seen_since)
    if row is None:
        return None
    return Due(
        row["publication_id"],
        row["post_id"],
        post_of(row),
        row["missed_since"],
        row["is_begun"],
        row["parts"],
    )


def take(tx: Transaction, publication_id: PublicationId, *, worker: int, lease_s: float) -> Publication:
    """Take a publication that this transaction holds to ``sending``, its post to processing.

    Raises:
        ApprovalVoid: the database refuses it, because its approval no longer counts; roll back.
    """
    tx.row("claim_publication", id=publication_id, worker=worker, lease_s=lease_s)
    try:
        begin_next_part(tx, publication_id)
    except psycopg.errors.InsufficientPrivilege:
        raise ApprovalVoid(publication_id) from None
    return load_publication(tx, publication_id)


def begin_next_part(tx: Transaction, publication_id: PublicationId) -> None:
    """Take the first part that does not stand to ``sending``.

    Raises:
        IllegalMove: it does not wait to be sent.
        psycopg.errors.InsufficientPrivilege: its approval does not count any more; roll back.
    """
    if not tx.row("begin_next_part", id=publication_id):
        raise IllegalMove(f"publication {publication_id}: no part of it is the next to be sent")


def send_back(tx: Transaction, due: Due, *, reason_code: str, detail: str, kind: str = "policy") -> None:
    """Cancel a publication that this transaction holds; its post goes back to review, and people are told."""
    tx.execute("cancel_publication", id=due.id, reason_code=reason_code, detail=detail)
    tx.execute("return_to_review", id=due.post_id)
    notify(tx, kind, f"reply {due.id}: {detail}", "publication", due.id)


def put_off(tx: Transaction, due: Due, *, until: datetime, reason_code: str, detail: str) -> None:
    """Let one publication that this transaction holds wait until a time."""
    tx.execute("defer_publications", ids=[due.id], until=until, reason_code=reason_code, detail=detail)


def hand_over(tx: Transaction, due: Due, *, detail: str) -> None:
    """Leave a publication that this transaction holds to a person's hand."""
    tx.execute("hand_over_publication", id=due.id, detail=detail)
    notify(tx, "handed_over", f"reply {due.id}: {detail}", "publication", due.id)


def take_back_approval(tx: Transaction, publication_id: PublicationId) -> None:
    """Cancel a queued publication whose approval no longer counts; its post goes back to review.

    Where a part of it stands the post is closed: what was said cannot be approved anew.
    """
    detail = "the approval no longer counts: whoever gave it may not approve any more"
    post_id = tx.value("publication_post", id=publication_id)
    tx.row("lock_post", id=post_id)
    if not tx.execute("cancel_publication", id=publication_id, reason_code="approval_void", detail=detail):
        return
    if load_publication(tx, publication_id).n_sent:
        tx.execute("close_begun_thread", id=post_id, reason=detail)
    tx.execute("return_to_review", id=post_id)
    notify(tx, "approval_void", f"reply {publication_id}: {detail}", "publication", publication_id)


def schedule_measurements(
    tx: Transaction, publication_id: PublicationId, channel_id: ChannelId, platform_sent_at: datetime
) -> None:
    """Plan the four snapshots of a reply that was sent, in the channel's own time."""
    rows = [
        {
            "publication_id": publication_id,
            "window_s": window_s,
            "step": f"measure/{channel_id}",
            "due_at": platform_sent_at + timedelta(seconds=window_s),
        }
        for window_s in WINDOWS_S
    ]
    tx.execute_many("schedule_measurement", rows)


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
