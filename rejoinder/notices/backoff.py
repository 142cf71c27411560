"""When a message that was not taken is tried again: doubling waits with jitter, and when to stop."""

from datetime import datetime, timedelta

FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 3_600.0


def next_try(
    attempts: int,
    now: datetime,
    *,
    chance: float,
    asked_s: float | None = None,
    longest_s: float = LONGEST_WAIT_S,
) -> datetime:
    """When to try again after so many attempts.

    Half of the wait is certain and half by chance ("equal jitter"; Brooker, "Exponential Backoff And Jitter",
    AWS Architecture Blog, 2015), so that many do not come back at one moment.

    Args:
        attempts: how often it was tried, from 1.
        now: aware.
        chance: from 0 up to 1.
        asked_s: what the receiver asked to wait (Retry-After); it is honoured up to a day.
        longest_s: most seconds of a wait that nobody asked for.

    >>> from datetime import UTC
    >>> at = datetime(2026, 1, 1, tzinfo=UTC)
    >>> [(next_try(n, at, chance=1.0) - at).seconds for n in (1, 2, 3, 9)]
    [30, 60, 120, 3600]
    """
    whole = min(FIRST_WAIT_S * 2 ** min(attempts - 1, 30), longest_s)
    wait = whole / 2 + whole / 2 * chance
    if asked_s is not None:
        wait = max(wait, min(asked_s, 86_400.0))
    return now + timedelta(seconds=wait)
