"""Posts as they come in, on their way to be stored: who called us, what answers a reply of ours, what is left alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rejoinder.engagement.follow_ups import FollowUp, judge_follow_up
from rejoinder.ids import PublicationId
from rejoinder.listening.policy import is_summoned
from rejoinder.listening.post import Post
from rejoinder.triage.priority import priority
from resources.postgres import Transaction
from resources.store.channels import Channel
from resources.store.follow_ups import replies_among
from resources.store.posts import NewPost


class Answer(NamedTuple):
    """A post that answers a reply of ours: which one, and what it is."""

    publication_id: PublicationId
    follow_up: FollowUp


def answers_among(tx: Transaction, channel: Channel, posts: Sequence[Post]) -> dict[str, Answer]:
    """Those of the posts that answer a reply of ours, by their platform's id."""
    others = [post for post in posts if post.parent_id and not _is_own(channel, post)]
    ours = replies_among(tx, channel.platform, sorted({str(post.parent_id) for post in others}))
    return {
        post.platform_post_id: Answer(ours[str(post.parent_id)], judge_follow_up(post, channel.account))
        for post in others
        if post.parent_id in ours
    }


def new_post(
    channel: Channel, post: Post, now: datetime, archived_before: datetime | None, answer: Answer | None
) -> NewPost:
    """A post to be stored.

    Args:
        channel: that heard it.
        post: by anybody.
        now: our time.
        archived_before: it comes out of an archive, and is history if it is older than this or the account's own.
        answer: to which reply of ours it is one; a plain remark is kept and not worked on.
    """
    summoned = is_summoned(post, channel.account)
    archived = archived_before is not None and (post.created_at < archived_before or _is_own(channel, post))
    left = answer.follow_up.reason if answer and not answer.follow_up.is_worked_on else None
    # Nobody works on history or on a remark, so none of them comes first.
    rests = archived or left is not None
    first = 0 if rests else priority(post, relevance=0.0, heard_at=now, now=now, is_summoned=summoned)
    return NewPost(
        post,
        summoned,
        first,
        archived,
        # A sandbox does not know the posts of a file: to it they would all be deleted.
        has_platform=not (archived and channel.is_sandbox),
        answers_publication_id=answer.publication_id if answer else None,
        left_alone=left,
    )


def _is_own(channel: Channel, post: Post) -> bool:
    return (post.author or "").lower() == channel.account.removeprefix("@").lower()
