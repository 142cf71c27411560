"""When an account may send next: its platform's rate windows and the channel's own interval between two replies."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RateWindow:
    """One limit as the platform last reported it; several may hold at once (15 minutes, a day).

    limit is the number of calls per window, remaining how many are left until reset_at (aware).
    Reddit reports fractions: less than one is none. name tells the windows of one answer apart.
    """

    limit: int
    remaining: float
    reset_at: datetime
    name: str = "calls"

    def __post_init__(self) -> None:
        if self.limit < 0:
            raise ValueError(f"a limit is not negative: {self.limit}")

    def allowed_from(self, now: datetime) -> datetime:
        """The first time at or after now at which this window lets one call pass.

        Once reset_at has passed the window says nothing any more: the next answer brings a new one.
        """
        return now if self.remaining >= 1 else max(now, self.reset_at)


def when_allowed(
    windows: Iterable[RateWindow],
    now: datetime,
    min_interval_s: float = 0.0,
    last_sent_at: datetime | None = None,
) -> datetime:
    """The first time at or after now at which every window and the minimum interval allow a send.

    Args:
        windows: all limits that hold; the one that binds longest decides. A platform may send
            none, then only the interval counts.
        now: aware.
        min_interval_s: seconds between two sends of the channel, >= 0.
        last_sent_at: when the channel last sent, None if never.

    Raises:
        ValueError: min_interval_s is negative.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> spent = RateWindow(limit=100, remaining=0, reset_at=noon + timedelta(minutes=4))
    >>> when_allowed([spent], noon, 60, noon).minute
    4
    """
    if min_interval_s < 0:
        raise ValueError(f"an interval is not negative: {min_interval_s}")
    candidates = [now, *(window.allowed_from(now) for window in windows)]
    if last_sent_at is not None:
        candidates.append(last_sent_at + timedelta(seconds=min_interval_s))
    return max(candidates)


def jittered_s(interval_s: float, share: float, draw: float) -> float:
    """Seconds to the next reply, drawn evenly around an interval.

    Args:
        interval_s: the middle, >= 0.
        share: how far from it at most, as a share of it, 0 to 1.
        draw: a random number, 0 to 1.

    >>> jittered_s(60, 0.5, 0.0), jittered_s(60, 0.5, 0.5), jittered_s(60, 0.5, 1.0)
    (30.0, 60.0, 90.0)
    """
    return interval_s * (1 + share * (2 * draw - 1))
