"""Posts: rows <-> values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from psycopg.types.json import Jsonb

from rejoinder.errors import LeaseLost
from rejoinder.ids import ChannelId, PostId
from rejoinder.listening.post import Post
from rejoinder.llm.ports import Vectors
from rejoinder.review.moves import Place
from resources.postgres import Transaction

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


def insert_post(
    tx: Transaction, channel_id: ChannelId, post: Post, *, is_summoned: bool, priority: int
) -> str:
    """Save a heard post; ``new``, ``known`` or ``edited`` (its text changed: it goes back to triage)."""
    values: dict[str, Any] = {
        "platform": post.platform,
        "platform_post_id": post.platform_post_id,
        "text": post.text,
        "metrics": Jsonb(dict(post.metrics)),
    }
    fresh = tx.row(
        "insert_post",
        channel_id=channel_id,
        author=post.author,
        author_followers=post.author_followers,
        community=post.community,
        url=post.url,
        conversation_id=post.conversation_id,
        parent_id=post.parent_id,
        mentions=list(post.mentions),
        quoted_author=post.quoted_author,
        lang=post.lang,
        created_at=post.created_at,
        is_summoned=is_summoned,
        priority=priority,
        **values,
    )
    if fresh:
        return "new"
    return "edited" if tx.row("note_post_edit", **values) else "known"


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
