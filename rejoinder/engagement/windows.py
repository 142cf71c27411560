"""When to look at a reply that was sent: 1 hour, 1 day, 3 days and 7 days after."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOWS_S: tuple[int, ...] = (3_600, 86_400, 259_200, 604_800)

# A snapshot taken this long after its window still speaks for it: a quarter of the window, six
# hours at most, so that the number of day one is never mostly that of day two.
_GRACE_SHARE = 0.25
_MAX_GRACE_S = 21_600


@dataclass(frozen=True, slots=True)
class Window:
    """One snapshot to take.

    window_s is its name: seconds after the reply was sent. is_late says that it is taken so long
    after due_at that its counts belong to a later age, so that comparisons can leave it out.
    """

    window_s: int
    due_at: datetime
    is_late: bool


def due_windows(sent_at: datetime, taken: Collection[int], now: datetime) -> tuple[Window, ...]:
    """The snapshots to take now, oldest window first.

    A missed window is still due, marked late: a late number says more than none, as long as nobody
    mistakes it. Each window is due until it is taken and never again.

    Args:
        sent_at: when the reply was sent, aware, in the channel's own time.
        taken: window_s of the snapshots that exist.
        now: aware, in the same time.

    >>> from datetime import UTC
    >>> sent_at = datetime(2026, 1, 1, tzinfo=UTC)
    >>> [(w.window_s, w.is_late) for w in due_windows(sent_at, (), sent_at + timedelta(hours=25))]
    [(3600, True), (86400, False)]
    """
    return tuple(
        Window(window_s, sent_at + timedelta(seconds=window_s), is_late(sent_at, window_s, now))
        for window_s in WINDOWS_S
        if window_s not in taken and sent_at + timedelta(seconds=window_s) <= now
    )


def is_late(sent_at: datetime, window_s: int, taken_at: datetime) -> bool:
    """Whether a snapshot taken then is too late to speak for its window."""
    grace_s = min(window_s * _GRACE_SHARE, _MAX_GRACE_S)
    return taken_at > sent_at + timedelta(seconds=window_s + grace_s)


def next_due_at(sent_at: datetime, taken: Collection[int]) -> datetime | None:
    """When the next snapshot is due, possibly in the past; None once all were taken."""
    left = [window_s for window_s in WINDOWS_S if window_s not in taken]
    return sent_at + timedelta(seconds=left[0]) if left else None
