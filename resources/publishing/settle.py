"""Writing down how an attempt ended: one transaction, by the holder of the lease only."""

from datetime import datetime, timedelta

from rejoinder.posting.verdicts import MAX_BACKOFF_S
from resources.postgres import Database, Transaction
from resources.publishing.money import NOT_TAKEN, take_back_reply
from resources.publishing.pacing import correct_windows, hold_channel, midnight_before
from resources.publishing.report import PublishReport
from resources.publishing.send import Outcome
from resources.store.channels import Channel
from resources.store.publications import Publication, notify, settle_attempt

# After these the next reply of the channel would end the same way: the channel waits, not only the reply.
CHANNEL_WIDE = frozenset({"rate_limited", "unreachable", "auth_expired"})
USAGE_CAPPED = "usage_capped"


def settle(
    db: Database,
    channel: Channel,
    publication: Publication,
    outcome: Outcome,
    *,
    now: datetime,
    worker: int,
    max_attempts: int,
    report: PublishReport,
) -> None:
    """Commit the outcome of an attempt, with everything that follows from it.

    Raises:
        LeaseLost: others moved the publication on; its outcome is theirs to find.
    """
    with db.transaction() as tx:
        settle_attempt(tx, publication, outcome.verdict, outcome.arrival, worker)
        if outcome.verdict.state in NOT_TAKEN:
            take_back_reply(tx, publication, now)
        _keep_pace(tx, channel, outcome, now)
        _tell(tx, publication, outcome, now, max_attempts)
    _count(report, outcome)


def _keep_pace(tx: Transaction, channel: Channel, outcome: Outcome, now: datetime) -> None:
    verdict = outcome.verdict
    if outcome.time and outcome.windows:
        correct_windows(tx, channel, outcome.windows, outcome.time)
    if verdict.state == "queued" and verdict.due_at and verdict.reason_code in CHANNEL_WIDE:
        hold_channel(tx, channel, verdict.due_at, now, verdict.reason_code)
    if verdict.reason_code == USAGE_CAPPED:
        until = now + timedelta(seconds=MAX_BACKOFF_S)
        hold_channel(tx, channel, until, now, USAGE_CAPPED)


def _tell(
    tx: Transaction, publication: Publication, outcome: Outcome, now: datetime, max_attempts: int
) -> None:
    verdict = outcome.verdict
    if verdict.state == "refused":
        notify(tx, "refused", f"reply {publication.id}: {verdict.detail}", "publication", publication.id)
    elif verdict.reason_code == "auth_expired":
        notify(
            tx,
            "auth_expired",
            verdict.detail,
            "channel",
            publication.channel_id,
            since=midnight_before(now),
        )
    elif verdict.state == "queued" and publication.attempts == max_attempts:
        message = f"reply {publication.id} was not taken {max_attempts} times: {verdict.detail}"
        notify(tx, "keeps_failing", message, "publication", publication.id)


def _count(report: PublishReport, outcome: Outcome) -> None:
    verdict = outcome.verdict
    if verdict.state == "sent":
        report.sent += 1
        return
    report.note(f"{verdict.reason_code}: {verdict.detail}")
    if verdict.state == "refused":
        report.refused += 1
    elif verdict.state == "unknown":
        report.unknown += 1
    else:
        report.requeued += 1
