"""How far each account went into the limits on new posts, counted anew from the witness log.

Apart from the windows that answer a call: those let nothing through that is over a limit, this says who tried.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from resources.sandbox.limits import CREATE_WINDOWS, DAY_S, RATE_LIMITED
from resources.sandbox.state import State
from resources.sandbox.x_settings import read_settings


class Try(NamedTuple):
    """A request for a new post: when it came, in simulated Unix seconds, and whether its account was over a limit."""

    at: float
    is_over: bool


def read_write_limits(state: State) -> list[dict[str, Any]]:
    """Per platform and account: requests for new posts, how many came over a limit, the most in any window.

    ``over`` counts requests that a limit refused; a 429 that was ordered as a fault is none. Of Reddit, which limits
    all calls of a client together, only ``over`` and the requests are told.
    """
    rows = state.db.execute(
        "SELECT platform, account, at, error FROM witness"
        " WHERE endpoint IN ('create', 'comment') AND account IS NOT NULL ORDER BY platform, account, at, id"
    )
    tries: dict[tuple[str, str], list[Try]] = {}
    for row in rows:
        of = tries.setdefault((row["platform"], row["account"]), [])
        of.append(Try(row["at"], row["error"] == RATE_LIMITED))
    day = int(read_settings(state).creates_per_day_user)
    limits = (*CREATE_WINDOWS, (day, DAY_S))
    return [_told(platform, account, found, limits) for (platform, account), found in tries.items()]


def _told(
    platform: str, account: str, tries: Sequence[Try], limits: Iterable[tuple[int, float]]
) -> dict[str, Any]:
    counted = [one.at for one in tries if not one.is_over]
    windows = [
        {"limit": limit, "seconds": seconds, "most": most_within(counted, seconds)}
        for limit, seconds in limits
        if platform == "x"
    ]
    over = sum(one.is_over for one in tries)
    return {
        "platform": platform,
        "account": account,
        "requests": len(tries),
        "over": over,
        "windows": windows,
    }


def most_within(times: Sequence[float], seconds: float) -> int:
    """The most of these times, which are in order, in any stretch so long (its end not in it).

    >>> most_within([0, 1, 2, 10, 11], 10)
    3
    >>> most_within([], 10)
    0
    """
    most, first = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
