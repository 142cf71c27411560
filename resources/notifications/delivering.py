"""Delivering: one pass over what is to be told, and a loop of passes.

At least once: a message whose answer was lost is sent again under the same id. Two deliverers never hold one message.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rejoinder.errors import RejoinderError, ServiceUnavailable
from rejoinder.notices.backoff import next_try
from rejoinder.notices.notice import Notice
from resources.notifications.message import Message, NotTaken, Sink
from resources.notifications.outbox import (
    Claimed,
    claim,
    count_to_deliver,
    drop_outlived,
    drop_removed,
    forget_told,
    gather,
)
from resources.notifications.sinks import open_sink
from resources.notifications.watching import count_to_watch, watch
from resources.postgres import Database
from resources.tuning_notifications import Notifications, SinkTuning
from resources.work.stopping import StopSignal

log = logging.getLogger("rejoinder.notifications")

# What a lease has beyond the time that a message may take: looking names up, connecting to one address after another.
LEASE_MARGIN_S = 60.0
LONGEST_REST_S = 300.0
MESSAGES_IN_A_PASS = 200


@dataclass(slots=True)
class DeliveryReport:
    """What a pass did: notices written because time went by, notices that ended, messages by outcome, why not.

    dropped: messages that nobody is sent, as their sink is gone or their trouble was over first.
    """

    overdue: int = 0
    ended: int = 0
    made: int = 0
    sent: int = 0
    failed: int = 0
    dead: int = 0
    dropped: int = 0
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ground:
    """What delivering stands on; clock, chance and sinks are given, for tests too."""

    db: Database
    tuning: Notifications
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Callable[[], float] = random.random
    open_sink: Callable[[SinkTuning, float], Sink] = open_sink


def count_due(db: Database, tuning: Notifications, now: datetime) -> int:
    """How much there is to tell, to end and to send."""
    return count_to_watch(db, now) + count_to_deliver(db, tuning.sinks, now)


def deliver_due(ground: Ground, *, stop: StopSignal | None = None) -> DeliveryReport:
    """One pass: look what time brought, put messages together, send what is due.

    A sink that does not take a message rests for a while, the others go on.

    Raises:
        ServiceUnavailable: PostgreSQL went away; what was sent and could not be noted is sent again.
    """
    report = DeliveryReport()
    report.overdue, report.ended = watch(ground.db, ground.now())
    with ground.db.transaction() as tx:
        buried = tx.rows("bury_deliveries", max_attempts=ground.tuning.max_attempts, now=ground.now())
    report.dead += len(buried)
    report.dropped += drop_removed(ground.db, ground.tuning.sinks, ground.now())
    for sink in ground.tuning.sinks:
        report.dropped += drop_outlived(ground.db, sink, ground.now())
        report.made += gather(ground.db, sink, ground.now())
        _drain(ground, sink, report, stop)
    if forgotten := forget_told(ground.db, ground.now()):
        log.info("%d messages of long ago were forgotten", forgotten)
    return report


def _drain(ground: Ground, sink: SinkTuning, report: DeliveryReport, stop: StopSignal | None) -> None:
    lease_s = ground.tuning.timeout_s * sink.exchanges + LEASE_MARGIN_S
    for _ in range(MESSAGES_IN_A_PASS):
        if stop is not None and stop.is_set():
            return
        claimed = claim(
            ground.db, sink, ground.now(), lease_s=lease_s, max_attempts=ground.tuning.max_attempts
        )
        if claimed is None:
            return
        try:
            _send(ground, sink, claimed)
        except (NotTaken, RejoinderError) as error:
            _note_failure(ground, sink, claimed, error, report)
        else:
            _note_sent(ground, sink, claimed)
            report.sent += 1


def _send(ground: Ground, sink: SinkTuning, claimed: Claimed) -> None:
    tuning = ground.tuning
    message = Message(claimed.id, claimed.event, claimed.notices, tuning.name, tuning.review_app or None)
    try:
        ground.open_sink(sink, tuning.timeout_s).send(message)
    except (NotTaken, RejoinderError):
        raise
    except Exception as error:  # a library's own trouble with odd values; its words might quote an address
        raise NotTaken(f"sending broke down ({type(error).__name__})") from None


def _note_sent(ground: Ground, sink: SinkTuning, claimed: Claimed) -> None:
    with ground.db.transaction() as tx:
        tx.row(
            "settle_delivery",
            id=claimed.id,
            attempts=claimed.attempts,
            state="sent",
            due_at=None,
            last_error=None,
            now=ground.now(),
        )
        tx.execute("wake_sink", sink=sink.name)


def _note_failure(
    ground: Ground, sink: SinkTuning, claimed: Claimed, error: Exception, report: DeliveryReport
) -> None:
    asked_s = error.asked_s if isinstance(error, NotTaken) else None
    is_final = isinstance(error, NotTaken) and error.is_final
    is_dead = is_final or claimed.attempts >= ground.tuning.max_attempts
    now = ground.now()
    due_at = next_try(claimed.attempts, now, chance=ground.chance(), asked_s=asked_s)
    with ground.db.transaction() as tx:
        tx.row(
            "settle_delivery",
            id=claimed.id,
            attempts=claimed.attempts,
            state="dead" if is_dead else "pending",
            due_at=due_at,
            last_error=str(error)[:300],
            now=now,
        )
        if not is_final:
            failures = int(tx.value("sink_failures", sink=sink.name)) + 1
            rests = next_try(failures, now, chance=ground.chance(), asked_s=asked_s, longest_s=LONGEST_REST_S)
            tx.execute("rest_sink", sink=sink.name, until_at=rests)
    report.dead += is_dead
    report.failed += not is_dead
    report.errors[sink.name] = str(error)
    log.warning("message %s to %s was not taken: %s", claimed.id, sink.name, error)


def deliver_loop(
    ground: Ground, stop: StopSignal, *, on_pass: Callable[[DeliveryReport], None] | None = None
) -> DeliveryReport:
    """Deliver until stopped; an outage of PostgreSQL is waited out. The sum of all passes."""
    total = DeliveryReport()
    while not stop.is_set():
        try:
            report = deliver_due(ground, stop=stop)
        except ServiceUnavailable as error:
            log.warning("%s", error)
        else:
            _add(total, report)
            if on_pass:
                on_pass(report)
        stop.wait(ground.tuning.interval_s)
    return total


def _add(total: DeliveryReport, report: DeliveryReport) -> None:
    for name in ("overdue", "ended", "made", "sent", "failed", "dead", "dropped"):
        setattr(total, name, getattr(total, name) + getattr(report, name))
    total.errors |= report.errors


def send_test(ground: Ground, sink: SinkTuning) -> None:
    """Send a test straight to a sink, past the outbox; an incident that it opens is resolved at once.

    Raises:
        NotTaken: it does not arrive; the message says why.
    """
    now = ground.now()
    notice = Notice(0, "test", "This is a test: notifications arrive here.", None, None, now, now)
    number = -int(now.timestamp())
    opened = ground.open_sink(sink, ground.tuning.timeout_s)
    name, address = ground.tuning.name, ground.tuning.review_app or None
    opened.send(Message(number, "began", (notice,), name, address))
    if sink.in_one == 1:
        opened.send(Message(number - 1, "ended", (notice,), name, address))


def retry_dead(db: Database, sink: str | None, now: datetime) -> int:
    """Make dead messages due at once, of one sink or of all; how many."""
    with db.transaction() as tx:
        tx.execute("wake_sinks", sink=sink)
        return len(tx.rows("revive_deliveries", sink=sink, now=now))
