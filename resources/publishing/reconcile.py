"""Outcomes that were not seen: read the account back, settle what is found, never send again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rejoinder.ids import PublicationId
from rejoinder.posting.verdicts import DUPLICATE, READ_BACK_INTERVAL_S, Verdict, after_read_back
from resources.platforms.failures import PlatformFailure
from resources.platforms.port import PlatformClient, ReadBack
from resources.postgres import Database, Transaction
from resources.publishing.channel_time import ChannelTime, channel_time
from resources.publishing.report import PublishReport
from resources.publishing.send import arrival_of
from resources.store.channels import Channel
from resources.store.publications import (
    LONG_AGO,
    Arrival,
    Publication,
    lapse_sending,
    load_publication,
    notify,
)
from resources.store.settlements import hold_unknown, settle_part, settle_whole

TELL_AFTER = timedelta(minutes=10)
# Clocks differ by a little and platforms stamp whole seconds: search from somewhat before the attempt.
SEARCH_MARGIN = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Search:
    """What a read-back showed."""

    verdict: Verdict
    arrival: Arrival | None = None


def lapse(db: Database, now: datetime, report: PublishReport) -> None:
    """Move what a vanished publisher left in ``sending`` to ``unknown``."""
    with db.transaction() as tx:
        report.lapsed += len(lapse_sending(tx, now))


def reconcile_next(
    db: Database, channel: Channel, client: PlatformClient, *, now: datetime, report: PublishReport
) -> bool:
    """Read back the channel's next publication of unknown outcome; False when none is due.

    One bounded search: the adapters read so many pages and no more, each with a time limit.
    """
    with db.transaction() as tx:
        again_at = now + timedelta(seconds=READ_BACK_INTERVAL_S)
        publication_id = tx.value("claim_unknown", channel_id=channel.id, now=now, again_at=again_at)
        if publication_id is None:
            return False
        publication = load_publication(tx, PublicationId(publication_id))
        stood_at = tx.value("stood_before_doubt", id=publication_id, channel_id=channel.id)
    search = read_back(client, channel, publication, now=now, stood_at=stood_at)
    with db.transaction() as tx:
        if hold_unknown(tx, publication):
            settled = settle_part(tx, publication, search.verdict, search.arrival)
            whole = settle_whole(tx, settled, search.verdict, now, read_back_at=now)
            _tell(tx, publication, whole, now)
    _count(report, search.verdict)
    return True


def read_back(
    client: PlatformClient,
    channel: Channel,
    publication: Publication,
    *,
    now: datetime,
    stood_at: datetime | None = None,
) -> Search:
    """Search the account's own replies for the text of the part in hand under what that answers.

    stood_at is when a reply was taken that stood before the one in doubt was tried, by the platform's clock, if any.
    """
    try:
        seen = channel_time(channel, client, now)
        # When it searched a client says by its own clock: on a real platform that of this machine, wrong as it may be.
        own = seen if channel.is_sandbox else ChannelTime(now, client.now())
        since = _search_from(channel, publication, seen, stood_at) - SEARCH_MARGIN
        result = client.read_back(publication.answers, publication.part.text, since)
    except PlatformFailure as error:
        due_at = now + timedelta(seconds=READ_BACK_INTERVAL_S)
        reason_code = DUPLICATE if _is_duplicate(publication) else "read_back_incomplete"
        return Search(Verdict("unknown", due_at, reason_code, f"{error.kind}: {error.detail}"))
    verdict = _judge(result, publication, own, now)
    arrival = arrival_of(result.found, seen, channel, publication) if result.found else None
    return Search(verdict, arrival)


def _search_from(
    channel: Channel, publication: Publication, seen: ChannelTime, stood_at: datetime | None
) -> datetime:
    """A time of the platform's before the reply in doubt can have been taken.

    A sandbox's clock may have been moved on since the attempt, so its time then cannot be told from ours. But it never
    goes back, so what stood before was taken earlier: the post, the part before, the channel's last reply before the
    attempt. What is later than now is of another sandbox, or of a post that was imported, and tells nothing.
    """
    if not channel.is_sandbox:
        # Of several attempts any may be the one that arrived.
        is_repeated = publication.part.attempts > 1
        return seen.to_platform(publication.first_attempted_at if is_repeated else publication.attempted_at)
    above = [part.platform_sent_at for part in publication.parts[: publication.part.position]]
    before = [at for at in (*above, publication.parent.created_at, stood_at) if at and at <= seen.platform]
    return max(before, default=LONG_AGO)


def _judge(result: ReadBack, publication: Publication, own: ChannelTime, now: datetime) -> Verdict:
    return after_read_back(
        result.found is not None,
        attempted_at=publication.attempted_at,
        searched_until=own.to_ours(result.searched_until),
        is_complete=result.is_complete,
        now=now,
        is_duplicate=_is_duplicate(publication),
    )


def _is_duplicate(publication: Publication) -> bool:
    return publication.part.reason_code == DUPLICATE


def _tell(tx: Transaction, publication: Publication, verdict: Verdict, now: datetime) -> None:
    if verdict.state == "refused":
        notify(tx, "refused", f"reply {publication.id}: {verdict.detail}", "publication", publication.id)
    if verdict.state != "unknown":
        return
    about = f"reply {publication.id}: {verdict.detail}"
    if verdict.needs_person:
        notify(tx, "unknown_absent", about, "publication", publication.id)
    elif now - publication.attempted_at > TELL_AFTER:
        notify(tx, "unknown_outcome", about, "publication", publication.id)


def _count(report: PublishReport, verdict: Verdict) -> None:
    if verdict.state == "sent":
        report.found += 1
    elif verdict.state == "refused":
        report.refused += 1
    elif verdict.needs_person:
        report.absent += 1
    else:
        report.still_unknown += 1
