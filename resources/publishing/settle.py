"""Writing down how an attempt ended: one transaction, by the holder of the lease only."""

from datetime import datetime, timedelta

from rejoinder.posting.verdicts import MAX_BACKOFF_S, Verdict
from resources.postgres import Database, Transaction
from resources.publishing.clock import Clock
from resources.publishing.following import follow
from resources.publishing.money import NOT_TAKEN, take_back_reply
from resources.publishing.pacing import correct_windows, hold_channel
from resources.publishing.report import PublishReport
from resources.publishing.send import Outcome
from resources.publishing.switch import hold_switch
from resources.store.channels import Channel
from resources.store.publications import Publication, notify
from resources.store.settlements import hold_attempt, settle_part, settle_whole

# After these the next reply of the channel would end the same way: the channel waits, not only the reply.
CHANNEL_WIDE = frozenset({"rate_limited", "unreachable", "auth_expired"})
USAGE_CAPPED = "usage_capped"


def settle(
    db: Database,
    channel: Channel,
    publication: Publication,
    outcome: Outcome,
    *,
    clock: Clock,
    worker: int,
    lease_s: float,
    max_attempts: int,
    report: PublishReport,
    is_stopping: bool = False,
) -> Publication | None:
    """Commit the outcome of an attempt at the part in hand, with everything that follows from it.

    While is_stopping no further part of a thread is begun: it goes back to the queue, and goes out first after that.
    Locks are taken in the order of a claim, switch, windows, money, so that nobody waits crosswise.

    Returns:
        The publication with its next part ``sending``, under a lease that begins now; None where nothing follows.

    Raises:
        LeaseLost: others moved the publication on; its outcome is theirs to find.
    """
    now = clock.now()
    is_begun = outcome.verdict.state == "sent" and publication.n_sent + 1 < len(publication.parts)
    with db.transaction() as tx, tx.pipelined():
        pause = hold_switch(tx, channel) if is_begun else None
        hold_attempt(tx, publication, worker)
        settled = settle_part(tx, publication, outcome.verdict, outcome.arrival)
        _keep_pace(tx, channel, outcome, now)
        if outcome.verdict.state in NOT_TAKEN:
            take_back_reply(tx, publication, now)
        following: Publication | Verdict = outcome.verdict
        if is_begun and is_stopping:
            following = Verdict("queued", now, "stopped", "the publisher was stopped between two parts")
        elif is_begun:
            following = follow(tx, channel, settled, clock=clock, worker=worker, lease_s=lease_s, pause=pause)
        if isinstance(following, Verdict):
            whole = settle_whole(tx, settled, following, now)
            _tell(tx, publication, whole, max_attempts)
    _count(report, outcome.verdict, is_begun=is_begun)
    return following if isinstance(following, Publication) else None


def _keep_pace(tx: Transaction, channel: Channel, outcome: Outcome, now: datetime) -> None:
    verdict = outcome.verdict
    if outcome.time and outcome.windows:
        correct_windows(tx, channel, outcome.windows, outcome.time)
    if verdict.state == "queued" and verdict.due_at and verdict.reason_code in CHANNEL_WIDE:
        hold_channel(tx, channel, verdict.due_at, now, verdict.reason_code)
    if verdict.reason_code == USAGE_CAPPED:
        until = now + timedelta(seconds=MAX_BACKOFF_S)
        hold_channel(tx, channel, until, now, USAGE_CAPPED)


def _tell(tx: Transaction, publication: Publication, verdict: Verdict, max_attempts: int) -> None:
    if verdict.state == "refused":
        notify(tx, "refused", f"reply {publication.id}: {verdict.detail}", "publication", publication.id)
    elif verdict.reason_code == "auth_expired":
        notify(tx, "auth_expired", verdict.detail, "channel", publication.channel_id)
    elif verdict.state == "queued" and publication.part.attempts == max_attempts:
        message = f"reply {publication.id} was not taken {max_attempts} times: {verdict.detail}"
        notify(tx, "keeps_failing", message, "publication", publication.id)


def _count(report: PublishReport, verdict: Verdict, *, is_begun: bool) -> None:
    if verdict.state == "sent":
        report.parts += is_begun
        report.sent += not is_begun
        return
    report.note(f"{verdict.reason_code}: {verdict.detail}")
    if verdict.state == "refused":
        report.refused += 1
    elif verdict.state == "unknown":
        report.unknown += 1
    else:
        report.requeued += 1
