"""What happened to replies: snapshots at four ages, by the channel's own clock, within the channel's budget."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rejoinder.engagement.counts import ReplyCounts, whole
from rejoinder.engagement.windows import SOON, is_gone_unsaid, is_late
from rejoinder.errors import LeaseLost, RejoinderError, ServiceUnavailable
from rejoinder.ids import ChannelId, PublicationId
from resources.answered import Asked, read_unheard
from resources.clients import OpenClient, reading_clients
from resources.looking_along import UNSAID, LookingAlong, part_counts
from resources.platforms.failures import PlatformFailure, Refused, SpendStopped
from resources.platforms.port import Metrics, PlatformClient
from resources.postgres import Database, Transaction
from resources.publishing.channel_time import ChannelTime
from resources.store.channels import Channel
from resources.store.engagement import (
    Measurement,
    has_open_measurements,
    load_measurements,
    note_looked_at,
    note_standing_of_reply,
    save_snapshot,
    sent_without_measurements,
)
from resources.store.follow_ups import tie_to_publication
from resources.store.publications import schedule_measurements
from resources.tuning import Tuning
from resources.work.runner import Report, work_off
from resources.work.stopping import StopSignal

STAGE = "measure"
# A budget may be raised at any time; until it is, nothing is asked more often than this.
ASK_AGAIN = timedelta(minutes=15)
# So long after an answer that says nothing of a reply it is asked about again.
SAID_AGAIN = timedelta(hours=1)


class ChannelUnavailable(ServiceUnavailable):
    """The platform gives no counts now; what was claimed is free again."""


class IdsRefused(RejoinderError):
    """The platform takes one of the ids for none; the runner asks for each by itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Counts of one reply and when they were read, in the platform's time; reason says who took away what is gone.

    is_unsaid: the platform has said nothing of a part of it for so long that the part counts as gone.
    """

    counts: ReplyCounts
    taken_at: datetime
    reason: str | None = None
    is_unsaid: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """The snapshot is taken later, at this time of the channel at the earliest.

    unsaid_at is when the platform's answer said nothing of the reply; None where there was no budget for the call.
    """

    until: datetime
    reason: str
    unsaid_at: datetime | None = None


@dataclass(slots=True)
class Measuring:
    """Takes the due snapshots of one channel; a `resources.work.runner.Step` over ``measurement``.

    along asks in the same calls, where that costs nothing, whether other replies still stand. unheard collects the
    replies that more people answered than were heard.
    """

    client: PlatformClient
    name: str
    along: LookingAlong
    table: str = "measurement"
    unheard: list[Asked] = field(default_factory=list)

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[Measurement]:
        """The measurements with these ids."""
        items = load_measurements(tx, ids)
        self.along.choose(tx, items)
        return items

    def work(self, items: Sequence[Measurement]) -> list[Reading | Waiting]:
        """One lookup for the whole batch, or for as many as the budget has room for.

        Raises:
            ChannelUnavailable: the platform answers no lookup now.
            IdsRefused: one of the ids will not do.
        """
        try:
            taken_at = self.client.now()
            counts, stop = self._read(items, taken_at)
        except PlatformFailure as error:
            if _is_about_ids(error):
                raise IdsRefused(f"{error.kind}: {error}") from None
            raise ChannelUnavailable(f"{error.kind}: {error}") from None
        waiting = Waiting(taken_at + ASK_AGAIN, f"waits for the budget: {stop}")
        return [
            waiting
            if stop and not counts.keys() >= set(item.platform_ids)
            else _reading(item, counts, taken_at)
            for item in items
        ]

    def _read(
        self, items: Sequence[Measurement], at: datetime
    ) -> tuple[dict[str, Metrics], SpendStopped | None]:
        """Counts by id; where the budget has no room for all, of the first ones, and why not of the others."""
        ids = [one for item in items for one in dict.fromkeys(item.platform_ids)]
        along, most, stopped = self.along.ids(), len(ids), None
        while most:
            try:
                counts = self.client.metrics([*ids[:most], *along])
            except SpendStopped as stop:
                stopped = stop
                along, most = [], (most if along else most // 2)
            except PlatformFailure as error:
                if not (along and _is_about_ids(error)):
                    raise
                self.along.pass_over()
                along = []
            else:
                if along:
                    self.along.note(counts, at)
                return counts, stopped
        return {}, stopped

    def save(self, tx: Transaction, item: Measurement, result: Reading | Waiting, worker: int) -> str:
        """Save the snapshot, once per window, and complete the measurement; or let it wait.

        Raises:
            LeaseLost: another worker holds it.
        """
        if isinstance(result, Waiting):
            _held(tx.execute("postpone_measurement", id=item.id, worker=worker, until_at=result.until,
                             reason=result.reason), item)  # fmt: skip
            if result.unsaid_at is None:
                return "waits"
            note_looked_at(tx, [item.publication_id], datetime.now(UTC), unsaid=[item.publication_id],
                           asked_at=result.unsaid_at)  # fmt: skip
            return "unsaid"
        late = is_late(item.sent_at, item.window_s, result.taken_at)
        counts, reason = result.counts, result.reason
        save_snapshot(tx, item, counts, taken_at=result.taken_at, is_late=late, removal_reason=reason)
        _note_standing(tx, item, result)
        self._tie(tx, item, counts)
        _held(tx.execute("complete_measurement", id=item.id, worker=worker), item)
        if counts.is_gone:
            return "deleted"
        return "late" if late else "taken"

    def _tie(self, tx: Transaction, item: Measurement, counts: ReplyCounts) -> None:
        """Tie what was heard before the reply's own id was known; note where more answered than were heard."""
        n_heard = tie_to_publication(tx, item.publication_id, item.platform_ids)
        if counts.replies > n_heard:
            self.unheard.append(
                Asked(item.publication_id, item.platform_ids, item.sent_at, item.window_s, n_heard)
            )


