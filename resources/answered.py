"""Answers to our replies that were counted but not heard: the platform is asked for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rejoinder.engagement.windows import WINDOWS_S
from rejoinder.ids import PublicationId
from resources.listening import HeardCounts, save_posts
from resources.platforms.failures import PlatformFailure, SpendStopped
from resources.platforms.port import PlatformClient
from resources.postgres import Database
from resources.store.channels import Channel

MOST_ANSWERS = 50
# Where reading costs money it is done once per reply, and for so many replies in one round.
PAID_WINDOW_S = WINDOWS_S[1]
MOST_ASKED = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A reply that more people answered than were heard; since is when it was sent, in the platform's time."""

    publication_id: PublicationId
    platform_ids: tuple[str, ...]
    since: datetime
    window_s: int
    n_heard: int


def read_unheard(
    db: Database, channel: Channel, client: PlatformClient, unheard: Sequence[Asked], errors: dict[str, int]
) -> int:
    """Ask the platform for answers that were not heard, where it can be asked and the budget has room.

    Args:
        db: as the application's login.
        channel: its client cannot always hear everything: Reddit's inbox wants the account's own login.
        client: of the channel.
        unheard: what was noticed while measuring.
        errors: messages are counted here; a platform that does not answer holds nothing up.

    Returns:
        How many new posts that brought.
    """
    if "replies" not in client.capabilities:
        return 0
    counts = HeardCounts()
    is_free = not channel.policy.price_usd("post_read")
    wanted = [one for one in unheard if is_free or one.window_s == PAID_WINDOW_S][:MOST_ASKED]
    for one in wanted:
        try:
            posts = [
                post
                for part in one.platform_ids
                for post in client.replies(part, one.since, MOST_ANSWERS).posts
            ]
        except PlatformFailure as error:
            message = f"channel {channel.name}: answers are not asked for: {error.kind}: {error}"
            errors[message] = errors.get(message, 0) + 1
            if isinstance(error, SpendStopped):
                break
            continue
        with db.transaction() as tx:
            save_posts(tx, channel, posts, counts)
    return counts.new
