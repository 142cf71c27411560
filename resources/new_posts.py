"""Posts as they come in, on their way to be stored: who called us, what answers a reply of ours, what is left alone."""

from collections.abc import Container, Sequence
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
from resources.store.post_edits import OURS
from resources.store.posts import NewPost


class Answer(NamedTuple):
    """A post that answers a reply of ours: which one, and what it is."""

    publication_id: PublicationId
    follow_up: FollowUp


def answers_among(
    tx: Transaction, channel: Channel, posts: Sequence[Post], own: Container[str]
) -> dict[str, Answer]:
    """Those of the posts that others wrote and that answer a reply of ours, by their platform's id.

    Args:
        tx: of the application.
        channel: that heard them.
        posts: by anybody.
        own: our accounts, as `resources.store.follow_ups.own_accounts` has them.
    """
    others = [post for post in posts if post.parent_id and not is_own(post, own)]
    ours = replies_among(tx, channel.platform, sorted({str(post.parent_id) for post in others}))
    found = {}
    for post in others:
        # Whom an answer calls by name is the account that it answers, whichever channel heard it.
        if reply := ours.get(str(post.parent_id)):
            verdict = judge_follow_up(post, reply.account)
            found[post.platform_post_id] = Answer(reply.publication_id, verdict)
    return found


def new_post(
    channel: Channel,
    post: Post,
    now: datetime,
    archived_before: datetime | None,
    answer: Answer | None,
    own: Container[str],
) -> NewPost:
    """A post to be stored; what an account of ours wrote is kept and opens nothing.

    Args:
        channel: that heard it.
        post: by anybody.
        now: our time.
        archived_before: it comes out of an archive, and is history if it is older than this or one of ours.
        answer: to which reply of ours it is one; a plain remark is kept and not worked on.
        own: our accounts.
    """
    summoned, ours = is_summoned(post, channel.account), is_own(post, own)
    archived = archived_before is not None and (post.created_at < archived_before or ours)
    left = answer.follow_up.reason if answer and not answer.follow_up.is_worked_on else None
    left = OURS if ours else left
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


def is_own(post: Post, own: Container[str]) -> bool:
    """Whether one of these accounts wrote the post."""
    return (post.author or "").removeprefix("@").lower() in own
