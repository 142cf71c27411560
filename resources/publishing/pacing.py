"""Rate windows of an account: read before a claim, counted with it, corrected by the platform."""

from dataclasses import dataclass
from datetime import datetime

from rejoinder.listening.post import Platform
from rejoinder.posting.pacing import RateWindow, when_allowed
from resources.postgres import Transaction
from resources.publishing.channel_time import ChannelTime
from resources.store.channels import Channel

CREATE = "create"
HOLD = "hold:"  # before the reason: a hold is no window and counts no calls
LIMITED = "rate_limited"
QUARTER_HOUR_S, THREE_HOURS_S, DAY_S = 900, 10_800, 86_400


@dataclass(frozen=True, slots=True)
class Limit:
    """One of a platform's own limits on new replies: count calls in length_s seconds."""

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
    """When a channel may send next, and the reason code of what makes it wait."""

    allowed_from: datetime
    reason_code: str


def lock_pace(tx: Transaction, channel: Channel, now: datetime) -> Pace:
    """When the channel may send next, at or after now; holds its windows until the transaction ends.

    Two publishers take turns here, so they cannot both use the last call of a window.
    """
    for limit in LIMITS.get(channel.platform, OTHER_LIMITS):
        tx.execute(
            "open_rate_window",
            account_key=channel.account_key,
            action=CREATE,
            name=limit.name,
            limit_count=limit.count,
            length_s=limit.length_s,
            now=now,
        )
    rows = tx.rows("lock_rate_windows", account_key=channel.account_key, action=CREATE)
    windows = {
        r["name"]: RateWindow(r["limit_count"], r["limit_count"] - r["used_count"], r["reset_at"])
        for r in rows
    }
    allowed_from = when_allowed(windows.values(), now)
    binding = [name for name, window in windows.items() if window.allowed_from(now) == allowed_from]
    held = [name for name in binding if name.startswith(HOLD)]
    return Pace(allowed_from, held[0].removeprefix(HOLD) if held else LIMITED)


def count_call(tx: Transaction, channel: Channel, now: datetime) -> None:
    """Count one send in every window of the channel's account."""
    tx.execute("count_call", account_key=channel.account_key, action=CREATE, now=now)


def correct_windows(
    tx: Transaction, channel: Channel, reported: tuple[RateWindow, ...], time: ChannelTime
) -> None:
    """Keep the limits that the platform reported with its answer beside ours; the tightest binds."""
    for position, window in enumerate(reported):
        reset_at = time.to_ours(window.reset_at)
        used = max(window.limit - int(window.remaining), 0)
        _set_window(tx, channel, f"reported_{position}", max(window.limit, 1), used, reset_at, time.ours)


def hold_channel(tx: Transaction, channel: Channel, until: datetime, now: datetime, reason_code: str) -> None:
    """Let nothing out on this channel's account until a time: what stopped one reply would stop the next one too."""
    _set_window(tx, channel, HOLD + reason_code, 1, 1, until, now)


def _set_window(
    tx: Transaction,
    channel: Channel,
    name: str,
    limit_count: int,
    used_count: int,
    reset_at: datetime,
    now: datetime,
) -> None:
    tx.execute(
        "set_rate_window",
        account_key=channel.account_key,
        action=CREATE,
        name=name,
        limit_count=limit_count,
        used_count=used_count,
        length_s=max(int((reset_at - now).total_seconds()), 1),
        reset_at=reset_at,
    )


def midnight_before(now: datetime) -> datetime:
    """The start of the day, UTC.

    >>> from datetime import UTC
    >>> midnight_before(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)).isoformat()
    '2026-01-02T00:00:00+00:00'
    """
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
