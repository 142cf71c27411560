"""The posts above a post, read before anything is drafted, within the channel's policy and budget.

Only for posts that triage accepted, and once each. It helps whoever decides; nothing waits for it, and whatever goes
wrong is noted beside the post and stops nothing.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rejoinder.ids import PostId
from rejoinder.listening.post import Post
from resources.clients import OpenClient
from resources.listening import HeardReport, open_channels
from resources.platforms.failures import AuthExpired, PlatformFailure, RateLimited, Unreachable
from resources.platforms.port import PlatformClient
from resources.postgres import Database
from resources.store.channels import Channel
from resources.store.opt_outs import left_alone_among
from resources.store.posts import post_of, save_stage_decision
from resources.work.stopping import StopSignal

log = logging.getLogger("rejoinder.listening")

STEP = "thread"
MOST_AT_ONCE = 500


@dataclass(slots=True)
class ThreadReport:
    """Posts whose thread was read, posts found above them, and what stood in the way by message."""

    read: int = 0
    parents: int = 0
    errors: dict[str, int] = field(default_factory=dict)

    def note(self, message: str) -> None:
        """Count what stood in the way."""
        self.errors[message] = self.errors.get(message, 0) + 1


def read_threads(db: Database, *, open_client: OpenClient, stop: StopSignal) -> ThreadReport:
    """Read what stands above every accepted post that was not asked for yet.

    Raises:
        ServiceUnavailable: PostgreSQL cannot be reached.
    """
    report, opened = ThreadReport(), HeardReport()
    for channel, client in open_channels(db, open_client, opened):
        if channel.policy.thread_posts and "thread" in client.capabilities:
            _read_channel(db, channel, client, stop, report)
    for message in opened.errors:
        report.note(message)
    return report


def _read_channel(
    db: Database, channel: Channel, client: PlatformClient, stop: StopSignal, report: ThreadReport
) -> None:
    with db.transaction() as tx:
        rows = tx.rows("posts_without_thread", channel_id=channel.id, top=MOST_AT_ONCE)
    for row in rows:
        if stop.is_set():
            return
        try:
            parents = client.thread(_post(row), channel.policy.thread_posts)
        except (RateLimited, Unreachable, AuthExpired) as trouble:
            # It is not about this post: the rest is asked for next time; the posts themselves go on.
            report.note(f"channel {channel.name}: {trouble}")
            return
        except PlatformFailure as failure:
            report.note(f"channel {channel.name}: {failure}")
            _save(db, row["id"], (), "unavailable", f"what stands above could not be read: {failure}")
            continue
        kept = _of_the_willing(db, channel, parents)
        _save(db, row["id"], kept, "read", f"posts above it: {len(kept)}")
        report.read, report.parents = report.read + 1, report.parents + len(kept)


def _post(row: dict[str, Any]) -> Post:
    return replace(post_of(row), parent_id=row["parent_id"])


def _of_the_willing(db: Database, channel: Channel, parents: Sequence[Post]) -> tuple[Post, ...]:
    """The posts but for those of people who asked to be left alone, and those that cannot be stored."""
    with db.transaction() as tx:
        left_alone = left_alone_among(tx, channel, parents)
    return tuple(post for post in parents if not left_alone.has(post) and "\0" not in post.text)


def _save(db: Database, post_id: PostId, parents: Sequence[Post], verdict: str, reason: str) -> None:
    with db.transaction() as tx:
        for position, post in enumerate(parents):
            tx.execute(
                "insert_post_context",
                post_id=post_id,
                position=position,
                platform_post_id=post.platform_post_id,
                author=post.author,
                text=post.text.encode("utf-8", "replace").decode("utf-8"),
                created_at=post.created_at,
            )
        save_stage_decision(tx, post_id, STEP, verdict, reason[:300])
