"""What the commands of the review share: a post under decision, locked, and the moves made with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rejoinder.errors import ConfigInvalid, DecisionInvalid, IllegalMove, StaleView
from rejoinder.ids import DraftId, PostId, PublicationId
from rejoinder.listening.post import Post
from rejoinder.posting.reply_ids import ReplyId
from rejoinder.posting.states import PartState, PublicationState
from rejoinder.posting.states import move as move_publication
from rejoinder.posting.threads import most_parts
from rejoinder.review import decisions
from rejoinder.review.moves import Place, move
from rejoinder.review.wording import as_sent
from rejoinder.text.links import find_links
from rejoinder.text.weighted_length import length_limit
from resources.commands.actors import Actor
from resources.postgres import Transaction
from resources.store.channels import Channel, load_channel
from resources.store.posts import FIRST_STEP, post_of
from resources.store.publications import Publication, load_publication
from resources.store.reviews import WHICH_POSTS

REVIEW = Place("review", "pending")
QUEUED = Place("post_queue", "pending")
REFUSED = Place("post_queue", "failed")


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A post whose row this transaction holds; draft is the latest one's row, None without any."""

    id: PostId
    version: int
    place: Place
    post: Post
    channel: Channel
    draft: dict[str, Any] | None


def open_case(tx: Transaction, post_id: int, *, version: int | None) -> OpenCase:
    """Lock the post; version is what the person saw, None where the decision does not depend on it.

    Raises:
        ConfigInvalid: there is no such post.
        IllegalMove: its content was purged.
        StaleView: it changed since.
    """
    row = tx.row("lock_post", id=post_id)
    if row is None:
        raise ConfigInvalid(f"There is no post {post_id}.", fix=WHICH_POSTS)
    if row["purged_at"]:
        raise IllegalMove(
            f"post {post_id} has no content any more: it was deleted there, or lay here for too long"
        )
    if version is not None and row["version"] != version:
        raise StaleView(
            f"someone decided in between: post {post_id} is at {row['stage']}/{row['status']} now"
        )
    return OpenCase(
        id=row["id"],
        version=row["version"],
        place=Place(row["stage"], row["status"]),
        post=post_of(row),
        channel=load_channel(tx, row["channel_id"]),
        draft=tx.row("latest_draft", post_id=post_id),
    )


def move_case(tx: Transaction, case: OpenCase, target: Place, *, reason: str | None = None) -> None:
    """Move the post.

    Raises:
        IllegalMove: the table of moves does not hold it.
    """
    move(case.place, target)
    tx.execute(
        "decide_post",
        id=case.id,
        stage=target.stage,
        status=target.status,
        step=FIRST_STEP[target.stage],
        rejection_reason=reason,
    )


def need_place(case: OpenCase, *places: Place) -> None:
    """Pass silently if the post stands at one of the places.

    Raises:
        IllegalMove: it does not.
    """
    if case.place not in places:
        wanted = " or ".join(str(place) for place in places)
        raise IllegalMove(f"post {case.id} is at {case.place}; this needs it at {wanted}")


def need_draft(case: OpenCase) -> dict[str, Any]:
    """The latest draft.

    Raises:
        IllegalMove: nothing was drafted yet.
    """
    if case.draft is None:
        raise IllegalMove(f"post {case.id} has no draft to decide about")
    return case.draft


def sendable(case: OpenCase, texts: Sequence[str]) -> tuple[decisions.Approve, ...]:
    """The parts as they will be sent, checked against the platform's limits and the channel's policy.

    Raises:
        DecisionInvalid: one is empty, too long, cannot be sent, or has a link where none is allowed; or there are
            more parts than the platform takes.
    """
    platform = case.post.platform
    limit, measure = length_limit(platform)
    parts = [as_sent(text) for text in texts]
    approvals = decisions.approve_parts(parts, measure=measure, limit=limit, most=most_parts(platform))
    has_link = any(True for part in parts for _ in find_links(part))
    if has_link and not case.channel.policy.allow_links:
        raise DecisionInvalid(f"the channel {case.channel.name} takes no links: remove it from the text")
    return approvals


def save_version(tx: Transaction, case: OpenCase, actor: Actor, text: str) -> DraftId:
    """A new version of the draft, by a person, with the quotes of the one before it."""
    before = need_draft(case)
    fresh = tx.row(
        "insert_draft",
        post_id=case.id,
        decision_id=before["decision_id"],
        text=text,
        strategy=before["strategy"],
        model="person",
        prompt_version=before["prompt_version"],
        author_id=actor.person_id,
    )
    draft_id = DraftId(fresh["id"]) if fresh else before["id"]
    tx.execute("copy_draft_evidence", from_draft=before["id"], to_draft=draft_id)
    return DraftId(draft_id)


@dataclass(frozen=True, slots=True)
class OpenPublication:
    """A publication and its post, both locked."""

    state: PublicationState
    case: OpenCase
    reply: Publication

    @property
    def id(self) -> int:
        """Its number."""
        return self.reply.id

    @property
    def is_last_part(self) -> bool:
        """Whether no part waits behind the one in hand."""
        return self.reply.part.position == len(self.reply.parts) - 1


def open_publication(tx: Transaction, publication_id: int) -> OpenPublication:
    """Lock a publication, its post first: the order that every command keeps.

    Raises:
        ConfigInvalid: there is no such publication.
    """
    post_id = tx.value("publication_post", id=publication_id)
    if post_id is None:
        fix = "Take the number of a publication that `rejoinder review show POST_ID` shows."
        raise ConfigInvalid(f"There is no publication {publication_id}.", fix=fix)
    case = open_case(tx, post_id, version=None)
    row = tx.rows("lock_publication", id=publication_id)[0]
    return OpenPublication(row["state"], case, load_publication(tx, PublicationId(publication_id)))


def move_open_publication(
    tx: Transaction,
    actor: Actor,
    publication: OpenPublication,
    state: PublicationState,
    *,
    reason_code: str,
    detail: str | None = None,
    reply: ReplyId | None = None,
) -> None:
    """Move a publication, by this person; reply is where its part in hand stands, if that is known.

    Raises:
        IllegalMove: the table of moves does not hold it.
    """
    move_publication(publication.state, state)
    is_first = publication.reply.part.position == 0
    tx.execute(
        "decide_publication",
        id=publication.id,
        state=state,
        reason_code=reason_code,
        detail=detail,
        settled_by=actor.person_id,
        platform_id=reply.platform_id if reply and is_first else None,
        platform_url=reply.url if reply and is_first else None,
    )


def decide_parts(
    tx: Transaction,
    publication: OpenPublication,
    state: PartState,
    *,
    replies: Sequence[ReplyId | None] = (),
    with_rest: bool = False,
) -> None:
    """Say what became of the part in hand, with_rest of all that wait behind it too.

    replies are where they stand, from the part in hand on, as far as that is known.
    """
    first = publication.reply.part.position
    tx.execute(
        "decide_parts",
        publication_id=publication.id,
        first=first,
        last=publication.reply.parts[-1].position if with_rest else first,
        state=state,
        platform_ids=[reply and reply.platform_id for reply in replies],
        platform_urls=[reply and reply.url for reply in replies],
    )
