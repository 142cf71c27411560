"""When to look at a reply that was sent: 1 hour, 1 day, 3 days and 7 days after."""

from datetime import datetime, timedelta

WINDOWS_S: tuple[int, ...] = (3_600, 86_400, 259_200, 604_800)
# What is due within this time goes along with what is due now: a twentieth of the shortest window.
SOON = timedelta(seconds=WINDOWS_S[0] // 20)

# A snapshot taken this long after its window still speaks for it: a quarter of the window, six
# hours at most, so that the number of day one is never mostly that of day two.
_GRACE_SHARE = 0.25
_MAX_GRACE_S = 21_600

# A platform that leaves a reply out of its answer need not have lost it: Reddit leaves out what stands in a
# community that the account may not see now, while what was deleted or removed comes along with [deleted] or
# [removed] for its words (source: reddit-archive/reddit, GET_info in r2/controllers/api.py and must_skip in
# r2/models/builder.py). Left out of every answer for so long, nobody is taken to read it any more.
UNSAID_FOR_GONE = timedelta(hours=24)


def is_gone_unsaid(unsaid_since: datetime | None, asked_at: datetime) -> bool:
    """Whether a reply that an answer says nothing of counts as gone.

    Args:
        unsaid_since: when an answer first said nothing of it, with none since that did; None: this is the first.
        asked_at: when this answer was asked for; both by one clock.
    """
    return unsaid_since is not None and asked_at - unsaid_since >= UNSAID_FOR_GONE


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