def _is_about_ids(error: PlatformFailure) -> bool:
    return isinstance(error, Refused) and error.code == "invalid"


def _reading(item: Measurement, counts: dict[str, Metrics], taken_at: datetime) -> Reading | Waiting:
    unsaid = [one for one in item.platform_ids if one not in counts]
    if unsaid and not is_gone_unsaid(item.unsaid_since, taken_at):
        said = f"the platform's answer says nothing of {', '.join(unsaid)}"
        return Waiting(taken_at + SAID_AGAIN, said, unsaid_at=taken_at)
    parts = [counts.get(one, UNSAID) for one in item.platform_ids]
    reason = next((part.reason or "gone" for part in parts if part.is_deleted), None)
    return Reading(whole([part_counts(part) for part in parts]), taken_at, reason, is_unsaid=bool(unsaid))


def _held(touched: int, item: Measurement) -> None:
    if not touched:
        raise LeaseLost(f"measurement {item.id} is held by another worker")


def _note_standing(tx: Transaction, item: Measurement, result: Reading) -> None:
    now, one = datetime.now(UTC), item.publication_id
    note_standing_of_reply(tx, one, is_gone=result.counts.is_gone, reason=result.reason, now=now)
    unsaid = [one] if result.is_unsaid else []
    note_looked_at(tx, [one], now, unsaid=unsaid, asked_at=result.taken_at)


def measure_due(db: Database, *, open_client: OpenClient, tuning: Tuning, stop: StopSignal) -> Report:
    """Take every snapshot that is due by its channel's clock, each window once, and those due in a moment with them.

    A channel that cannot be reached is left for the next time and does not hold up the others. A snapshot for which
    there is no budget waits; it is taken late, and says so.

    Returns:
        taken, late, deleted, waits and unsaid (the platform's answer says nothing of the reply: it is asked again) by
        count, answers that were found by asking, and replies found gone between two snapshots; what went wrong by
        message.

    Raises:
        ServiceUnavailable: PostgreSQL went away.
    """
    total = Report(STAGE)
    started = time.monotonic()
    for channel, client in _clients(db, open_client, total):
        if stop.is_set():
            break
        try:
            _measure_channel(db, channel, client, tuning, stop, total)
        except (PlatformFailure, ChannelUnavailable) as error:
            _note(total, f"channel {channel.name}: {error}")
    total.seconds = time.monotonic() - started
    total.is_stopped = stop.is_set()
    return total


def _measure_channel(
    db: Database, channel: Channel, client: PlatformClient, tuning: Tuning, stop: StopSignal, total: Report
) -> None:
    _plan_missing(db, channel, client)
    if not _count_due(db, channel, client):
        return
    step = Measuring(client, _step(channel.id), LookingAlong(channel))
    soon = lambda: client.now() + SOON  # noqa: E731
    report = work_off(step, db=db, tuning=tuning.stage("measure"), stop=stop, now=soon)
    step.along.save(db)
    _count(report, "gone_between", step.along.n_gone)
    _count(report, "answers_found", read_unheard(db, channel, client, step.unheard, report.errors))
    _add(total, report)


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
        unplanned = len(sent_without_measurements(tx, channel.id))
        if not has_open_measurements(tx, _step(channel.id)):
            return unplanned
    now = client.now()
    with db.transaction() as tx:
        due = int(tx.value("count_due_items", table="measurement", step=_step(channel.id), now=now))
    return unplanned + due


def _clients(db: Database, open_client: OpenClient, report: Report) -> list[tuple[Channel, PlatformClient]]:
    return reading_clients(db, open_client, lambda error: _note(report, error))


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
        _count(total, outcome, count)
    for error, count in report.errors.items():
        total.errors[error] = total.errors.get(error, 0) + count
    total.batches += report.batches


def _count(report: Report, outcome: str, count: int) -> None:
    if count:
        report.outcomes[outcome] = report.outcomes.get(outcome, 0) + count


def _note(total: Report, error: str) -> None:
    total.errors[error] = total.errors.get(error, 0) + 1
