"""One pass of the publisher, and the loop that makes passes until it is stopped.

A pass gives every channel that may send one turn after the other (`resources/publishing/lanes.py`): a turn is one
read-back, or one reply. So a channel with thousands of replies keeps nobody waiting, and a platform that hangs only
its own account.
"""

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from rejoinder.errors import ConfigInvalid, LeaseLost, ServiceUnavailable
from resources.clients import OpenClient
from resources.living_worker import Worker, living_worker
from resources.platforms.port import PlatformClient
from resources.postgres import Database, is_outage, outage
from resources.publishing.claim import Idle, claim
from resources.publishing.clock import Clock, ReadTime, database_time
from resources.publishing.lanes import Line
from resources.publishing.outlook import count_due, longest_waiting, read_outlook
from resources.publishing.pacing import forget_calls
from resources.publishing.parents import Look, look_at_next, seen_since_of
from resources.publishing.reconcile import lapse, reconcile_next
from resources.publishing.report import PublishReport, told
from resources.publishing.resting import Rest
from resources.publishing.send import Outcome, send
from resources.publishing.settle import settle
from resources.sealing.keys import KeysAway
from resources.store.channels import Channel, write_credential
from resources.store.publications import Publication, cancel_withdrawn
from resources.tuning import PublishTuning, Tuning
from resources.work.runner import Progress
from resources.work.stopping import StopSignal

log = logging.getLogger("rejoinder.publishing")

POLL_S = 1.0
OUTAGE_WAIT_S = 5.0
# The loop's passes are short, so that no account waits long because another has much to send.
LONGEST_PASS_S = 10.0
# So long after a stop a thread still goes on: half a thread is ugly, but whoever stops us waits no longer than this.
FINISH_THREAD_S = 10.0


def publish_due(
    db: Database,
    *,
    open_client: OpenClient,
    tuning: Tuning,
    stop: StopSignal,
    progress: Progress | None = None,
    clock: Clock | None = None,
    draw: Callable[[], float] = random.random,
    longest_s: float = math.inf,
) -> PublishReport:
    """Send everything that is due, once, and read back what was not seen; then return.

    Safe to run side by side and after a crash. A stop finishes the reply in hand, and a thread as far as ten seconds
    allow; the rest of it goes out first next time.

    Args:
        db: as the publisher's login, which alone may read write credentials.
        open_client: makes or gives the client of a channel.
        tuning: the stage ``publish`` counts: timeout_s is the lease, backoff_s the first wait.
        stop: asked between two replies.
        progress: told of each reply that came to an outcome.
        clock: ours, by default the database's; the channel's own comes from its client.
        draw: random numbers from 0 to 1, for the intervals between replies.
        longest_s: no reply is begun later than so many seconds after the pass.

    Raises:
        ServiceUnavailable: PostgreSQL went away; a reply in hand is read back by the next pass.
    """
    report, clock = PublishReport(), clock or Clock()
    started = time.monotonic()
    try:
        with db.transaction() as tx:
            clock.look(tx)
        with living_worker(db.url) as worker:
            stage, ends_s = tuning.stage("publish"), started + longest_s
            _Pass(db, open_client, stage, stop, progress, clock, draw, report, worker, ends_s).run()
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
    read_time: ReadTime = database_time,
) -> PublishReport:
    """Make a pass whenever something is due, until a stop is asked for; everything that was done.

    An outage of PostgreSQL is waited out.
    """
    total = PublishReport()
    rest = Rest(poll_s)
    while not stop.is_set():
        try:
            due = count_due(db, read_time)
            if rest.is_over(due):
                report = publish_due(
                    db,
                    open_client=open_client,
                    tuning=tuning,
                    stop=stop,
                    progress=progress,
                    clock=Clock(read_time),
                    longest_s=LONGEST_PASS_S,
                )
                total.add(report)
                if on_pass:
                    on_pass(report)
                rest.note(due, has_done=report.items > 0)
        except (ServiceUnavailable, psycopg.OperationalError) as error:
            log.warning("%s: trying again in %g s", error, OUTAGE_WAIT_S)
            stop.wait(OUTAGE_WAIT_S)
        stop.wait(poll_s)
    total.is_stopped = True
    return total


