"""What a person may decide about a draft: role check, change and audit in one transaction.

Every function that decides about a post takes the `version` of it that the person saw; where someone decided
in between it raises `StaleView` and changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.errors import InsufficientPrivilege, UniqueViolation

from rejoinder.errors import DecisionInvalid, IllegalMove, NotAllowed, StaleView
from rejoinder.ids import DraftId, PublicationId, ReviewId
from rejoinder.listening.answerable import Unanswerable, how_to_publish
from rejoinder.listening.policy import Way
from rejoinder.posting.schedule import NOW, Schedule
from rejoinder.posting.threads import parts_of, text_of
from rejoinder.review import decisions
from rejoinder.review.decisions import REASON_LABELS
from rejoinder.review.diffs import edit_distance_share
from rejoinder.review.moves import Place
from resources.commands.actors import Actor, authorise, record
from resources.commands.cases import (
    REFUSED,
    REVIEW,
    OpenCase,
    move_case,
    need_draft,
    need_place,
    open_case,
    save_version,
    sendable,
)
from resources.postgres import Database, Transaction
from resources.store.answering import hold_author, standing_of
from resources.store.schedules import settle_schedule


@dataclass(frozen=True, slots=True)
class Approved:
    """What an approval made; texts are the parts as they will be sent, after normalisation, and when they go out."""

    review_id: ReviewId
    publication_id: PublicationId
    way: Way
    texts: tuple[str, ...]
    was_edited: bool
    schedule: Schedule = NOW

    @property
    def text(self) -> str:
        """All of it, with dividers between the parts."""
        return text_of(self.texts)


def approve(
    db: Database,
    actor: Actor,
    post_id: int,
    *,
    version: int,
    text: str | None = None,
    texts: Sequence[str] | None = None,
    note: str | None = None,
    schedule: Schedule = NOW,
) -> Approved:
    """Approve these words, to the letter, as the reply to the post; it is queued or handed off.

    Words that differ from the latest draft become a new version of it first. A reply that the platform refused may
    be approved again, which queues another try; not one of which a part stands.

    Args:
        db: as the application.
        actor: who approves.
        post_id: of the post.
        version: of the post, as the person saw it.
        text: the whole text; dividers make parts of it where the platform takes threads (`parts_of`).
        texts: the parts in order, instead of text.
        note: for the record.
        schedule: when it is to go out.

    Raises:
        NotAllowed: the role does not allow it, or a simulated reviewer decides outside the sandbox.
        StaleView: someone decided in between.
        IllegalMove: the post does not wait for a decision.
        DecisionInvalid: the words cannot be sent, or the channel's policy lets the post not be answered.
        ValueError: not exactly one of text and texts is given.
    """
    if (text is None) == (texts is None):
        raise ValueError("give either text or texts")
    with db.transaction() as tx, _gate():
        actor = authorise(tx, actor, "approve")
        case = open_case(tx, post_id, version=version)
        need_place(case, REVIEW, REFUSED)
        if actor.is_simulated and not case.channel.is_sandbox:
            raise NotAllowed(f"a simulated reviewer may not approve for {case.channel.name}")
        parts = parts_of(text or "", case.post.platform) if texts is None else texts
        return _approve(tx, actor, case, _Wanted(sendable(case, parts), note, schedule))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a person approves: the parts, a note for the record, when it goes out."""

    parts: tuple[decisions.Approve, ...]
    note: str | None
    schedule: Schedule

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(part.text for part in self.parts)


@contextmanager
def _gate() -> Iterator[None]:
    """The database's own refusals, as errors that a person understands."""
    try:
        yield
    except UniqueViolation as error:
        if error.diag.constraint_name == "publication_same_words":
            raise IllegalMove("these words were approved for this post before: change them") from None
        raise IllegalMove(
            "an earlier reply to this post is still open, or part of an earlier reply to this post stands:"
            " settle that first"
        ) from None
    except InsufficientPrivilege as error:
        raise NotAllowed(f"the approval gate refused it: {error.diag.message_primary}") from None


def _approve(tx: Transaction, actor: Actor, case: OpenCase, wanted: _Wanted) -> Approved:
    draft = need_draft(case)
    text = text_of(wanted.texts)
    is_new = wanted.texts != parts_of(draft["text"], case.post.platform)
    draft_id = save_version(tx, case, actor, text) if is_new else draft["id"]
    was_edited = is_new or draft["author_id"] is not None
    way = _way_out(tx, case)
    schedule = _planned(tx, case, wanted.schedule, way)
    made = tx.row(
        "approve_post",
        post_id=case.id,
        version=case.version,
        draft_id=draft_id,
        reviewer_id=actor.person_id,
        note=wanted.note,
        was_edited=was_edited,
        is_simulated=actor.is_simulated,
        texts=list(wanted.texts),
        schedule=schedule.kind,
        scheduled_for=schedule.at,
        schedule_zone=schedule.zone,
        state="queued" if way == "api" else "handoff",
    )
    if made is None:
        raise StaleView(f"someone decided in between about post {case.id}")
    approved = Approved(made["review_id"], made["publication_id"], way, wanted.texts, was_edited, schedule)
    _record_approval(tx, actor, case, approved, [part.text_sha256 for part in wanted.parts])
    return approved


