"""What happened to replies: snapshots at four ages, by the channel's own clock."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rejoinder.engagement.rewards import DEFAULT_WEIGHTS, RewardWeights
from rejoinder.engagement.windows import is_late
from rejoinder.errors import ConfigInvalid, LeaseLost, ServiceUnavailable
from rejoinder.ids import ChannelId, PublicationId
from resources.clients import OpenClient
from resources.platforms.failures import PlatformFailure
from resources.platforms.port import Metrics, PlatformClient
from resources.postgres import Database, Transaction
from resources.publishing.channel_time import ChannelTime
from resources.rewarding import write_rewards
from resources.store.channels import Channel, enabled_channels, read_credential
from resources.store.engagement import (
    Measurement,
    has_open_measurements,
    load_measurements,
    save_snapshot,
    sent_without_measurements,
)
from resources.store.publications import schedule_measurements
from resources.tuning import Tuning
from resources.work.runner import Report, work_off
from resources.work.stopping import StopSignal

STAGE = "measure"


class ChannelUnavailable(ServiceUnavailable):
    """The platform gives no counts now; what was claimed is free again."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Counts of one reply and when they were read, in the platform's time."""

    metrics: Metrics
    taken_at: datetime


@dataclass(slots=True)
class Measuring:
    """Takes the due snapshots of one channel; a `resources.work.runner.Step` over ``measurement``."""

    client: PlatformClient
    name: str
    table: str = "measurement"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[Measurement]:
        """The measurements with these ids."""
        return load_measurements(tx, ids)

    def work(self, items: Sequence[Measurement]) -> list[Reading]:
        """One lookup for the whole batch.

        Raises:
            ChannelUnavailable: the platform answers no lookup now.
        """
        try:
            taken_at = self.client.now()
            counts = self.client.metrics(sorted({item.platform_id for item in items}))
        except PlatformFailure as error:
            raise ChannelUnavailable(f"{error.kind}: {error}") from None
        gone = Metrics(None, 0, 0, 0, is_deleted=True)
        return [Reading(counts.get(item.platform_id, gone), taken_at) for item in items]

    def save(self, tx: Transaction, item: Measurement, result: Reading, worker: int) -> str:
        """Save the snapshot, once per window, and complete the measurement."""
        late = is_late(item.sent_at, item.window_s, result.taken_at)
        save_snapshot(tx, item, result.metrics, taken_at=result.taken_at, is_late=late)
        if not tx.execute("complete_measurement", id=item.id, worker=worker):
            raise LeaseLost(f"measurement {item.id} is held by another worker")
        if result.metrics.is_deleted:
            return "deleted"
        return "late" if late else "taken"


def measure_due(db: Database, *, open_client: OpenClient, tuning: Tuning, stop: StopSignal) -> Report:
    """Take every snapshot that is due by its channel's clock, each window once.

    A channel that cannot be reached is left for the next time and does not hold up the others.

    Returns:
        taken, late and deleted by count; what went wrong by message.

    Raises:
        ServiceUnavailable: PostgreSQL went away.
    """
    total = Report(STAGE)
    started = time.monotonic()
    for channel, client in _clients(db, open_client, total):
        if stop.is_set():
            break
        try:
            _plan_missing(db, channel, client)
            step = Measuring(client, _step(channel.id))
            report = work_off(step, db=db, tuning=tuning.stage("measure"), stop=stop, now=client.now)
            _add(total, report)
        except (PlatformFailure, ChannelUnavailable) as error:
            _note(total, f"channel {channel.name}: {error}")
    total.seconds = time.monotonic() - started
    total.is_stopped = stop.is_set()
    return total


def count_measurements_due(db: Database, *, open_client: OpenClient) -> int:
    """How many snapshots are due by their channel's clock; a channel that cannot be reached counts none."""
    due = 0
    for channel, client in _clients(db, open_client, Report(STAGE)):
        try:
            due += _count_due(db, channel, client)
        except PlatformFailure:
            continue
    return due


def _count_due(db: Database, channel: Channel, client: PlatformClient) -> int:
    with db.transaction() as tx:
        if not has_open_measurements(tx, _step(channel.id)):
            return len(sent_without_measurements(tx, channel.id))
    now = client.now()
    with db.transaction() as tx:
        return int(tx.value("count_due_items", table="measurement", step=_step(channel.id), now=now))


def _clients(db: Database, open_client: OpenClient, report: Report) -> list[tuple[Channel, PlatformClient]]:
    with db.transaction() as tx:
        channels = [(channel, read_credential(tx, channel.id)) for channel in enabled_channels(tx)]
    opened = []
    for channel, credential in channels:
        try:
            opened.append((channel, open_client(channel, credential)))
        except ConfigInvalid as error:
            _note(report, f"channel {channel.name}: {error}")
    return opened


def _plan_missing(db: Database, channel: Channel, client: PlatformClient) -> None:
    """Plan the snapshots of replies that a person posted by hand or settled."""
    with db.transaction() as tx:
        rows = sent_without_measurements(tx, channel.id)
    if not rows:
        return
    clocks = ChannelTime(datetime.now(UTC), client.now())
    with db.transaction() as tx:
        for row in rows:
            platform_sent_at = clocks.to_platform(row["sent_at"])
            schedule_measurements(tx, PublicationId(row["id"]), channel.id, platform_sent_at)


def _step(channel_id: ChannelId) -> str:
    return f"measure/{channel_id}"


def _add(total: Report, report: Report) -> None:
    for outcome, count in report.outcomes.items():
        total.outcomes[outcome] = total.outcomes.get(outcome, 0) + count
    for error, count in report.errors.items():
        total.errors[error] = total.errors.get(error, 0) + count
    total.batches += report.batches


def _note(total: Report, error: str) -> None:
    total.errors[error] = total.errors.get(error, 0) + 1


def refresh_rewards(db: Database, *, weights: RewardWeights = DEFAULT_WEIGHTS) -> int:
    """Write the reward of every measured reply anew, from its latest snapshot; how many."""
    with db.transaction() as tx:
        return write_rewards(tx, weights)
