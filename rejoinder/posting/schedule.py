"""When an approved reply is to go out: at once, at a time, in the best hour, in the next slot of a calendar.

What belongs here: schedules as values, and the reading of times as people type them. Which slot is free and which
hour is best depends on rows; `resources/store/schedules.py` fills that in when the reply is approved.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Literal, TypeAlias

from rejoinder.errors import DecisionInvalid
from rejoinder.listening.local_time import Meaning, meaning_of, zone_named

ScheduleKind: TypeAlias = Literal["now", "at", "best_hour", "slot"]

# A reply that goes out later than this is a typing error; a conversation is over long before.
MAX_AHEAD = timedelta(days=366)
EXAMPLES = "write 2026-12-01 09:00, or 09:00 for the next time the clock shows it"
_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a reply is to go out.

    kind: ``now``; ``at`` a time; ``best_hour`` of the next day; the next free ``slot`` of the channel's calendar.
    at: the instant, UTC. None for ``now``, and for ``best_hour`` and ``slot`` until the reply is approved.
    zone: in which the time was named and is shown; None means UTC. note: what a person should know of the time, such
    as that the clock skips it; empty if nothing.
    """

    kind: ScheduleKind = "now"
    at: datetime | None = None
    zone: str | None = None
    note: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Refuse a time where there is none, none where there has to be one, and one that is not UTC."""
        if (self.kind == "now" and self.at is not None) or (self.kind == "at" and self.at is None):
            raise ValueError(f"a schedule {self.kind!r} with the time {self.at}")
        if self.at is not None and self.at.utcoffset() != timedelta(0):
            raise ValueError(f"a schedule's time is UTC: {self.at}")

    def __str__(self) -> str:
        """As a person reads it.

        >>> str(Schedule("at", datetime(2026, 12, 1, 8, tzinfo=UTC), "Europe/Berlin"))
        'at 2026-12-01 09:00 Europe/Berlin'
        """
        if self.at is None:
            return {"now": "now", "slot": "in the next free slot"}.get(self.kind, "in the best hour")
        shown = shown_time(self.at, self.zone)
        return {"at": f"at {shown}", "slot": f"in the slot {shown}"}.get(
            self.kind, f"in the best hour, {shown}"
        )


NOW = Schedule()
BEST_HOUR = Schedule("best_hour")
NEXT_SLOT = Schedule("slot")


def shown_time(at: datetime, zone: str | None) -> str:
    """An instant by the clock of a zone, with the zone's name; UTC if none is given.

    >>> shown_time(datetime(2026, 7, 1, 8, tzinfo=UTC), "Europe/Berlin")
    '2026-07-01 10:00 Europe/Berlin'
    """
    place = zone_named(zone) if zone else UTC
    return f"{at.astimezone(place):%Y-%m-%d %H:%M} {zone or 'UTC'}"


def is_missed(scheduled_for: datetime, now: datetime, after_s: float) -> bool:
    """Whether a reply's time passed by more than so many seconds.

    >>> is_missed(datetime(2026, 7, 1, 8, tzinfo=UTC), datetime(2026, 7, 1, 9, tzinfo=UTC), 3600)
    False
    """
    return now - scheduled_for > timedelta(seconds=after_s)


def read_time(text: str, *, zone: str, now: datetime, fold: Literal[0, 1] = 0) -> Schedule:
    """A time as a person types it: ``2026-12-01 09:00``, or ``09:00`` for the next time the clock shows it.

    A time that the clock skips (it is put forward over it) becomes the first one afterwards; one that comes twice
    means the first, unless fold is 1 or the offset is written with it (``2026-10-25 02:30+01:00``). The note says so.

    Args:
        text: ISO 8601 date and time, or a time of day; with an offset it is taken as it is.
        zone: a name of the IANA time zone database.
        now: aware.
        fold: 1 takes the second of two.

    Raises:
        DecisionInvalid: it cannot be read, lies in the past, or more than a year ahead.
        ConfigInvalid: there is no such zone.

    >>> read_time("9:00", zone="Europe/Berlin", now=datetime(2026, 7, 1, 8, tzinfo=UTC)).at.isoformat()
    '2026-07-02T07:00:00+00:00'
    """
    zone_named(zone)
    given = text.strip()
    if _TIME.fullmatch(given):
        return _next_time(_time_of(given), zone, now, fold)
    moment = _moment_of(given)
    if moment.tzinfo is None:
        schedule = _schedule(meaning_of(moment, zone, fold=fold), zone, fold)
    else:
        schedule = Schedule("at", moment.astimezone(UTC), zone)
    return _within(schedule, given, now)


def _time_of(given: str) -> time:
    try:
        return time.fromisoformat(given.zfill(5) if given.count(":") == 1 else given.zfill(8))
    except ValueError:
        raise DecisionInvalid(f"{given!r} is no time of day: {EXAMPLES}") from None


def _moment_of(given: str) -> datetime:
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise DecisionInvalid(f"{given[:60]!r} is no time: {EXAMPLES}") from None
    if ":" not in given and "T" not in given.upper():
        raise DecisionInvalid(f"{given!r} is a day without a time: {EXAMPLES}")
    return moment.replace(microsecond=0)


def _next_time(at: time, zone: str, now: datetime, fold: Literal[0, 1]) -> Schedule:
    today = now.astimezone(zone_named(zone)).date()
    for ahead in range(3):
        local = datetime.combine(today + timedelta(days=ahead), at)
        meaning = meaning_of(local, zone, fold=fold)
        if meaning.at > now:
            return _schedule(meaning, zone, fold)
    raise DecisionInvalid(f"no {at:%H:%M} is near in {zone}: {EXAMPLES}")


def _schedule(meaning: Meaning, zone: str, fold: int) -> Schedule:
    return Schedule("at", meaning.at, zone, _note(meaning, zone, fold))


def _note(meaning: Meaning, zone: str, fold: int) -> str:
    if meaning.clock == "skipped":
        return f"the clock skips that time: it goes out at {shown_time(meaning.at, zone)}"
    if meaning.clock == "once":
        return ""
    offset = f"{meaning.at.astimezone(zone_named(zone)):%z}"
    which = "second" if fold else "first"
    return f"the clock shows that time twice: it goes out at the {which}, {offset[:3]}:{offset[3:]}"


def _within(schedule: Schedule, given: str, now: datetime) -> Schedule:
    assert schedule.at is not None
    if schedule.at <= now:
        shown = shown_time(now, schedule.zone)
        raise DecisionInvalid(f"{given!r} is over, it is {shown}: name a time ahead, or send it now")
    if schedule.at > now + MAX_AHEAD:
        raise DecisionInvalid(f"{given!r} is more than a year ahead: {EXAMPLES}")
    return schedule
