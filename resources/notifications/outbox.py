"""The outbox: what each sink is to be told becomes messages, and messages are claimed and settled.

A message is put together once and stays as it is, so that a receiver knows it again when it comes twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rejoinder.listening.quiet_hours import quiet_until
from rejoinder.notices.kinds import KINDS, Choice, kind_of
from rejoinder.notices.notice import Event, Notice
from resources.postgres import Database, Transaction
from resources.tuning_notifications import SinkTuning

# What could not be told within a week is told in the app alone.
OLDEST = timedelta(days=7)
# What was told of may last longer than that. Messages are kept as long.
OLDEST_END = timedelta(days=90)
FORGET_AT_ONCE = 1_000
MESSAGES_AT_ONCE = 100
# As long as so many wait, no more are put together: what comes up meanwhile is told later, more of it in one message.
MOST_PENDING = 100
# A sink that no deliverer has had in its configuration for so long is gone.
GRACE = timedelta(hours=1)
REMIND_AFTER = timedelta(days=1)
GONE = "the sink is no longer in rejoinder.toml"
OUTLIVED = "the trouble was over before it could be told"
CRITICAL = Choice("critical")
EVENTS: tuple[Event, ...] = ("began", "reminded", "ended")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message in hand; attempts tells this attempt from any other."""

    id: int
    event: Event
    attempts: int
    notices: Sequence[Notice]


def drop_removed(db: Database, sinks: Sequence[SinkTuning], now: datetime) -> int:
    """See which sinks are configured, and drop what waits for those that no longer are; how many messages."""
    names = [sink.name for sink in sinks]
    with db.transaction() as tx:
        for name in names:
            tx.execute("see_notification_sink", sink=name, now=now)
        tx.execute("mark_removed_sinks", sinks=names, before=now - GRACE, now=now)
        return len(tx.rows("drop_deliveries", sinks=names, reason=GONE, now=now))


def drop_outlived(db: Database, sink: SinkTuning, now: datetime) -> int:
    """Drop what a sink need not be told any more; how many messages."""
    with db.transaction() as tx:
        only_lasting = sink.in_one == 1
        return len(
            tx.rows("drop_outlived", sink=sink.name, now=now, reason=OUTLIVED, only_lasting=only_lasting)
        )


def forget_told(db: Database, now: datetime) -> int:
    """Forget some of the messages that arrived or were dropped long ago, and that they were told; how many."""
    reminded = [name for name, kind in KINDS.items() if kind.is_reminded]
    with db.transaction() as tx:
        before = now - OLDEST_END
        return len(tx.rows("forget_deliveries", before=before, reminded=reminded, top=FORGET_AT_ONCE))


def gather(db: Database, sink: SinkTuning, now: datetime) -> int:
    """Put together what a sink is to be told; how many messages were made.

    Two who gather at once don't tell twice: one of them finds the sink's row taken and leaves it.
    """
    with db.transaction() as tx:
        tx.execute("see_notification_sink", sink=sink.name, now=now)
    with db.transaction() as tx:
        row = tx.row("lock_notification_sink", sink=sink.name)
        if row is None or _has_to_wait(row, sink, now):
            return 0
        made = _gather(tx, sink, "ended", now) + _gather(tx, sink, "began", now)
        if not (made and sink.group_s):
            made += _gather(tx, sink, "reminded", now)
        if made:
            tx.execute("set_gathered", sink=sink.name, now=now)
        return made


def _has_to_wait(row: dict[str, Any], sink: SinkTuning, now: datetime) -> bool:
    return row["pending"] >= MOST_PENDING or _is_too_soon(row["gathered_at"], sink, now)


def _is_too_soon(gathered_at: datetime | None, sink: SinkTuning, now: datetime) -> bool:
    return gathered_at is not None and now < gathered_at + timedelta(seconds=sink.group_s)


def _gather(tx: Transaction, sink: SinkTuning, event: Event, now: datetime) -> int:
    # A sink with a pause between messages gets one at a time.
    most = 1 if sink.group_s else MESSAGES_AT_ONCE
    for made in range(most):
        ids = to_tell(tx, sink, event, now, top=sink.in_one)
        if not ids:
            return made
        tx.row("insert_delivery", sink=sink.name, event=event, ids=ids, now=now)
    return most


def to_tell(tx: Transaction, sink: SinkTuning, event: Event, now: datetime, *, top: int) -> list[int]:
    """Ids of notices that a sink has not been told of, not been reminded of, or not told that they are over."""
    if event == "ended":
        if not sink.tells_end:
            return []
        since, only = now - OLDEST_END, _ends_wanted(sink, now)
        rows = tx.rows("ends_to_tell", sink=sink.name, since=since, only=only, top=top)
    elif event == "reminded":
        wanted = [name for name in _wanted(sink, now)["taken"] if kind_of(name).is_reminded]
        rows = tx.rows("reminders_to_tell", sink=sink.name, kinds=wanted, before=now - REMIND_AFTER, top=top)
    else:
        rows = tx.rows("notices_to_tell", since=now - OLDEST, top=top, **_wanted(sink, now))
    return [row["id"] for row in rows]


def _ends_wanted(sink: SinkTuning, now: datetime) -> list[str] | None:
    """Kinds whose end may be told now; None: all. To resolve an incident wakes nobody, so it never waits."""
    is_quiet = sink.in_one > 1 and quiet_until(sink.quiet_hours, now) is not None
    return [name for name in KINDS if CRITICAL.takes(name)] if is_quiet else None


def _wanted(sink: SinkTuning, now: datetime) -> dict[str, Any]:
    choice, is_quiet = sink.choice, quiet_until(sink.quiet_hours, now) is not None
    names = [n for n in {*KINDS, *choice.only} if choice.takes(n) and (not is_quiet or CRITICAL.takes(n))]
    return {
        "sink": sink.name,
        "taken": sorted(names),
        "others": not is_quiet and choice.takes("a kind that nobody knows"),
        "known": sorted(KINDS),
        # An incident that is over already is none.
        "only_lasting": sink.in_one == 1,
    }


def count_to_deliver(db: Database, sinks: Sequence[SinkTuning], now: datetime) -> int:
    """Messages that are due or to be dropped, and sinks that have something to be told or are gone."""
    names = [sink.name for sink in sinks]
    with db.transaction() as tx:
        for name in names:
            tx.execute("see_notification_sink", sink=name, now=now)
        due = int(tx.value("count_due_deliveries", sinks=names, now=now))
        due += int(tx.value("count_removals", sinks=names, before=now - GRACE, now=now))
        return due + sum(_has_news(tx, sink, now) for sink in sinks)


def _has_news(tx: Transaction, sink: SinkTuning, now: datetime) -> bool:
    row = tx.row("lock_notification_sink", sink=sink.name)
    if row is None or _has_to_wait(row, sink, now):
        return False
    return any(to_tell(tx, sink, event, now, top=1) for event in EVENTS)


def claim(
    db: Database, sink: SinkTuning, now: datetime, *, lease_s: float, max_attempts: int
) -> Claimed | None:
    """The sink's next message that is due, for so long ours; None where there is none."""
    with db.transaction() as tx:
        row = tx.row(
            "claim_delivery",
            sink=sink.name,
            now=now,
            until_at=now + timedelta(seconds=lease_s),
            max_attempts=max_attempts,
        )
        if row is None:
            return None
        notices = tuple(Notice(**notice) for notice in tx.rows("notices_of_delivery", id=row["id"]))
    return Claimed(row["id"], row["event"], row["attempts"], notices)