def _planned(tx: Transaction, case: OpenCase, wanted: Schedule, way: Way) -> Schedule:
    if way == "handoff" and wanted.kind != "now":
        raise DecisionInvalid(
            "this reply is posted by hand, so nothing can be planned for it: approve it for now"
        )
    return settle_schedule(tx, case.channel, wanted, now=datetime.now(UTC))


def _way_out(tx: Transaction, case: OpenCase) -> Way:
    """How the reply goes out; one that only has to wait is queued, and the publisher keeps it until it may go.

    Raises:
        DecisionInvalid: the post may not be answered, or not yet by a person's hand.
    """
    hold_author(tx, case.post)
    way = how_to_publish(case.post, case.channel.policy, case.channel.account)
    standing = standing_of(tx, case.id, case.post, case.channel, now=datetime.now(UTC))
    if isinstance(standing, Unanswerable) and (standing.until is None or way == "handoff"):
        raise DecisionInvalid(f"this post may not be answered: {standing.reason}")
    return way


def _record_approval(
    tx: Transaction, actor: Actor, case: OpenCase, approved: Approved, sha256: list[str]
) -> None:
    diff: dict[str, object] = {
        "review_id": approved.review_id,
        "publication_id": approved.publication_id,
        "way": approved.way,
        "sha256": " ".join(sha256),
        "was_edited": approved.was_edited,
        "schedule": str(approved.schedule),
    }
    if approved.was_edited:
        diff |= _edited(need_draft(case), approved.text)
    record(tx, actor, "approve", "post", case.id, diff)


def _edited(before: Mapping[str, Any], text: str) -> dict[str, object]:
    """Which draft was changed, and how much. No words: the audit keeps what it is told, and drafts are purged."""
    share = round(edit_distance_share(before["text"], text), 4)
    return {"from_draft": before["id"], "edit_share": share}


def reject(
    db: Database, actor: Actor, post_id: int, *, version: int, reason: str, note: str = ""
) -> ReviewId:
    """Decide not to answer the post.

    Raises:
        DecisionInvalid: the reason is unknown, or it is ``other`` without a note.
        NotAllowed, StaleView, IllegalMove: as for `approve`.
    """
    decision = decisions.reject(reason, note)
    with db.transaction() as tx:
        actor = authorise(tx, actor, "reject")
        case = open_case(tx, post_id, version=version)
        need_place(case, REVIEW)
        review_id = _save_review(tx, actor, case, "rejected", decision.reason, decision.note)
        move_case(tx, case, Place("review", "rejected"), reason=REASON_LABELS[decision.reason])
        diff = {"review_id": review_id, "reason": decision.reason, "note": decision.note}
        record(tx, actor, "reject", "post", case.id, diff)
    return review_id


def send_back(db: Database, actor: Actor, post_id: int, *, version: int, note: str) -> ReviewId:
    """Ask for another draft; the note says what to change.

    Raises:
        DecisionInvalid: the note is empty.
        NotAllowed, StaleView, IllegalMove: as for `approve`.
    """
    decision = decisions.send_back(note)
    with db.transaction() as tx:
        actor = authorise(tx, actor, "send_back")
        case = open_case(tx, post_id, version=version)
        need_place(case, REVIEW)
        review_id = _save_review(tx, actor, case, "sent_back", None, decision.note)
        move_case(tx, case, Place("response", "pending"))
        record(tx, actor, "send_back", "post", case.id, {"review_id": review_id, "note": decision.note})
    return review_id


def _save_review(
    tx: Transaction, actor: Actor, case: OpenCase, decision: str, reason: str | None, note: str
) -> ReviewId:
    review_id = tx.value(
        "insert_review",
        post_id=case.id,
        draft_id=need_draft(case)["id"],
        reviewer_id=actor.person_id,
        decision=decision,
        reason=reason,
        note=note or None,
        is_simulated=actor.is_simulated,
    )
    return ReviewId(review_id)


def edit_draft(db: Database, actor: Actor, post_id: int, *, version: int, text: str) -> DraftId:
    """Save a person's wording as the next version of the draft; the same wording changes nothing.

    Raises:
        DecisionInvalid: the text could not be sent like this.
        NotAllowed, StaleView, IllegalMove: as for `approve`.
    """
    with db.transaction() as tx:
        actor = authorise(tx, actor, "edit_draft")
        case = open_case(tx, post_id, version=version)
        need_place(case, REVIEW)
        parts = parts_of(text, case.post.platform)
        wording = text_of([part.text for part in sendable(case, parts)])
        before = need_draft(case)
        if wording == before["text"]:
            return DraftId(before["id"])
        draft_id = save_version(tx, case, actor, wording)
        tx.execute("touch_post", id=case.id)
        diff = {"draft_id": draft_id, **_edited(before, wording)}
        record(tx, actor, "edit_draft", "post", case.id, diff)
    return draft_id


def reopen(db: Database, actor: Actor, post_id: int, *, version: int) -> None:
    """Put a rejected post before the reviewers again.

    Raises:
        NotAllowed, StaleView, IllegalMove: as for `approve`.
    """
    with db.transaction() as tx:
        actor = authorise(tx, actor, "reopen")
        case = open_case(tx, post_id, version=version)
        need_place(case, Place("review", "rejected"))
        move_case(tx, case, REVIEW)
        record(tx, actor, "reopen", "post", case.id)
