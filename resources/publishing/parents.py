"""One more look at a post before it is answered: a reply to words that are gone or were changed does not go out."""

import logging
from datetime import datetime, timedelta
from typing import Literal

from rejoinder.listening.standing import judge
from resources.platforms.failures import PlatformFailure, RateLimited, SpendStopped
from resources.platforms.port import PlatformClient
from resources.postgres import Database
from resources.publishing.channel_time import channel_time
from resources.publishing.clock import Clock
from resources.publishing.pacing import LIMITED, hold_channel, hold_one_channel
from resources.publishing.report import PublishReport
from resources.publishing.turn import time_to_send
from resources.standings import Found, note_found
from resources.store.channels import Channel

log = logging.getLogger("rejoinder.publishing")

Look = Literal["seen", "looked", "away"]

# A post that was heard or looked up so recently is taken as it was: each look costs a read.
FRESH_S = 900.0


# Until a platform is asked again that could not say: about any post, or about one.
AGAIN = timedelta(minutes=1)
UNSAID_AGAIN = timedelta(minutes=10)
UNSEEN = "parent_unseen"


def seen_since_of(client: PlatformClient, now: datetime) -> datetime | None:
    """The time since which a post has to be looked at before it is answered; None where nobody can look."""
    return now - timedelta(seconds=FRESH_S) if "look_up" in client.capabilities else None


def look_at_next(
    db: Database,
    channel: Channel,
    client: PlatformClient,
    *,
    clock: Clock,
    seen_since: datetime,
    report: PublishReport,
) -> Look:
    """Look at the post that the next due publication answers, where the last look was before seen_since.

    A post that is gone or edited is withdrawn or goes back to triage, and its publication is cancelled. One of which
    the platform says nothing waits ten minutes, alone.

    Args:
        db: as the publisher's login.
        channel: whose publication is next.
        client: of the channel; it can look up.
        clock: our time.
        seen_since: see `seen_since_of`.
        report: told how many publications were cancelled or wait, and why nothing can be sent.

    Returns:
        ``seen`` where nothing had to be looked at, so that the next publication may be claimed; ``looked`` where one
        was, so that the next one may be another; ``away`` where the platform could not be asked, or the channel may not
        send anyway: then nothing is sent now.
    """
    now = clock.now()
    with db.transaction() as tx:
        row = tx.row("next_stale_parent", channel_id=channel.id, now=now, seen_since=seen_since)
        if row is None:
            return "seen"
        if time_to_send(tx, channel, clock) is None:
            return "away"  # a look costs a read, and nothing would follow from it now
    try:
        standing = client.look_up([row["platform_post_id"]]).get(row["platform_post_id"])
    except PlatformFailure as error:
        log.warning("channel %s: cannot look at the next post: %s", channel.name, error)
        _wait(db, channel, client, error, now, report)
        return "away"
    if standing is None:
        _wait_alone(db, channel, row["publication_id"], now, report)
        return "looked"
    text_now = None if standing.post is None else standing.post.text
    is_replaced = standing.post is not None and standing.post.platform_post_id != row["platform_post_id"]
    verdict = judge(text=row["text"], gone_at=None, text_now=text_now, is_replaced=is_replaced)
    with db.transaction() as tx:
        note_found(tx, [Found(row["id"], verdict, standing.post)], now)
    report.cancelled += verdict != "stands"
    return "looked"


def _wait(
    db: Database,
    channel: Channel,
    client: PlatformClient,
    error: PlatformFailure,
    now: datetime,
    report: PublishReport,
) -> None:
    """Let everything on the channel wait: a look at another post would end the same way."""
    until, reason = max(now + AGAIN, _retry_at(channel, client, error, now)), _reason(error)
    hold = hold_one_channel if reason == "spend_cap" else hold_channel
    with db.transaction() as tx:
        hold(tx, channel, until, now, reason)
    report.note(f"{error.kind}: {error}")


def _reason(error: PlatformFailure) -> str:
    if isinstance(error, SpendStopped):
        return "spend_cap"
    return LIMITED if isinstance(error, RateLimited) else UNSEEN


def _retry_at(channel: Channel, client: PlatformClient, error: PlatformFailure, now: datetime) -> datetime:
    """When the call may be made again, on our clock; a budget's time is on it already."""
    if error.retry_at is None or isinstance(error, SpendStopped):
        return error.retry_at or now
    try:
        return channel_time(channel, client, now).wait_until(error.retry_at)
    except PlatformFailure:
        return now


def _wait_alone(
    db: Database, channel: Channel, publication_id: int, now: datetime, report: PublishReport
) -> None:
    """Let one publication wait: what the platform leaves unsaid of its post keeps no other reply back."""
    detail = "the platform does not say whether the post still stands"
    with db.transaction() as tx:
        report.deferred += tx.execute(
            "defer_publications", ids=[publication_id], until=now + UNSAID_AGAIN, reason_code=UNSEEN,
            detail=detail,
        )  # fmt: skip
    report.note(f"channel {channel.name}: {detail}")
