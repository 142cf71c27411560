"""What a person may decide about an approved reply: take it back, record or give up a hand-off, settle the unknown.

Each command checks the role, locks the post and its publication, changes both and writes the audit row in one
transaction.
"""

from datetime import UTC, datetime
from typing import Literal

from rejoinder.errors import DecisionInvalid, IllegalMove
from rejoinder.ids import PublicationId
from rejoinder.posting.reply_ids import ReplyId, parse_reply_id
from rejoinder.review.moves import DONE, Place
from resources.commands.actors import Actor, authorise, record
from resources.commands.cases import (
    QUEUED,
    REVIEW,
    OpenPublication,
    move_case,
    move_open_publication,
    open_publication,
)
from resources.postgres import Database, Transaction
from resources.publishing.money import take_back_reply
from resources.store.publications import load_publication

Outcome = Literal["sent", "abandoned", "queued"]


def take_back(db: Database, actor: Actor, publication_id: int) -> None:
    """Take an approval back before anything was sent; the post waits for review again.

    Raises:
        IllegalMove: it is being sent, or was.
        NotAllowed: the role does not allow it.
    """
    with db.transaction() as tx:
        actor = authorise(tx, actor, "cancel")
        publication = open_publication(tx, publication_id)
        move_open_publication(tx, actor, publication, "cancelled", reason_code="taken_back")
        move_case(tx, publication.case, REVIEW)
        record(tx, actor, "take_back", "publication", publication_id)


def record_handoff(db: Database, actor: Actor, publication_id: int, url_or_id: str) -> str:
    """Note that a person has posted the handed-off reply; returns the platform's id of it.

    Raises:
        DecisionInvalid: the address does not name a reply, or names another one.
        IllegalMove: the publication is not handed off.
        NotAllowed: the role does not allow it.
    """
    with db.transaction() as tx:
        actor = authorise(tx, actor, "record_handoff")
        publication = open_publication(tx, publication_id)
        _need_state(publication, "handoff")
        reply = _named_reply(tx, publication, url_or_id)
        _settle_as_sent(tx, actor, publication, reply, "handed_off")
        diff = {"platform_id": reply.platform_id, "url": reply.url}
        record(tx, actor, "record_handoff", "publication", publication_id, diff)
    return reply.platform_id


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


def settle_unknown(
    db: Database,
    actor: Actor,
    publication_id: int,
    outcome: Outcome,
    url: str | None = None,
    *,
    confirm: bool = False,
) -> None:
    """Decide what became of a reply whose outcome was not seen.

    ``sent`` takes the reply's address, ``queued`` sends it again and asks for confirm: a person who
    has looked at the account's timeline says that it is not there. Then its money is there again, of
    today's attempts and yesterday's.

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
        _settle_as_sent(tx, actor, publication, _named_reply(tx, publication, url), "settled_by_person")
    elif outcome == "queued":
        take_back_reply(tx, load_publication(tx, PublicationId(publication.id)), datetime.now(UTC))
        move_open_publication(tx, actor, publication, "queued", reason_code="resent_by_person")
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
    if other:
        raise DecisionInvalid(f"this is the reply of publication {other}: paste the address of this one")
    return reply


def _settle_as_sent(
    tx: Transaction, actor: Actor, publication: OpenPublication, reply: ReplyId, reason_code: str
) -> None:
    move_open_publication(
        tx,
        actor,
        publication,
        "sent",
        reason_code=reason_code,
        platform_id=reply.platform_id,
        platform_url=reply.url,
    )
    move_case(tx, publication.case, DONE)


def _give_up(
    tx: Transaction, actor: Actor, publication: OpenPublication, reason_code: str, note: str
) -> None:
    move_open_publication(tx, actor, publication, "abandoned", reason_code=reason_code, detail=note or None)
    move_case(tx, publication.case, Place("post_queue", "rejected"), reason="The reply was given up")
