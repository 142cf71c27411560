"""The circuit breaker of an endpoint: when it is left alone, and when it is tried again.

closed: it is called. open: it is left alone until a moment. half_open: one call tries it, all others leave it alone.
What belongs here: the moves, as values. The functions admit_call, may_probe and settle_call (migration 0014) make the
same moves in one statement each; a test compares them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

State = Literal["closed", "open", "half_open"]
# What an attempt showed of its endpoint's health.
Health = Literal["good", "bad", "refused", "unclear"]
FAULTS = frozenset({"timeout", "rate_limit", "server", "connection", "empty"})
# The endpoint is well, but not set up as it should be: no request will do better until somebody sees to it.
SET_UP_WRONG = frozenset({"key", "unknown_model"})
LONGEST_S = 3_600.0
MOST_DOUBLINGS = 30


def health_of(outcome: str) -> Health:
    """What an attempt with this outcome ("ok", or the kind of failure) says about its endpoint.

    A refusal does not move the breaker: it concerns the request, the key or the price. One of the key or the model's
    name is kept for people to see. A full or resting endpoint was not asked at all.

    >>> health_of("ok"), health_of("timeout"), health_of("key"), health_of("content"), health_of("busy")
    ('good', 'bad', 'refused', 'unclear', 'unclear')
    """
    if outcome == "ok":
        return "good"
    if outcome in SET_UP_WRONG:
        return "refused"
    return "bad" if outcome in FAULTS else "unclear"


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """open_after failures in a row open it for open_s seconds; they double with each probe that fails, to an hour."""

    open_after: int = 5
    open_s: float = 30.0

    def rest_s(self, failures: int) -> float:
        """Seconds to leave an endpoint alone that failed so often in a row.

        >>> [BreakerRule(open_after=3, open_s=30.0).rest_s(failures) for failures in (3, 4, 5, 99)]
        [30.0, 60.0, 120.0, 3600.0]
        """
        doublings = min(max(failures - self.open_after, 0), MOST_DOUBLINGS)
        return min(max(self.open_s, LONGEST_S), self.open_s * 2.0**doublings)


@dataclass(frozen=True, slots=True)
class Breaker:
    """Where a breaker stands; failures count those in a row, opened_until is None exactly where it is closed."""

    state: State = "closed"
    failures: int = 0
    opened_until: datetime | None = None


def may_call(breaker: Breaker, now: datetime, *, has_probe: bool = False) -> bool:
    """Whether the endpoint may be called now; unless the breaker is closed, that call is its probe.

    Args:
        breaker: where it stands.
        now: the moment.
        has_probe: whether a living call tries it already.
    """
    if breaker.opened_until is None:
        return True
    return not has_probe if breaker.state == "half_open" else breaker.opened_until <= now


def begun(breaker: Breaker) -> Breaker:
    """The breaker once a call that `may_call` allowed has begun."""
    return breaker if breaker.state == "closed" else replace(breaker, state="half_open")


def settled(
    breaker: Breaker, health: Health, now: datetime, rule: BreakerRule, *, is_probe: bool = False
) -> Breaker:
    """The breaker after a call has ended.

    Only its probe moves a breaker that is not closed: calls that began before it opened come too late. A probe that
    showed nothing leaves it half open, so that the next call is another probe.
    """
    counts = breaker.state == "closed" or (breaker.state == "half_open" and is_probe)
    if health in ("unclear", "refused") or not counts:
        return breaker
    if health == "good":
        return Breaker()
    failures = breaker.failures + 1
    if breaker.state == "half_open" or failures >= rule.open_after:
        return Breaker("open", failures, now + timedelta(seconds=rule.rest_s(failures)))
    return Breaker("closed", failures)
