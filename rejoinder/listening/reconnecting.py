"""When to connect to a stream again, by what went wrong: X's own schedule.

What belongs here: the waits and how they grow. Sleeping, and telling failures apart, belong in resources.

Source: docs.x.com, "Handling disconnections" (read 2026-11): reconnect at once after a connection drops; network
errors back off by 250 ms more each time, up to 16 s; HTTP errors start at 5 s and double up to 320 s; 429 starts at
a minute and doubles. The longest wait after a 429 is ours: fifteen minutes, the length of X's window.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

# closed: X ended a connection that stood; network: no connection, or it broke; silent: no keep-alive came;
# http: 5xx and the like; rate_limited: 429; slot_taken: too many connections; refused: waiting alone does not help.
Trouble = Literal["closed", "network", "silent", "http", "rate_limited", "slot_taken", "refused"]

NETWORK_STEP_S, NETWORK_LONGEST_S = 0.25, 16.0
HTTP_FIRST_S, HTTP_LONGEST_S = 5.0, 320.0
LIMIT_FIRST_S, LIMIT_LONGEST_S = 60.0, 900.0


@dataclass(frozen=True, slots=True)
class Ladder:
    """How often each kind of failure came since a connection last stood."""

    counts: tuple[tuple[Trouble, int], ...] = field(default=())

    def climb(self, trouble: Trouble, *, told_s: float | None = None) -> "tuple[float, Ladder]":
        """Seconds to wait now, and the ladder for the next failure.

        Args:
            trouble: what went wrong.
            told_s: how long the platform asked to wait, where it did; it goes before the schedule, seconds.

        >>> ladder, waits = Ladder(), []
        >>> for trouble in ("network", "network", "network", "http", "http", "rate_limited"):
        ...     wait_s, ladder = ladder.climb(trouble)
        ...     waits.append(wait_s)
        >>> waits
        [0.0, 0.25, 0.5, 5.0, 10.0, 60.0]
        """
        before = dict(self.counts)
        n_before = before.get(trouble, 0)
        wait_s = scheduled_wait_s(trouble, n_before) if told_s is None else max(told_s, 0.0)
        return wait_s, replace(self, counts=tuple({**before, trouble: n_before + 1}.items()))

    def is_at_top(self, trouble: Trouble) -> bool:
        """Whether the next wait after such a failure is the longest there is: somebody should be told."""
        n_next = dict(self.counts).get(trouble, 0)
        return scheduled_wait_s(trouble, n_next) == scheduled_wait_s(trouble, n_next + 1)


def scheduled_wait_s(trouble: Trouble, n_before: int) -> float:
    """The wait after so many failures of a kind in a row, seconds.

    >>> [scheduled_wait_s("network", n) for n in (0, 1, 63, 64, 1000)]
    [0.0, 0.25, 15.75, 16.0, 16.0]
    >>> [scheduled_wait_s("http", n) for n in (0, 1, 6, 7)]
    [5.0, 10.0, 320.0, 320.0]
    >>> [scheduled_wait_s("rate_limited", n) for n in (0, 1, 4)]
    [60.0, 120.0, 900.0]
    """
    if trouble in ("closed", "network", "silent"):
        return min(NETWORK_STEP_S * n_before, NETWORK_LONGEST_S)
    if trouble == "http":
        return _doubled(HTTP_FIRST_S, n_before, HTTP_LONGEST_S)
    if trouble == "refused":
        return HTTP_LONGEST_S
    return _doubled(LIMIT_FIRST_S, n_before, LIMIT_LONGEST_S)


def _doubled(first_s: float, n_times: int, longest_s: float) -> float:
    # A large exponent would overflow a float long before the wait matters.
    return min(first_s * 2.0 ** min(n_times, 20), longest_s)
