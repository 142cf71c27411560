"""What a person may decide about an approved reply: take it back, record or give up a hand-off, settle the unknown.

Each command checks the role, locks the post and its publication, changes both and writes the audit row in one
transaction.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from rejoinder.errors import DecisionInvalid, IllegalMove
from rejoinder.posting.reply_ids import ReplyId, parse_reply_id
from rejoinder.posting.states import PublicationState
from rejoinder.review.moves import DONE, Place
from resources.commands.actors import Actor, authorise, record
from resources.commands.cases import (
    QUEUED,
    REVIEW,
    OpenPublication,
    decide_parts,
    move_case,
    move_open_publication,
    open_publication,
)
from resources.postgres import Database, Transaction
from resources.publishing.money import take_back_reply

GIVEN_UP = Place("post_queue", "rejected")
Outcome = Literal["sent", "abandoned", "queued"]


def take_back(db: Database, actor: Actor, publication_id: int) -> None:
    """Take an approval back before anything was sent; the post waits for review again.

    What is left of a thread is taken back too; then its post is closed, because what was said cannot be approved anew.

    Raises:
        IllegalMove: it is being sent, or was.
        NotAllowed: the role does not allow it.
    """
    with db.transaction() as tx:
        actor = authorise(tx, actor, "cancel")
        publication = open_publication(tx, publication_id)
        if publication.state != "queued":
            raise IllegalMove(f"reply {publication_id} does not wait any more: it is {publication.state}")
        detail = "the rest was taken back" if publication.reply.n_sent else None
        move_open_publication(tx, actor, publication, "cancelled", reason_code="taken_back", detail=detail)
        if publication.reply.n_sent:
            move_case(tx, publication.case, GIVEN_UP, reason="The rest of the thread was taken back")
        else:
            move_case(tx, publication.case, REVIEW)
        record(tx, actor, "take_back", "publication", publication_id)


def record_handoff(db: Database, actor: Actor, publication_id: int, url_or_id: str, *rest: str) -> str:
    """Note that a person has posted the handed-off reply; returns the platform's id of it.

    rest are the addresses of the further parts of a thread in their order, empty where one is not known: the part
    counts as posted all the same, but nobody can count its likes or find the answers to it.

    Raises:
        DecisionInvalid: an address does not name a reply, or names another one; or there are more than parts.
        IllegalMove: the publication is not handed off.
        NotAllowed: the role does not allow it.
    """
    with db.transaction() as tx:
        actor = authorise(tx, actor, "record_handoff")
        publication = open_publication(tx, publication_id)
        _need_state(publication, "handoff")
        replies = _named_parts(tx, publication, (url_or_id, *rest))
        _settle_as_sent(tx, actor, publication, replies, "handed_off", is_whole=True)
        record(tx, actor, "record_handoff", "publication", publication_id, _recorded(replies))
    return replies[0].platform_id


def _recorded(replies: Sequence[ReplyId | None]) -> dict[str, object]:
    """What the audit log keeps of where they stand."""
    first, *rest = [reply and {"platform_id": reply.platform_id, "url": reply.url} for reply in replies]
    return {**(first or {}), **({"further_parts": rest} if rest else {})}


def abandon_handoff(db: Database, actor: Actor, publication_id: int, note: str = "") -> None:
    """Note that nobody will post the handed-off reply.

    Raises:
        IllegalMove: the publication is not handed off.
        NotAllowed: the role does not allow it.
    """
    with db.transaction() as tx:
        actor = authorise(tx, actor, "record_handoff")
        publication = open_publication(tx, publication_id)
        _need_state(publication, "handoff")
        _give_up(tx, actor, publication, "handoff_abandoned", note)
        record(tx, actor, "abandon_handoff", "publication", publication_id, {"note": note})


def finish_by_hand(db: Database, actor: Actor, publication_id: int) -> None:
    """Take what is left of a thread whose later part was refused as a hand-off; then it is recorded or given up.

    Raises:
        IllegalMove: it was not refused, or nothing of it stands.
        NotAllowed: the role does not allow it.
    """
    with db.transaction() as tx:
        actor = authorise(tx, actor, "record_handoff")
        publication = open_publication(tx, publication_id)
        _need_state(publication, "refused")
        if not publication.reply.n_sent:
            raise IllegalMove(
                f"nothing of publication {publication_id} stands: approve the reply again instead"
            )
        move_open_publication(
            tx, actor, publication, "handoff", reason_code="finished_by_hand", detail=_standing(publication)
        )
        move_case(tx, publication.case, QUEUED)
        record(tx, actor, "finish_by_hand", "publication", publication_id)


def _standing(publication: OpenPublication) -> str:
    reply = publication.reply
    return f"{reply.n_sent} of {len(reply.parts)} parts stand; the rest is posted by hand"


def settle_unknown(
    db: Database,
    actor: Actor,
    publication_id: int,
    outcome: Outcome,
    url: str | None = None,
    *,
    confirm: bool = False,
) -> None:
    """Decide what became of a reply, or of the part in hand of a thread, whose outcome was not seen.

    ``sent`` takes the reply's address, ``queued`` sends it again and asks for confirm: a person who
    has looked at the account's timeline says that it is not there. Then its money is there again, of
    today's attempts and yesterday's. What is left of a thread follows, unless it is ``abandoned``.

    Raises:
        DecisionInvalid: the address or the confirmation is missing.
        IllegalMove: the outcome of the publication is not unknown.
        NotAllowed: the role does not allow it.
    """
    if outcome == "queued" and not confirm:
        raise DecisionInvalid("sending again may post twice: look at the account first, then confirm")
    with db.transaction() as tx:
        actor = authorise(tx, actor, "resend" if outcome == "queued" else "settle_unknown")
        publication = open_publication(tx, publication_id)
        _need_state(publication, "unknown")
        _settle(tx, actor, publication, outcome, url or "")
        record(tx, actor, "settle_unknown", "publication", publication_id, {"outcome": outcome, "url": url})


def _settle(tx: Transaction, actor: Actor, publication: OpenPublication, outcome: Outcome, url: str) -> None:
    if outcome == "sent":
        reply = _named_reply(tx, publication, url)
        _settle_as_sent(
            tx, actor, publication, [reply], "settled_by_person", is_whole=publication.is_last_part
        )
    elif outcome == "queued":
        take_back_reply(tx, publication.reply, datetime.now(UTC))
        move_open_publication(tx, actor, publication, "queued", reason_code="resent_by_person")
        decide_parts(tx, publication, "queued")
        move_case(tx, publication.case, QUEUED)
    else:
        _give_up(tx, actor, publication, "settled_by_person", "")


def _need_state(publication: OpenPublication, state: str) -> None:
    if publication.state != state:
        raise IllegalMove(f"publication {publication.id} is {publication.state}; this needs it {state}")


def _named_reply(tx: Transaction, publication: OpenPublication, given: str) -> ReplyId:
    post = publication.case.post
    reply = parse_reply_id(post.platform, given)
    if reply.platform_id == post.platform_post_id:
        raise DecisionInvalid("this is the post itself: paste the address of the reply")
    other = tx.value(
        "answer_with_platform_id",
        platform=post.platform,
        platform_id=reply.platform_id,
        publication_id=publication.id,
    )
    if other == publication.id:
        raise DecisionInvalid("another part of this thread stands there: paste the address of this one")
    if other:
        raise DecisionInvalid(f"this is the reply of publication {other}: paste the address of this one")
    return reply


def _named_parts(
    tx: Transaction, publication: OpenPublication, given: Sequence[str]
) -> tuple[ReplyId, *tuple[ReplyId | None, ...]]:
    """Where the parts that a person posted stand, from the one in hand on; only the first has to be known."""
    left = len(publication.reply.parts) - publication.reply.n_sent
    if len(given) > left:
        raise DecisionInvalid(f"{len(given)} addresses for {left} parts: give one for each, in their order")
    first, *rest = given
    named = _named_reply(tx, publication, first)
    others = [_named_reply(tx, publication, each) if each.strip() else None for each in rest]
    ids = [reply.platform_id for reply in (named, *others) if reply]
    if twice := next((one for one in ids if ids.count(one) > 1), None):
        raise DecisionInvalid(f"{twice} is given for two parts: each has an address of its own")
    return (named, *others)


def _settle_as_sent(
    tx: Transaction,
    actor: Actor,
    publication: OpenPublication,
    replies: Sequence[ReplyId | None],
    reason_code: str,
    *,
    is_whole: bool,
) -> None:
    """The part in hand stands; where that is not all, the rest of the thread goes on."""
    state: PublicationState = "sent" if is_whole else "queued"
    move_open_publication(tx, actor, publication, state, reason_code=reason_code, reply=replies[0])
    decide_parts(tx, publication, "sent", replies=replies, with_rest=is_whole)
    move_case(tx, publication.case, DONE if is_whole else QUEUED)


def _give_up(
    tx: Transaction, actor: Actor, publication: OpenPublication, reason_code: str, note: str
) -> None:
    move_open_publication(tx, actor, publication, "abandoned", reason_code=reason_code, detail=note or None)
    move_case(tx, publication.case, GIVEN_UP, reason="The reply was given up")
