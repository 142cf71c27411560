"""A channel's calendar: the times of the week at which it puts out replies that were approved for a slot.

What belongs here: slots as values, as people write them, and the instants they stand for. The times are local; on days
on which the clock is changed a slot that is skipped falls on the first time afterwards, and one that comes twice on the
first of the two.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.local_time import meaning_of, zone_named

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# A week has at most so many different slots; more is a typing error.
MOST_SLOTS = 7 * 96
_DAYS = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?")
EXAMPLE = "write slots as mon-fri 09:00 16:30, sat 11:00"


@dataclass(frozen=True, slots=True, order=True)
class WeeklySlot:
    """A time of the week; day is 0 for Monday."""

    day: int
    at: time

    def __post_init__(self) -> None:
        """Refuse a day that no week has, and a time with a zone of its own."""
        if not 0 <= self.day <= 6 or self.at.tzinfo:
            raise ConfigInvalid(f"No slot of a week: day {self.day}, {self.at}; {EXAMPLE}.")


def read_slots(text: str) -> tuple[WeeklySlot, ...]:
    """Slots as a person writes them: days, times, and a comma before other days.

    Raises:
        ConfigInvalid: the text is none.

    >>> write_slots(read_slots("mon-wed 09:00 16:30, sat 11:00, daily 12:00"))
    'mon-wed 09:00 12:00 16:30, thu-fri 12:00, sat 11:00 12:00, sun 12:00'
    """
    found = {slot for part in text.lower().split(",") for slot in _slots_of(part)}
    if len(found) > MOST_SLOTS:
        raise ConfigInvalid(f"{len(found)} slots in a week are more than {MOST_SLOTS}.")
    return tuple(sorted(found))


def _slots_of(part: str) -> Iterator[WeeklySlot]:
    days, *times = part.split() or [""]
    if not times:
        raise ConfigInvalid(f"No slots: {part.strip()!r}; {EXAMPLE}.")
    for day in _days_of(days):
        for each in times:
            yield WeeklySlot(day, _time_of(each))


def _days_of(text: str) -> list[int]:
    if text == "daily":
        return list(range(7))
    found = _DAYS.fullmatch(text)
    first, last = (found[1], found[2] or found[1]) if found else ("", "")
    if first not in DAYS or last not in DAYS:
        raise ConfigInvalid(f"No day of the week: {text!r}; {EXAMPLE}, with mon to sun or daily.")
    start, end = DAYS.index(first), DAYS.index(last)
    return [(start + n) % 7 for n in range((end - start) % 7 + 1)]


def _time_of(text: str) -> time:
    try:
        return time.fromisoformat(text.zfill(5)).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise ConfigInvalid(f"No time of day: {text!r}; {EXAMPLE}.") from None


def write_slots(slots: Sequence[WeeklySlot]) -> str:
    """Slots as a person writes them; days that follow each other with the same times together."""
    times = [(day, [slot.at for slot in sorted(slots) if slot.day == day]) for day in range(7)]
    parts = []
    for at, days in groupby(times, key=lambda each: each[1]):
        numbers = [day for day, _ in days]
        if at:
            span = DAYS[numbers[0]] + (f"-{DAYS[numbers[-1]]}" if len(numbers) > 1 else "")
            parts.append(" ".join([span, *(f"{each:%H:%M}" for each in at)]))
    return ", ".join(parts)


def slots_after(
    slots: Sequence[WeeklySlot], zone: str, now: datetime, *, n_days: int = 366
) -> Iterator[datetime]:
    """The instants of a calendar's slots after a time (UTC), the next one first, each once.

    Args:
        slots: of a week.
        zone: a name of the IANA time zone database.
        now: aware.
        n_days: how far to look ahead.

    >>> from datetime import UTC
    >>> friday = datetime(2026, 3, 27, 12, tzinfo=UTC)
    >>> [f"{at:%a %H:%M}" for at in slots_after(read_slots("sun-mon 02:30"), "Europe/Berlin", friday, n_days=4)]
    ['Sun 01:00', 'Mon 00:30']
    """
    today = now.astimezone(zone_named(zone)).date()
    last = now
    for ahead in range(-1, n_days):
        day = today + timedelta(days=ahead)
        local = (datetime.combine(day, slot.at) for slot in slots if slot.day == day.weekday())
        for at in sorted({meaning_of(each, zone).at for each in local}):
            if at > last:
                last = at
                yield at
