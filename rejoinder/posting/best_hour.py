"""The best hour of the day for a reply, by what the channel's own replies earned.

What belongs here: the port that chooses an hour, and the plain way that needs no model. A reply is worth little days
later, so the hour is one of the next 24, not of the week.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log1p
from typing import NamedTuple, Protocol

from rejoinder.listening.local_time import zone_named

MEASURED_AT_LEAST = 30
PER_HOUR_AT_LEAST = 3
# An hour with few replies is drawn to the mean of all: as if so many more had earned just that.
PRIOR_REPLIES = 5


class MeasuredReply(NamedTuple):
    """A reply that was sent: when (aware), and its likes, answers and reposts a day later."""

    sent_at: datetime
    reactions: int


@dataclass(frozen=True, slots=True)
class HourChoice:
    """When to send (UTC), and why then, for a person."""

    at: datetime
    why: str


class BestHour(Protocol):
    """Chooses when a reply of a channel earns most."""

    def choose(self, measured: Sequence[MeasuredReply], zone: str, now: datetime) -> HourChoice:
        """A time within 24 hours from now.

        Args:
            measured: the channel's own replies.
            zone: whose clock tells the hour, a name of the IANA database.
            now: aware.
        """
        ...


class OwnHours:
    """The hour of the day in which the channel's own replies earned most; at once while too few are measured."""

    def choose(self, measured: Sequence[MeasuredReply], zone: str, now: datetime) -> HourChoice:
        """See `BestHour.choose`.

        >>> noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
        >>> OwnHours().choose([], "UTC", noon).why
        'it goes out at once: 0 of 30 replies are measured that tell a best hour'
        """
        scores = self._scores(measured, zone)
        if not scores:
            why = f"{len(measured)} of {MEASURED_AT_LEAST} replies are measured that tell a best hour"
            if len(measured) >= MEASURED_AT_LEAST:
                why = f"no hour has {PER_HOUR_AT_LEAST} measured replies yet"
            return HourChoice(now.astimezone(UTC), f"it goes out at once: {why}")
        best = max(scores, key=lambda hour: (scores[hour], -hour))
        return HourChoice(
            _next(best, zone, now), f"replies between {best}:00 and {best}:59 {zone} earned most"
        )

    def _scores(self, measured: Sequence[MeasuredReply], zone: str) -> dict[int, float]:
        """How well each hour did that is known well enough; logarithms, so that one lucky reply is not all."""
        if len(measured) < MEASURED_AT_LEAST:
            return {}
        place, by_hour = zone_named(zone), defaultdict(list)
        for reply in measured:
            by_hour[reply.sent_at.astimezone(place).hour].append(log1p(max(reply.reactions, 0)))
        mean = sum(map(sum, by_hour.values())) / len(measured)
        return {
            hour: (sum(earned) + PRIOR_REPLIES * mean) / (len(earned) + PRIOR_REPLIES)
            for hour, earned in by_hour.items()
            if len(earned) >= PER_HOUR_AT_LEAST
        }


def _next(hour: int, zone: str, now: datetime) -> datetime:
    """The next instant at which the clock of a zone shows this hour; now if it does."""
    place, moment = zone_named(zone), now.astimezone(UTC)
    if moment.astimezone(place).hour == hour:
        return moment
    # Every quarter of an hour: no zone's clock is put forward over an hour's end by less.
    step = moment.replace(minute=moment.minute - moment.minute % 15, second=0, microsecond=0)
    for _ in range(4 * 49):
        step += timedelta(minutes=15)
        if step.astimezone(place).hour == hour:
            return step
    raise ValueError(f"no hour {hour} in {zone} within two days")
