"""Rate windows of an account: read before a claim, counted with it, corrected by the platform.

Rows of ``rate_window`` are of five kinds, told apart by their names: our own limits (``15min``, ``3h``, ``24h``), what
the platform last reported (``reported:...``), holds on the account (``hold:REASON``) or on all of its channels but one
(``hold:others:ID:REASON``), and holds on one of its channels (``channel:ID:REASON``). Two channels of one account share
them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rejoinder.listening.post import Platform
from rejoinder.posting.pacing import RateWindow, when_allowed
from resources.postgres import Transaction
from resources.publishing.channel_time import ChannelTime
from resources.store.channels import Channel

CREATE = "create"
REPORTED = "reported:"
HOLD = "hold:"  # before the reason: a hold is no window and counts no calls
OTHERS_HOLD = "hold:others:"
CHANNEL_HOLD = "channel:"
LIMITED = "rate_limited"
PACING = "pacing"
THREAD_ROOM = "thread_room"
# What keeps new replies back, not the rest of a thread that has begun.
OF_BEGINNINGS = (f":{PACING}", f":{THREAD_ROOM}")
# So long a thread that waited for room may begin before the account's other channels go on: they would take its room.
FIRST_GO = timedelta(minutes=1)
QUARTER_HOUR_S, THREE_HOURS_S, DAY_S = 900, 10_800, 86_400
# A call reaches the platform at most a time-out after it was counted, so its window there may begin that much later.
LATEST_ARRIVAL_S = 35
MOST_CALLS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Limit:
    """One of a platform's own limits on new replies: count calls in any length_s seconds."""

    name: str
    count: int
    length_s: int


# X: docs.x.com rate limits, both of 100 per 15 minutes and 300 per 3 hours, whichever binds, 10,000 per day
# and app. Reddit: 100 queries a minute over ten minutes for a client in all; replies may use a tenth of it.
LIMITS: dict[Platform, tuple[Limit, ...]] = {
    "x": (
        Limit("15min", 100, QUARTER_HOUR_S),
        Limit("3h", 300, THREE_HOURS_S),
        Limit("24h", 10_000, DAY_S),
    ),
    "reddit": (
        Limit("15min", 150, QUARTER_HOUR_S),
        Limit("3h", 1_800, THREE_HOURS_S),
        Limit("24h", 14_400, DAY_S),
    ),
}
# A platform of another package: gentle, until its answers report limits of its own.
OTHER_LIMITS = (
    Limit("15min", 50, QUARTER_HOUR_S),
    Limit("3h", 300, THREE_HOURS_S),
    Limit("24h", 1_000, DAY_S),
)


@dataclass(frozen=True, slots=True)
class Pace:
    """When a channel may send next, and what makes it wait: a reason code, and the windows that bind."""

    allowed_from: datetime
    reason_code: str
    binding: tuple[str, ...] = ()


def lock_windows(tx: Transaction, channel: Channel, now: datetime) -> list[RateWindow]:
    """Every window that concerns the channel, held until the transaction ends.

    Two publishers take turns here, so they cannot both use the last call of a window. The account's own limits are put
    down where they are not yet.
    """
    limits = LIMITS.get(channel.platform, OTHER_LIMITS)
    rows = tx.rows("lock_rate_windows", account_key=channel.account_key, action=CREATE)
    if not {limit.name for limit in limits} <= {row["name"] for row in rows}:
        tx.execute(
            "open_rate_windows",
            account_key=channel.account_key,
            action=CREATE,
            names=[limit.name for limit in limits],
            limit_counts=[limit.count for limit in limits],
            lengths_s=[limit.length_s + LATEST_ARRIVAL_S for limit in limits],
            now=now,
        )
        rows = tx.rows("lock_rate_windows", account_key=channel.account_key, action=CREATE)
    return [window_of(row) for row in rows if concerns(row["name"], channel)]


def window_of(row: dict[str, Any]) -> RateWindow:
    """A row as a window."""
    return RateWindow(
        row["limit_count"], row["limit_count"] - row["used_count"], row["reset_at"], row["name"]
    )


def concerns(name: str, channel: Channel) -> bool:
    """Whether the window of this name holds for the channel; a hold on another channel of the account does not."""
    if name.startswith(OTHERS_HOLD):
        return not name.startswith(f"{OTHERS_HOLD}{channel.id}:")
    return not name.startswith(CHANNEL_HOLD) or name.startswith(f"{CHANNEL_HOLD}{channel.id}:")


