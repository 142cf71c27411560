"""New wordings of stored posts: which of them start the walk over."""

from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from rejoinder.engagement.follow_ups import FollowUp, judge_follow_up
from rejoinder.listening.post import Post
from resources.postgres import Transaction
from resources.store.follow_ups import note_follow_ups

# Why a post out of an archive does not wait for triage, in words that a person reads.
ARCHIVED = "imported as history"
# The same of what we wrote ourselves.
OURS = "written by an account of ours"


def note_edit(tx: Transaction, post: Post, now: datetime, *, history: str | None = None) -> bool:
    """Let a post with a new wording, or one that is back, start over; False where nothing is to start over.

    Args:
        tx: of the application or the publisher.
        post: as it reads now, under the id that it is stored by.
        now: noted as the time of the edit.
        history: a reason of rejection that stays one.
    """
    answer = _judged_anew(tx, post)
    left_alone = answer.reason if answer and not answer.is_worked_on else _ours(tx, post)
    row = tx.row("note_post_edit", **_wording(post), now=now, history=history, left_alone=left_alone)
    if row and answer:
        note_follow_ups(tx, post.platform, {post.platform_post_id: answer})
    return row is not None


def _judged_anew(tx: Transaction, post: Post) -> FollowUp | None:
    """What an answer to a reply of ours that rests is by its new wording; None where it is no such answer."""
    row = tx.row("account_answered", platform=post.platform, platform_post_id=post.platform_post_id)
    return judge_follow_up(post, row["account"]) if row else None


def _ours(tx: Transaction, post: Post) -> str | None:
    known = tx.row("own_post", platform=post.platform, platform_post_id=post.platform_post_id)
    return OURS if known else None


def note_archive_edit(tx: Transaction, post: Post) -> bool:
    """Keep the wording of the latest archive of a post that triage has never seen; False where it has."""
    return tx.row("note_archive_edit", **_wording(post), reason=ARCHIVED) is not None


def _wording(post: Post) -> dict[str, Any]:
    return {
        "platform": post.platform,
        "platform_post_id": post.platform_post_id,
        "text": post.text,
        "metrics": Jsonb(dict(post.metrics)),
    }
