"""One request, for the part in hand, and what it proves."""

import logging
import time
from dataclasses import dataclass, replace
from datetime import datetime

from rejoinder.errors import InputUnreadable, LeaseLost
from rejoinder.posting.handoff import reddit_permalink
from rejoinder.posting.pacing import RateWindow
from rejoinder.posting.verdicts import Failure, Verdict, after_failure
from resources.platforms.failures import PlatformFailure
from resources.platforms.port import PlatformClient, Sent
from resources.publishing.channel_time import ChannelTime, channel_time
from resources.store.channels import Channel
from resources.store.publications import Arrival, Publication

log = logging.getLogger("rejoinder.publishing")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt at a part ended; time is None where the platform's clock could not be read (nothing was sent)."""

    verdict: Verdict
    arrival: Arrival | None = None
    time: ChannelTime | None = None
    windows: tuple[RateWindow, ...] = ()


def send(
    client: PlatformClient,
    channel: Channel,
    publication: Publication,
    *,
    now: datetime,
    deadline_s: float,
    backoff_s: float,
) -> Outcome:
    """Send the part in hand of a claimed publication with exactly one request, outside any transaction.

    An error that nobody foresaw counts as an outcome that was not seen: it may have come after the
    platform took the text.

    Args:
        client: of the channel, with its write credential.
        channel: the publication's channel.
        publication: claimed by this worker.
        now: the time of the claim.
        deadline_s: ``time.monotonic()`` at which the lease runs out; nothing is sent after it.
        backoff_s: seconds to wait after a first failure.

    Raises:
        LeaseLost: the lease ran out before the request; others may have moved the publication on.
    """
    seen = _read_clock(channel, client, now)
    if not isinstance(seen, ChannelTime):
        return Outcome(_judge(seen, publication, now, None, backoff_s))
    if time.monotonic() >= deadline_s:
        raise LeaseLost(f"publication {publication.id}: its lease ran out before it was sent")
    try:
        sent = client.publish(publication.answers, publication.part.text)
    except PlatformFailure as error:
        retry_at = seen.wait_until(error.retry_at) if error.retry_at else None
        return Outcome(_judge(error.as_failure(), publication, now, retry_at, backoff_s), time=seen)
    except Exception as error:
        log.exception("publication %s: an unforeseen error while sending", publication.id)
        failure = Failure("outcome_unknown", "", f"unforeseen: {type(error).__name__}")
        return Outcome(_judge(failure, publication, now, None, backoff_s), time=seen)
    verdict = Verdict("sent", None, "sent", "accepted by the platform")
    return Outcome(verdict, arrival_of(sent, seen, channel, publication), seen, sent.rate_windows)


def _read_clock(channel: Channel, client: PlatformClient, now: datetime) -> ChannelTime | Failure:
    try:
        return channel_time(channel, client, now)
    except PlatformFailure as error:
        return error.as_failure()


def _judge(
    failure: Failure, publication: Publication, now: datetime, retry_at: datetime | None, backoff_s: float
) -> Verdict:
    return after_failure(
        failure,
        attempts=publication.part.attempts,
        now=now,
        retry_at=retry_at,
        backoff_s=backoff_s,
        was_unknown=publication.part.was_unknown,
    )


def arrival_of(sent: Sent, time_seen: ChannelTime, channel: Channel, publication: Publication) -> Arrival:
    """Where a sent part stands, on both clocks."""
    return Arrival(
        platform_id=sent.platform_id,
        platform_url=reply_url(channel, publication, sent.platform_id),
        # Platforms stamp whole seconds, and a sandbox's clock may have been moved since.
        sent_at=max(time_seen.to_ours(sent.sent_at), publication.attempted_at),
        platform_sent_at=sent.sent_at,
    )


def reply_url(channel: Channel, publication: Publication, platform_id: str) -> str | None:
    """The page of a reply; on the sandbox the sandbox's own page."""
    if channel.is_sandbox:
        return channel.base_url
    if channel.platform == "x":
        return f"https://x.com/i/status/{platform_id}"
    parent = publication.parent
    is_submission = parent.platform_post_id.startswith("t3_")
    thread = parent.platform_post_id if is_submission else parent.conversation_id
    try:
        return reddit_permalink(
            replace(parent, platform_post_id=platform_id, conversation_id=thread, url=None)
        )
    except InputUnreadable:
        return None
