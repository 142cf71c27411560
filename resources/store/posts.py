"""Posts: rows <-> values."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from rejoinder.errors import LeaseLost
from rejoinder.ids import ChannelId, PostId, PublicationId
from rejoinder.listening.post import Post
from rejoinder.llm.ports import Vectors
from rejoinder.review.moves import Place
from resources.postgres import Transaction
from resources.store.post_edits import ARCHIVED, note_archive_edit, note_edit

Outcome = Literal["new", "known", "edited", "unstorable"]
# When a post was last looked up whose platform cannot be asked.
NEVER_AGAIN = "9999-01-01T00:00:00+00:00"
# A value that PostgreSQL has no place for: U+0000, half of a surrogate pair, a number or an indexed text too long.
UNSTORABLE = (psycopg.DataError, psycopg.errors.ProgramLimitExceeded)
# What a platform need not tell, by its name in Post and in the table.
MAY_LACK = (
    "author", "author_id", "author_followers", "community", "url", "conversation_id", "parent_id", "quoted_author",
    "lang",
)  # fmt: skip
FIRST_STEP = {
    "triage": "embed",
    "research": "evidence",
    "response": "decide",
    "editorial": "check",
    "review": "review",
    "post_queue": "publish",
    "done": "done",
}


@dataclass(frozen=True, slots=True)
class StoredPost:
    """A post as it stands in the database; vector is None until it is embedded."""

    id: PostId
    channel_id: ChannelId
    post: Post
    heard_at: datetime
    is_summoned: bool
    relevance: float | None
    vector: Vectors | None


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post to be saved.

    is_archived leaves it out of triage: it is kept for what it says of the past. has_platform is False where
    nobody can be asked whether it still stands, so that nobody is. answers_publication_id is the reply of ours that it
    answers; left_alone says why it does not go to triage, in words that a person reads.
    """

    post: Post
    is_summoned: bool
    priority: int
    is_archived: bool = False
    has_platform: bool = True
    answers_publication_id: PublicationId | None = None
    left_alone: str | None = None

    @property
    def rejection_reason(self) -> str | None:
        """Why it is left out of triage; None where it goes there."""
        return ARCHIVED if self.is_archived else self.left_alone


class Saved(NamedTuple):
    """What became of one post; reason says why one could not be stored."""

    outcome: Outcome
    reason: str = ""


def insert_post(
    tx: Transaction, channel_id: ChannelId, post: Post, *, is_summoned: bool, priority: int
) -> Outcome:
    """Save a heard post; ``new``, ``known`` or ``edited`` (its text changed: it goes back to triage).

    Raises:
        psycopg.DataError: it cannot be stored, e.g. as it holds U+0000.
    """
    return _insert_each_once(tx, channel_id, [NewPost(post, is_summoned, priority)], from_archive=False)[0]


def insert_posts(
    tx: Transaction, channel_id: ChannelId, posts: Sequence[NewPost], *, from_archive: bool = False
) -> list[Saved]:
    """Save posts in as few statements as may be; what became of each, in their order.

    It is as if they were saved one after the other: of a post that comes twice the later one is known, or an
    edit. One that cannot be stored does not keep the others from it; halves of the batch are tried until
    it stands alone.

    Args:
        tx: each batch is a savepoint in it.
        channel_id: the channel that heard them.
        posts: any number; a thousand at a time is a good measure.
        from_archive: a wording that differs from a stored one is an edit only where triage has never seen it.
    """
    saved: dict[int, Saved] = {}
    for places in _rounds(posts):
        _save_in_halves(tx, channel_id, posts, places, saved, from_archive=from_archive)
    return [saved[place] for place in range(len(posts))]


def _rounds(posts: Sequence[NewPost]) -> list[list[int]]:
    # The nth time that a post comes belongs to the nth round: each knows a post once.
    rounds: list[list[int]] = []
    times: dict[tuple[str, str], int] = {}
    for place, new in enumerate(posts):
        key = (new.post.platform, new.post.platform_post_id)
        times[key] = nth = times.get(key, 0) + 1
        if nth > len(rounds):
            rounds.append([])
        rounds[nth - 1].append(place)
    return rounds


def _save_in_halves(
    tx: Transaction,
    channel_id: ChannelId,
    posts: Sequence[NewPost],
    places: list[int],
    saved: dict[int, Saved],
    *,
    from_archive: bool,
) -> None:
    try:
        with tx.connection.transaction():
            given = [posts[place] for place in places]
            outcomes = _insert_each_once(tx, channel_id, given, from_archive=from_archive)
    except UNSTORABLE as error:
        if len(places) == 1:
            saved[places[0]] = Saved("unstorable", str(error).splitlines()[0])
            return
        half = len(places) // 2
        for part in (places[:half], places[half:]):
            _save_in_halves(tx, channel_id, posts, part, saved, from_archive=from_archive)
    else:
        saved.update(zip(places, map(Saved, outcomes), strict=True))


