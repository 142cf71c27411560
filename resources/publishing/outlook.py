"""What binds each channel now, and when it may send next: read by the publisher's loop, the commands and the pages."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rejoinder.listening.quiet_hours import quiet_until
from rejoinder.posting.pacing import RateWindow
from resources.postgres import Database, Transaction
from resources.publishing.clock import ReadTime, database_time
from resources.publishing.pacing import CHANNEL_HOLD, CREATE, HOLD, REPORTED, concerns, pace_of, window_of
from resources.publishing.switch import Pause, pauses_in_force
from resources.store.channels import Channel, enabled_channels

PAUSED, QUIET = "paused", "quiet_hours"

# What keeps a channel back, by reason code, for people.
REASONS = {
    "rate_limited": "a limit of the platform is used up",
    "pacing": "the pause between two replies",
    "quiet_hours": "quiet hours",
    "paused": "paused",
    "spend_cap": "its budget has no room for the next reply",
    "usage_capped": "the plan's monthly cap is used up",
    "unreachable": "the platform could not be reached",
    "auth_expired": "its credentials were refused",
    "thread_room": "a thread begins once the limits have room for all its parts",
    "parent_unseen": "the platform does not say whether the post still stands",
}


@dataclass(frozen=True, slots=True)
class Window:
    """One window of an account: used of limit calls, free again at reset_at; a window that is over counts nothing."""

    name: str
    used: int
    limit: int
    reset_at: datetime
    is_binding: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """How one channel stands.

    windows are its account's. allowed_from is when it may send next, None while it is paused; reason says what it
    waits for, empty where nothing binds. queued counts approved replies that wait, due those whose time has come,
    in_hand those being sent; next_at is when a publisher has something to do for it next, None if nothing waits.
    """

    channel: Channel
    windows: tuple[Window, ...]
    pause: Pause | None
    allowed_from: datetime | None
    reason: str
    queued: int
    due: int
    in_hand: int
    to_read_back: int
    next_at: datetime | None

    @property
    def waiting(self) -> int:
        """How many replies are due and kept back."""
        return self.due if self.reason else 0

    def has_work(self, now: datetime) -> bool:
        """Whether a pass of the publisher would do something now."""
        return self.next_at is not None and self.next_at <= now


def outlook_now(tx: Transaction) -> list[Outlook]:
    """Every enabled channel as it stands now, by the clock that publishers go by."""
    return read_outlook(tx, database_time(tx))


def longest_waiting(tx: Transaction, now: datetime) -> list[Channel]:
    """Every enabled channel: first those with a thread that has begun, then by how long their next reply has waited.

    Where a limit binds a pass sends little: always in one order, the first channel of an account would take it all.
    """
    rows = {row["channel_id"]: row for row in tx.rows("waiting_publications", now=now)}

    def place(channel: Channel) -> tuple[bool, datetime]:
        row = rows[channel.id]
        return not row["is_begun"], row["next_due_at"] or datetime.max.replace(tzinfo=UTC)

    # One that was enabled between two of these statements comes next time.
    return sorted((channel for channel in enabled_channels(tx) if channel.id in rows), key=place)


def read_outlook(tx: Transaction, now: datetime) -> list[Outlook]:
    """Every enabled channel, oldest first."""
    pauses = pauses_in_force(tx)
    windows = [row for row in tx.rows("all_rate_windows") if row["action"] == CREATE]
    counts = {row["channel_id"]: row for row in tx.rows("waiting_publications", now=now)}
    # One that was enabled between two of these statements comes next time.
    channels = [channel for channel in enabled_channels(tx) if channel.id in counts]
    return [_outlook(channel, windows, pauses, counts[channel.id], now) for channel in channels]


def _outlook(
    channel: Channel,
    rows: list[dict[str, Any]],
    pauses: list[Pause],
    counts: dict[str, Any],
    now: datetime,
) -> Outlook:
    own = [
        window_of(row)
        for row in rows
        if row["account_key"] == channel.account_key and concerns(str(row["name"]), channel)
    ]
    pause = next((one for one in pauses if one.channel_id in (None, channel.id)), None)
    allowed_from, reason, binding = _allowed(channel, own, pause, now)
    return Outlook(
        channel,
        _shown(own, binding, now),
        pause,
        allowed_from,
        reason,
        **{key: counts[key] for key in ("queued", "due", "to_read_back")},
        in_hand=counts["sending"],
        next_at=_next_at(counts, allowed_from, now),
    )


def _allowed(
    channel: Channel, windows: list[RateWindow], pause: Pause | None, now: datetime
) -> tuple[datetime | None, str, tuple[str, ...]]:
    if pause:
        return None, PAUSED, ()
    pace = pace_of(windows, now)
    quiet = quiet_until(channel.policy.quiet_hours, now)
    if quiet and quiet > pace.allowed_from:
        return quiet, QUIET, ()
    return pace.allowed_from, pace.reason_code if pace.binding else "", pace.binding


def _shown(windows: list[RateWindow], binding: tuple[str, ...], now: datetime) -> tuple[Window, ...]:
    """The windows that count calls; a hold is no window."""
    return tuple(
        Window(
            window.name.removeprefix(REPORTED),
            int(window.limit - window.remaining) if window.reset_at > now else 0,
            window.limit,
            window.reset_at,
            window.name in binding,
        )
        for window in windows
        if not window.name.startswith((HOLD, CHANNEL_HOLD))
    )


def _next_at(counts: dict[str, Any], allowed_from: datetime | None, now: datetime) -> datetime | None:
    """When a publisher has something to do: what is being sent may have been left behind, so that is now."""
    moments = [counts["next_read_back_at"]]
    if counts["sending"]:
        moments.append(now)
    if allowed_from and counts["next_due_at"]:
        moments.append(max(counts["next_due_at"], allowed_from))
    known = [moment for moment in moments if isinstance(moment, datetime)]
    return min(known) if known else None


def said(one: Outlook) -> tuple[str, str]:
    """When a channel may send next, and why then, for people; both by the clock of UTC."""
    if one.pause:
        return "paused", str(one.pause)
    if not one.reason or one.allowed_from is None:
        return "now", ""
    names = ", ".join(window.name for window in one.windows if window.is_binding)
    why = REASONS.get(one.reason, one.reason.replace("_", " "))
    return f"{one.allowed_from:%Y-%m-%d %H:%M:%S} UTC", f"{why} ({names})" if names else why


def count_due(db: Database, read_time: ReadTime = database_time) -> int:
    """How many publications a pass would look at now; what waits for a limit is none of them."""
    with db.transaction() as tx:
        now = read_time(tx)
        found = [one for one in read_outlook(tx, now) if one.has_work(now)]
    return sum(one.due - one.waiting + one.in_hand + one.to_read_back for one in found)