@dataclass(slots=True)
class _Pass:
    """The parts of one publish_due call; what threads share is changed under the lock."""

    db: Database
    open_client: OpenClient
    tuning: PublishTuning
    stop: StopSignal
    progress: Progress | None
    clock: Clock
    draw: Callable[[], float]
    report: PublishReport
    worker: Worker
    ends_s: float
    clients: dict[int, PlatformClient | None] = field(default_factory=dict)
    read_back: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Lapse and cancel, then give every channel turns until nothing is due or may leave."""
        lapse(self.db, self.clock.now(), self.report)
        with self.db.transaction() as tx:
            self.report.cancelled += cancel_withdrawn(tx)
            forget_calls(tx, self.clock.now())
            channels = longest_waiting(tx, self.clock.now())
        Line(channels, ends_s=self.ends_s).take_turns(self._turn)
        with self.db.transaction() as tx:
            self.report.deferred += sum(one.waiting for one in read_outlook(tx, self.clock.now()))

    def _turn(self, channel: Channel) -> bool:
        """One read-back or one reply of a channel; whether it wants another turn."""
        if self.stop.is_set():
            return False
        mine = PublishReport()
        try:
            return self._one(channel, mine)
        except Exception as error:
            if is_outage(error):
                raise
            mine.note(f"channel {channel.name}: {told(error)}")
            return False
        finally:
            with self.lock:
                self.report.add(mine)
                if self.progress and mine.items:
                    self.progress(mine.items)

    def _one(self, channel: Channel, report: PublishReport) -> bool:
        client = self._client(channel, report)
        if client is None:
            return False
        if channel.id not in self.read_back:
            if reconcile_next(self.db, channel, client, now=self.clock.now(), report=report):
                return True
            self.read_back.add(channel.id)
        if self._publish(channel, client, report):
            return True
        self.read_back.discard(channel.id)  # it may be asked again while another account's turn goes on
        return False

    def _client(self, channel: Channel, report: PublishReport) -> PlatformClient | None:
        if channel.id not in self.clients:
            try:
                with self.db.transaction() as tx:
                    credential = write_credential(tx, channel.id)
                self.clients[channel.id] = self.open_client(channel, credential)
            except (ConfigInvalid, KeysAway) as error:
                report.note(f"channel {channel.name}: {error}")
                self.clients[channel.id] = None
        return self.clients[channel.id]

    def _publish(self, channel: Channel, client: PlatformClient, report: PublishReport) -> bool:
        if not self.worker.is_alive():
            raise ServiceUnavailable("PostgreSQL went away: the publisher's own connection is lost")
        seen_since = seen_since_of(client, self.clock.now())
        look = self._look(channel, client, seen_since, report)
        if look != "seen":
            return look == "looked"
        deadline_s = time.monotonic() + self.tuning.timeout_s
        claimed = claim(
            self.db,
            channel,
            clock=self.clock,
            worker=self.worker.number,
            lease_s=self.tuning.timeout_s,
            draw=self.draw,
            seen_since=seen_since,
        )
        if isinstance(claimed, Idle):
            return self._goes_on(claimed, report)
        self._finish(channel, client, claimed, deadline_s, report)
        return True

    def _look(
        self,
        channel: Channel,
        client: PlatformClient,
        seen_since: datetime | None,
        report: PublishReport,
    ) -> Look:
        if seen_since is None:
            return "seen"
        return look_at_next(self.db, channel, client, clock=self.clock, seen_since=seen_since, report=report)

    def _goes_on(self, idle: Idle, report: PublishReport) -> bool:
        if idle.why == "kept_back":
            report.deferred += idle.count
        if idle.why == "cancelled":
            report.cancelled += idle.count
        return idle.why in ("cancelled", "kept_back")

    def _finish(
        self,
        channel: Channel,
        client: PlatformClient,
        publication: Publication,
        deadline_s: float,
        report: PublishReport,
    ) -> None:
        """Send what was claimed, part by part."""
        in_hand: Publication | None = publication
        try:
            while in_hand:
                outcome = send(
                    client,
                    channel,
                    in_hand,
                    now=self.clock.now(),
                    deadline_s=deadline_s,
                    backoff_s=max(self.tuning.backoff_s, 1.0),
                )
                deadline_s = time.monotonic() + self.tuning.timeout_s
                in_hand = self._settle(channel, in_hand, outcome, report)
        except LeaseLost as error:
            report.lease_lost += 1
            report.note(str(error))

    def _settle(
        self, channel: Channel, publication: Publication, outcome: Outcome, report: PublishReport
    ) -> Publication | None:
        return settle(
            self.db,
            channel,
            publication,
            outcome,
            clock=self.clock,
            worker=self.worker.number,
            lease_s=self.tuning.timeout_s,
            is_stopping=self.stop.since_s() > FINISH_THREAD_S,
            max_attempts=self.tuning.max_attempts,
            report=report,
        )