def _insert_each_once(
    tx: Transaction, channel_id: ChannelId, posts: Sequence[NewPost], *, from_archive: bool
) -> list[Outcome]:
    # Rows are made here and hold themselves nowhere: looking for that takes a tenth of the writing.
    given = json.dumps([_columns(place, new) for place, new in enumerate(posts)], check_circular=False)
    rows = tx.rows("insert_posts", channel_id=channel_id, posts=given)
    return [
        "new" if row["is_new"] else _noted(tx, new.post, from_archive) if row["is_other"] else "known"
        for row, new in zip(rows, posts, strict=True)
    ]


def _noted(tx: Transaction, post: Post, from_archive: bool) -> Outcome:
    is_edit = note_archive_edit(tx, post) if from_archive else note_edit(tx, post, datetime.now(UTC))
    return "edited" if is_edit else "known"


def _columns(place: int, new: NewPost) -> dict[str, Any]:
    """A post for the statement insert_posts, without what it takes for granted."""
    post = new.post
    row: dict[str, Any] = {
        "place": place,
        "platform": post.platform,
        "platform_post_id": post.platform_post_id,
        "text": post.text,
        "created_at": post.created_at.isoformat(),
    }
    told = {
        **{name: getattr(post, name) for name in MAY_LACK},
        "mentions": post.mentions or None,
        "metrics": dict(post.metrics) or None,
        "is_summoned": new.is_summoned or None,
        "priority": new.priority or None,
        "rejection_reason": new.rejection_reason,
        "answers_publication_id": new.answers_publication_id,
        "checked_at": None if new.has_platform else NEVER_AGAIN,
    }
    row.update((name, value) for name, value in told.items() if value is not None)
    return row


def load_posts(tx: Transaction, ids: Sequence[int], index_id: int) -> list[StoredPost]:
    """The posts with these ids, in this order."""
    rows = {row["id"]: row for row in tx.rows("load_posts", ids=list(ids), index_id=index_id)}
    return [_stored(rows[i]) for i in ids]


def _stored(row: dict[str, Any]) -> StoredPost:
    embedding = row["embedding"]
    return StoredPost(
        id=row["id"],
        channel_id=row["channel_id"],
        post=post_of(row),
        heard_at=row["heard_at"],
        is_summoned=row["is_summoned"],
        relevance=row["relevance"],
        vector=None if embedding is None else np.asarray(embedding.to_numpy(), dtype=np.float32),
    )


def post_of(row: dict[str, Any]) -> Post:
    """The value that a row of ``post`` holds."""
    return Post(
        platform=row["platform"],
        platform_post_id=row["platform_post_id"],
        text=row["text"],
        created_at=row["created_at"],
        author=row["author"],
        author_id=row.get("author_id"),
        author_followers=row["author_followers"],
        community=row["community"],
        url=row["url"],
        conversation_id=row["conversation_id"],
        parent_id=row["parent_id"],
        mentions=tuple(row["mentions"]),
        quoted_author=row["quoted_author"],
        lang=row["lang"],
        metrics=row["metrics"],
    )


def advance(
    tx: Transaction,
    post_id: PostId,
    place: Place,
    worker: int,
    *,
    step: str | None = None,
    reason: str | None = None,
) -> None:
    """Move a post that this worker holds; step defaults to the first one of the stage.

    Raises:
        LeaseLost: the worker does not hold it any more.
    """
    touched = tx.execute(
        "advance_post",
        id=post_id,
        stage=place.stage,
        step=step or FIRST_STEP[place.stage],
        status=place.status,
        rejection_reason=reason,
        worker=worker,
    )
    if not touched:
        raise LeaseLost(f"post {post_id} is held by another worker")


def postpone(tx: Transaction, post_id: PostId, until: datetime, worker: int) -> str:
    """Let a post that this worker holds wait at its step until a time.

    Raises:
        LeaseLost: the worker does not hold it any more.
    """
    if not tx.execute("wait_post", id=post_id, until_at=until, worker=worker):
        raise LeaseLost(f"post {post_id} is held by another worker")
    return "waits"


def reject(tx: Transaction, post_id: PostId, place: Place, step: str, reason: str, worker: int) -> str:
    """Reject a post at its step with a reason that a person can read."""
    advance(tx, post_id, Place(place.stage, "rejected"), worker, step=step, reason=reason)
    return "rejected"


def save_stage_decision(
    tx: Transaction,
    post_id: PostId,
    step: str,
    verdict: str,
    reason: str,
    *,
    scores: dict[str, Any] | None = None,
    model_version_id: int | None = None,
) -> None:
    """Write down what a step decided and why."""
    tx.execute(
        "save_stage_decision",
        post_id=post_id,
        step=step,
        verdict=verdict,
        reason=reason,
        scores=Jsonb(scores or {}),
        model_version_id=model_version_id,
    )
