"""When to look at a reply that was sent: 1 hour, 1 day, 3 days and 7 days after."""

from datetime import datetime, timedelta

WINDOWS_S: tuple[int, ...] = (3_600, 86_400, 259_200, 604_800)
# What is due within this time goes along with what is due now: a twentieth of the shortest window.
SOON = timedelta(seconds=WINDOWS_S[0] // 20)

# A snapshot taken this long after its window still speaks for it: a quarter of the window, six
# hours at most, so that the number of day one is never mostly that of day two.
_GRACE_SHARE = 0.25
_MAX_GRACE_S = 21_600


def is_late(sent_at: datetime, window_s: int, taken_at: datetime) -> bool:
    """Whether a snapshot taken then is too late to speak for its window."""
    grace_s = min(window_s * _GRACE_SHARE, _MAX_GRACE_S)
    return taken_at > sent_at + timedelta(seconds=window_s + grace_s)


def is_mature(window_s: int) -> bool:
    """Whether a snapshot of this window is the last one: only then may a reward be learned from.

    Before that, what differs between two replies may be no more than their ages.

    >>> is_mature(86_400), is_mature(604_800)
    (False, True)
    """
    return window_s >= WINDOWS_S[-1]
