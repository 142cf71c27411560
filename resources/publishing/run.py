"""One pass of the publisher, and the loop that makes passes until it is stopped."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from rejoinder.errors import ConfigInvalid, LeaseLost, ServiceUnavailable
from resources.clients import OpenClient
from resources.living_worker import Worker, living_worker
from resources.platforms.port import PlatformClient
from resources.postgres import Database, outage
from resources.publishing.claim import Idle, claim
from resources.publishing.parents import Look, look_at_next, seen_since_of
from resources.publishing.reconcile import lapse, reconcile_next
from resources.publishing.report import PublishReport
from resources.publishing.send import send
from resources.publishing.settle import settle
from resources.store.channels import Channel, enabled_channels, write_credential
from resources.store.publications import Publication, cancel_withdrawn
from resources.tuning import PublishTuning, Tuning
from resources.work.runner import Progress
from resources.work.stopping import StopSignal

log = logging.getLogger("rejoinder.publishing")

POLL_S = 1.0
OUTAGE_WAIT_S = 5.0


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


def publish_due(
    db: Database,
    *,
    open_client: OpenClient,
    tuning: Tuning,
    stop: StopSignal,
    progress: Progress | None = None,
    now: Callable[[], datetime] = utc_now,
) -> PublishReport:
    """Send everything that is due, once, and read back what was not seen; then return.

    Safe to run side by side and after a crash. A stop finishes the reply in hand.

    Args:
        db: as the publisher's login, which alone may read write credentials.
        open_client: makes or gives the client of a channel.
        tuning: the stage ``publish`` counts: timeout_s is the lease, backoff_s the first wait.
        stop: asked between two replies.
        progress: told of each reply that came to an outcome.
        now: our clock; the channel's own comes from its client.

    Raises:
        ServiceUnavailable: PostgreSQL went away; a reply in hand is read back by the next pass.
    """
    report = PublishReport()
    started = time.monotonic()
    try:
        with living_worker(db.url) as worker:
            _Pass(db, open_client, tuning.stage("publish"), stop, progress, now, report, worker).run()
    except psycopg.OperationalError as error:
        raise outage(error) from None
    report.seconds = time.monotonic() - started
    report.is_stopped = stop.is_set()
    return report


def publish_loop(
    db: Database,
    *,
    open_client: OpenClient,
    tuning: Tuning,
    stop: StopSignal,
    progress: Progress | None = None,
    poll_s: float = POLL_S,
    on_pass: Callable[[PublishReport], None] | None = None,
    now: Callable[[], datetime] = utc_now,
) -> PublishReport:
    """Make a pass whenever something is due, until a stop is asked for; everything that was done.

    An outage of PostgreSQL is waited out.
    """
    total = PublishReport()
    while not stop.is_set():
        try:
            if count_due(db, now):
                report = publish_due(
                    db, open_client=open_client, tuning=tuning, stop=stop, progress=progress, now=now
                )
                total.add(report)
                if on_pass:
                    on_pass(report)
        except (ServiceUnavailable, psycopg.OperationalError) as error:
            log.warning("%s: trying again in %g s", error, OUTAGE_WAIT_S)
            stop.wait(OUTAGE_WAIT_S)
        stop.wait(poll_s)
    total.is_stopped = True
    return total


def count_due(db: Database, now: Callable[[], datetime] = utc_now) -> int:
    """How many publications a pass would look at."""
    with db.transaction() as tx:
        return int(tx.value("count_due_publications", now=now()))


@dataclass(slots=True)
class _Pass:
    """The parts of one publish_due call."""

    db: Database
    open_client: OpenClient
    tuning: PublishTuning
    stop: StopSignal
    progress: Progress | None
    now: Callable[[], datetime]
    report: PublishReport
    worker: Worker

    def run(self) -> None:
        """Lapse, cancel, read back and send, channel by channel."""
        lapse(self.db, self.now(), self.report)
        with self.db.transaction() as tx:
            self.report.cancelled += cancel_withdrawn(tx)
            channels = enabled_channels(tx)
        for channel in channels:
            client = self._client(channel)
            if client:
                self._reconcile(channel, client)
                self._publish(channel, client)

    def _client(self, channel: Channel) -> PlatformClient | None:
        try:
            with self.db.transaction() as tx:
                credential = write_credential(tx, channel.id)
            return self.open_client(channel, credential)
        except ConfigInvalid as error:
            self.report.note(f"channel {channel.name}: {error}")
            return None

    def _reconcile(self, channel: Channel, client: PlatformClient) -> None:
        while not self.stop.is_set():
            if not reconcile_next(self.db, channel, client, now=self.now(), report=self.report):
                return
            self._tell_progress()

    def _publish(self, channel: Channel, client: PlatformClient) -> None:
        while not self.stop.is_set():
            if not self.worker.is_alive():
                raise ServiceUnavailable("PostgreSQL went away: the publisher's own connection is lost")
            now = self.now()
            seen_since = seen_since_of(client, now)
            look = self._look(channel, client, now, seen_since)
            if look == "away":
                return
            if look == "looked":
                continue
            deadline_s = time.monotonic() + self.tuning.timeout_s
            claimed = claim(
                self.db,
                channel,
                now=self.now(),
                worker=self.worker.number,
                lease_s=self.tuning.timeout_s,
                seen_since=seen_since,
            )
            if isinstance(claimed, Idle):
                if self._is_over(claimed):
                    return
                continue
            self._finish(channel, client, claimed, deadline_s)
            self._tell_progress()

    def _look(
        self, channel: Channel, client: PlatformClient, now: datetime, seen_since: datetime | None
    ) -> Look:
        if seen_since is None:
            return "seen"
        return look_at_next(self.db, channel, client, now=now, seen_since=seen_since, report=self.report)

    def _is_over(self, idle: Idle) -> bool:
        if idle.why in ("deferred", "kept_back"):
            self.report.deferred += idle.count
        if idle.why == "cancelled":
            self.report.cancelled += idle.count
        return idle.why not in ("cancelled", "kept_back")

    def _finish(
        self, channel: Channel, client: PlatformClient, publication: Publication, deadline_s: float
    ) -> None:
        try:
            outcome = send(
                client,
                channel,
                publication,
                now=self.now(),
                deadline_s=deadline_s,
                backoff_s=max(self.tuning.backoff_s, 1.0),
            )
            settle(
                self.db,
                channel,
                publication,
                outcome,
                now=self.now(),
                worker=self.worker.number,
                max_attempts=self.tuning.max_attempts,
                report=self.report,
            )
        except LeaseLost as error:
            self.report.lease_lost += 1
            self.report.note(str(error))

    def _tell_progress(self) -> None:
        if self.progress:
            self.progress(1)
