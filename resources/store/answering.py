"""Who may be answered: the rows that the decision needs, and the decision for stored posts."""

from collections.abc import Sequence
from datetime import datetime

from rejoinder.listening.answerable import Answerable, History, Unanswerable, may_answer
from rejoinder.listening.post import Post
from resources.postgres import Transaction
from resources.store.channels import Channel


def load_histories(
    tx: Transaction, ids: Sequence[int], *, now: datetime, with_waiting: bool = True
) -> dict[int, History]:
    """What was replied before, by post.

    Args:
        tx: to read in.
        ids: of posts.
        now: aware; of our clock.
        with_waiting: whether replies that wait to be sent count; not for whoever is about to send one of them.
    """
    rows = tx.rows("own_history", ids=list(ids), now=now, with_waiting=with_waiting)
    return {
        row["post_id"]: History(
            is_opted_out=row["is_opted_out"],
            is_answered=row["is_answered"],
            replied_at=tuple(row["replied_at"]),
            in_conversation=row["in_conversation"],
        )
        for row in rows
    }


def standing_of(
    tx: Transaction, post_id: int, post: Post, channel: Channel, *, now: datetime, with_waiting: bool = True
) -> Answerable | Unanswerable:
    """Whether a stored post may be answered now; see `rejoinder.listening.answerable.may_answer`."""
    history = load_histories(tx, [post_id], now=now, with_waiting=with_waiting)[post_id]
    return may_answer(post, channel.policy, channel.account, history, now)


def hold_author(tx: Transaction, post: Post) -> None:
    """Take turns with whoever else is about to reply to this author, until the transaction ends."""
    if post.author:
        tx.execute("hold_author", platform=post.platform, author=post.author)
