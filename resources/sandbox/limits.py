"""Rate windows, in simulated time.

Reads are counted in memory in fixed windows from the first call, as X does. Writes are
counted from the witness log, so that their limits survive a restart.
"""

from typing import NamedTuple

from resources.sandbox.state import State

QUARTER_HOUR_S = 900.0
CREATE_WINDOWS = ((100, QUARTER_HOUR_S), (300, 3 * 3600.0))
DAY_S = 86_400.0
RATE_LIMITED = "rate_limited"


class Quota(NamedTuple):
    """What is left of a window after this call; reset is simulated Unix seconds."""

    limit: int
    remaining: int
    reset: float
    is_allowed: bool


class Windows:
    """Fixed windows of reads, one per endpoint and kind of token."""

    def __init__(self) -> None:
        self.opened: dict[tuple[str, str], tuple[float, int]] = {}

    def take(self, endpoint: str, who: str, limit: int, now: float) -> Quota:
        """Count one call."""
        started, used = self.opened.get((endpoint, who), (now, 0))
        if now >= started + QUARTER_HOUR_S:
            started, used = now, 0
        is_allowed = used < limit
        used += is_allowed
        self.opened[(endpoint, who)] = (started, used)
        return Quota(limit, limit - used, started + QUARTER_HOUR_S, is_allowed)


def write_quota(state: State, account: str, now: float, limit: int, seconds: float) -> Quota:
    """The sliding window of an account's new posts, this call included."""
    row = state.db.execute(
        "SELECT count(*) AS used, min(at) AS first FROM witness"
        " WHERE platform = 'x' AND endpoint = 'create' AND account = ? AND at > ? AND at <= ? AND error IS NOT ?",
        (account, now - seconds, now, RATE_LIMITED),
    ).fetchone()
    first = now if row["first"] is None else row["first"]
    is_allowed = row["used"] < limit
    return Quota(limit, max(0, limit - row["used"] - is_allowed), first + seconds, is_allowed)


def create_quota(state: State, account: str, now: float) -> Quota:
    """The tightest of the windows for new posts."""
    quotas = [write_quota(state, account, now, limit, seconds) for limit, seconds in CREATE_WINDOWS]
    return min(quotas, key=lambda quota: (quota.is_allowed, quota.remaining))


def day_quota(state: State, account: str, now: float, limit: int) -> Quota:
    """A 24-hour cap for new posts."""
    return write_quota(state, account, now, limit, DAY_S)
