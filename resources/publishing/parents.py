"""One more look at a post before it is answered: a reply to words that are gone or were changed does not go out."""

import logging
from datetime import datetime, timedelta

from rejoinder.listening.standing import judge
from resources.platforms.failures import PlatformFailure
from resources.platforms.port import PlatformClient
from resources.postgres import Database
from resources.publishing.report import PublishReport
from resources.standings import Found, note_found
from resources.store.channels import Channel

log = logging.getLogger("rejoinder.publishing")

# A post that was heard or looked up so recently is taken as it was: each look costs a read.
FRESH_S = 900.0


def may_answer_next(
    db: Database, channel: Channel, client: PlatformClient, *, now: datetime, report: PublishReport
) -> bool:
    """Look at the post that the next due publication answers, where the last look is older than a quarter of an hour.

    A post that is gone or edited is withdrawn or goes back to triage, and its publication is cancelled.

    Args:
        db: as the publisher's login.
        channel: whose publication is next.
        client: of the channel.
        now: our time.
        report: told how many publications were cancelled, and why nothing can be sent.

    Returns:
        False where the platform could not say: then nothing is sent now.
    """
    if "look_up" not in client.capabilities:
        return True
    with db.transaction() as tx:
        row = tx.row(
            "next_stale_parent", channel_id=channel.id, now=now, stale_before=now - timedelta(seconds=FRESH_S)
        )
    if row is None:
        return True
    try:
        standing = client.look_up([row["platform_post_id"]]).get(row["platform_post_id"])
    except PlatformFailure as error:
        log.warning("channel %s: cannot look at the next post: %s", channel.name, error)
        report.note(f"{error.kind}: {error}")
        return False
    if standing is None:
        report.note(f"channel {channel.name}: the platform does not say whether a post still stands")
        return False
    text_now = None if standing.post is None else standing.post.text
    is_replaced = standing.post is not None and standing.post.platform_post_id != row["platform_post_id"]
    verdict = judge(text=row["text"], gone_at=None, text_now=text_now, is_replaced=is_replaced)
    with db.transaction() as tx:
        note_found(tx, [Found(row["id"], verdict, standing.post)], now)
    report.cancelled += verdict != "stands"
    return True
