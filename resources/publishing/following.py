"""Going on with a thread: the next part is asked about like a reply of its own, and committed before its request.

A thread stays ``sending`` while its parts go out. Where the next one may not follow at once the thread goes back to
``queued``; whoever claims it then begins with the first part that does not stand.
"""

from datetime import datetime

import psycopg

from rejoinder.posting.pacing import RateWindow
from rejoinder.posting.verdicts import Verdict
from resources.postgres import Transaction
from resources.publishing.clock import Clock
from resources.publishing.money import book_reply
from resources.publishing.pacing import OF_BEGINNINGS, count_call, lock_windows, pace_of
from resources.publishing.switch import Pause
from resources.store.channels import Channel
from resources.store.publications import Publication
from resources.store.settlements import go_on


class _NotNow(Exception):
    """The next part has to be put back: the savepoint is rolled back."""

    def __init__(self, reason_code: str, detail: str, until: datetime) -> None:
        super().__init__(detail)
        self.verdict = Verdict("queued", until, reason_code, detail)


def follow(
    tx: Transaction,
    channel: Channel,
    publication: Publication,
    *,
    clock: Clock,
    worker: int,
    lease_s: float,
    pause: Pause | None,
) -> Publication | Verdict:
    """Take the next part of a thread in hand, in the transaction that settles the one before it.

    Args:
        tx: it holds the publication, whose part is settled as sent.
        channel: of the publication.
        publication: as it was when the settled part went out.
        clock: our time.
        worker: who sends it.
        lease_s: how long the worker has for the next part.
        pause: in force, if any; the switch is held.

    Returns:
        The publication with its next part ``sending``; or why it waits, with the time until when.
    """
    windows = _windows(tx, channel, clock.now())
    now = clock.look(tx)
    pace = pace_of(windows, now)
    if pause:
        return Verdict("queued", now, "paused", str(pause))
    if pace.allowed_from > now:
        detail = f"the next part may follow at {pace.allowed_from:%Y-%m-%d %H:%M:%S} UTC"
        return Verdict("queued", pace.allowed_from, pace.reason_code, detail)
    try:
        with tx.connection.transaction():
            following = _begin(tx, publication, now=now, worker=worker, lease_s=lease_s)
    except _NotNow as why:
        return why.verdict
    except psycopg.errors.InsufficientPrivilege:
        return Verdict("queued", now, "approval_void", "the approval does not count any more")
    count_call(tx, channel, now)
    return following


def _windows(tx: Transaction, channel: Channel, now: datetime) -> list[RateWindow]:
    """The windows of the account, held, but for what keeps the next reply back: a thread is one."""
    return [each for each in lock_windows(tx, channel, now) if not each.name.endswith(OF_BEGINNINGS)]


def _begin(
    tx: Transaction, publication: Publication, *, now: datetime, worker: int, lease_s: float
) -> Publication:
    following = go_on(tx, publication, worker=worker, lease_s=lease_s)
    if following is None:
        raise _NotNow("withdrawn", "the post was deleted, or its author asked not to be answered", now)
    if stop := book_reply(tx, following, now):
        raise _NotNow("spend_cap", stop.detail, now)
    return following
