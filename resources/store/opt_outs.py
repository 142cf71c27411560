"""Authors who are left alone: because they asked, for ever, or because a person put them on the block list."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from rejoinder.listening.post import Post
from rejoinder.listening.stop_words import asks_to_stop, is_addressed
from resources.postgres import Transaction
from resources.store.channels import Channel
from resources.store.follow_ups import replies_among
from resources.store.publications import cancel_withdrawn, notify


@dataclass(frozen=True, slots=True)
class OptOut:
    """One author who is left alone; is_asked: by the author's own word, in the post post_id where it was heard.

    is_rehearsal: it was said on a sandbox channel and holds on those alone. author_id is the platform's own id of the
    author, by which somebody with another handle is known; None where it was never told.
    """

    platform: str
    author: str
    reason: str
    is_asked: bool
    post_id: int | None
    person: str | None
    created_at: datetime
    is_rehearsal: bool = False
    author_id: str | None = None


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Authors who are left alone on a channel: their handles in lower case, and the platform's ids of them."""

    handles: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    def has(self, post: Post) -> bool:
        """Whether one of them wrote the post, under whatever handle."""
        return (post.author or "").lower() in self.handles or post.author_id in self.ids


def left_alone_among(tx: Transaction, channel: Channel, posts: Sequence[Post]) -> LeftAlone:
    """Who of the authors of these posts is left alone on the channel; what tells of their ids is remembered.

    A handle that somebody else took over since is left alone too: whose it is now cannot be known for sure.
    """
    handles = sorted({storable(post.author.lower()) for post in posts if post.author})
    ids = sorted({storable(post.author_id) for post in posts if post.author_id})
    if not handles and not ids:
        return LeftAlone()
    rows = tx.rows(
        "opted_out_authors", platform=channel.platform, authors=handles, author_ids=ids,
        is_sandbox=channel.is_sandbox,
    )  # fmt: skip
    unknown = {row["author"] for row in rows if row["author_id"] is None}
    seen = [
        {"author": post.author.lower(), "author_id": storable(post.author_id)}
        for post in posts
        if post.author and post.author_id and post.author.lower() in unknown
    ]
    if seen:
        tx.execute(
            "learn_author_ids",
            platform=channel.platform,
            is_sandbox=channel.is_sandbox,
            seen=json.dumps(seen),
        )
    by_id = {row["author_id"] for row in rows} & set(ids)
    return LeftAlone(frozenset(row["author"] for row in rows), frozenset(by_id))


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot keep: U+0000 and halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{SYMBOL FOR NULL}")


def note_requests(tx: Transaction, channel: Channel, posts: Sequence[Post]) -> list[str]:
    """Honour the requests to be left alone among posts that are stored; the authors who asked.

    Each is written down with the post, and all open work on the author's posts is withdrawn at once.
    """
    # Most posts are said to nobody of ours: only the others' words are looked at.
    heeded = [
        post for post in posts if post.author and (post.parent_id or is_addressed(post, channel.account, ()))
    ]
    asking = [(post, words) for post in heeded if (words := asks_to_stop(post.text))]
    if not asking:
        return []
    parents = sorted({post.parent_id for post, _ in asking if post.parent_id})
    ours = replies_among(tx, channel.platform, parents)
    said_to_us = [(post, words) for post, words in asking if is_addressed(post, channel.account, ours)]
    numbers = _numbers(tx, channel.platform, [post for post, _ in said_to_us])
    asked = [
        _note(tx, channel, post, words, numbers.get(post.platform_post_id)) for post, words in said_to_us
    ]
    if asked:
        cancel_withdrawn(tx)
    return asked


def _numbers(tx: Transaction, platform: str, posts: Sequence[Post]) -> dict[str, int]:
    ids = [post.platform_post_id for post in posts]
    rows = tx.rows("post_numbers", platform=platform, platform_post_ids=ids)
    return {row["platform_post_id"]: row["id"] for row in rows}


def _note(tx: Transaction, channel: Channel, post: Post, words: str, post_id: int | None) -> str:
    author = str(post.author)
    reason = f"asked in a post: {words}"
    is_new = save_opt_out(
        tx, post.platform, author, reason=reason, is_asked=True, is_rehearsal=channel.is_sandbox,
        author_id=post.author_id, post_id=post_id,
    )  # fmt: skip
    withdrawn = withdraw_author(tx, post.platform, author, is_rehearsal=channel.is_sandbox)
    if is_new:
        # Without the name: messages that were sent cannot be taken back once the author's posts are purged.
        message = f"an author on {post.platform} asked to be left alone and is not answered any more"
        notify(tx, "opt_out", message, "post", post_id)
        tx.execute(
            "insert_audit_event", person_id=None, actor="listening", action="opt_out", entity_type="post",
            entity_id=post_id, diff=Jsonb({"author": author, "reason": reason, "withdrawn": withdrawn}),
            ip_address=None,
        )  # fmt: skip
    return author


def save_opt_out(
    tx: Transaction,
    platform: str,
    author: str,
    *,
    reason: str,
    is_asked: bool,
    is_rehearsal: bool = False,
    author_id: str | None = None,
    post_id: int | None = None,
    person_id: int | None = None,
) -> bool:
    """Write down that an author is left alone; whether that was not known before, or not as the author's own word.

    Args:
        tx: of the application.
        platform: where the author is.
        author: the handle.
        reason: why, in any words.
        is_asked: by the author's own word: then it is for ever.
        is_rehearsal: holds on sandbox channels alone.
        author_id: the platform's id of the author; found among the author's posts where it is not given.
        post_id: where it was said.
        person_id: who wrote it down.
    """
    row = tx.row(
        "save_opt_out", platform=platform, author=author, reason=reason, is_asked=is_asked,
        is_rehearsal=is_rehearsal, author_id=author_id, post_id=post_id, person_id=person_id,
    )  # fmt: skip
    return row is not None


def withdraw_author(tx: Transaction, platform: str, author: str, *, is_rehearsal: bool = False) -> int:
    """Withdraw all that is still to be done about an author's posts; how many. What is being sent is not stopped.

    Replies that wait are taken back by `resources.store.publications.cancel_withdrawn`, once for any number of authors.
    """
    return len(tx.rows("withdraw_author", platform=platform, author=author, is_rehearsal=is_rehearsal))


def list_opt_outs(tx: Transaction, platform: str | None = None, most: int = 100) -> list[OptOut]:
    """Who is left alone, the latest first; None means any platform."""
    return [OptOut(**row) for row in tx.rows("list_opt_outs", platform=platform, most=most)]