def pace_of(windows: list[RateWindow], now: datetime) -> Pace:
    """What follows from the windows of a channel."""
    allowed_from = when_allowed(windows, now)
    if allowed_from <= now:
        return Pace(now, LIMITED)
    binding = tuple(window.name for window in windows if window.allowed_from(now) == allowed_from)
    return Pace(allowed_from, _reason(binding), binding)


def _reason(binding: tuple[str, ...]) -> str:
    for name in binding:
        if name.startswith((HOLD, CHANNEL_HOLD)):
            return name.rpartition(":")[2]
    return LIMITED


def room_from(tx: Transaction, channel: Channel, calls: int, now: datetime) -> datetime:
    """The first time at or after now at which so many calls, >= 1, may follow one another.

    The caller holds the windows. A window that allows fewer in all has room once nothing in it counts any more.
    """
    found = tx.value("room_from", account_key=channel.account_key, action=CREATE, calls=calls, now=now)
    return max(now, found) if found else now


def count_call(tx: Transaction, channel: Channel, now: datetime) -> None:
    """Count one send in every window of the channel's account; the caller holds them (`lock_windows`)."""
    tx.execute("count_call", account_key=channel.account_key, action=CREATE, now=now)


def space_out(tx: Transaction, channel: Channel, interval_s: float, now: datetime) -> None:
    """Let the account's next reply wait so many seconds."""
    if interval_s > 0:
        hold_channel(tx, channel, now + timedelta(seconds=interval_s), now, PACING)


def hold_for_room(tx: Transaction, channel: Channel, until: datetime, now: datetime) -> None:
    """Let nothing out on the account until a thread of this channel has room, which then may go before the others."""
    hold_one_channel(tx, channel, until, now, THREAD_ROOM)
    _hold(tx, channel, _others(channel), until + FIRST_GO, now)


def end_hold_for_room(tx: Transaction, channel: Channel, now: datetime) -> None:
    """Let the account's other channels go on: the thread that they waited for has begun."""
    tx.execute("end_hold", account_key=channel.account_key, action=CREATE, name=_others(channel), now=now)


def _others(channel: Channel) -> str:
    return f"{OTHERS_HOLD}{channel.id}:{THREAD_ROOM}"


def forget_calls(tx: Transaction, now: datetime) -> None:
    """Drop calls that no window counts any more."""
    tx.execute("forget_calls", before=now - timedelta(seconds=DAY_S + LATEST_ARRIVAL_S))


def correct_windows(
    tx: Transaction,
    channel: Channel,
    reported: tuple[RateWindow, ...],
    time: ChannelTime,
) -> None:
    """Keep the limits that the platform reported with its answer beside ours; the tightest binds.

    All windows of the account are held first, in the order of a claim, so that nobody waits crosswise.

    Args:
        tx: the transaction that settles the attempt.
        channel: whose answer it was.
        reported: on the platform's clock.
        time: both clocks.
    """
    lock_windows(tx, channel, time.ours)
    for window in reported:
        reset_at = time.wait_until(window.reset_at)
        limit = min(max(window.limit, 1), MOST_CALLS)
        tx.execute(
            "report_rate_window",
            account_key=channel.account_key,
            action=CREATE,
            name=REPORTED + window.name,
            limit_count=limit,
            used_count=max(limit - int(min(window.remaining, limit)), 0),
            length_s=max(int((reset_at - time.ours).total_seconds()), 1),
            reset_at=reset_at,
        )


def hold_channel(tx: Transaction, channel: Channel, until: datetime, now: datetime, reason_code: str) -> None:
    """Let nothing out on this channel's account until a time: what stopped one reply would stop the next one too."""
    _hold(tx, channel, HOLD + reason_code, until, now)


def hold_one_channel(
    tx: Transaction, channel: Channel, until: datetime, now: datetime, reason_code: str
) -> None:
    """Let nothing out on this channel until a time; other channels of its account go on."""
    _hold(tx, channel, f"{CHANNEL_HOLD}{channel.id}:{reason_code}", until, now)


def _hold(tx: Transaction, channel: Channel, name: str, until: datetime, now: datetime) -> None:
    tx.execute(
        "set_rate_window",
        account_key=channel.account_key,
        action=CREATE,
        name=name,
        limit_count=1,
        used_count=1,
        length_s=max(int((until - now).total_seconds()), 1),
        reset_at=until,
    )
