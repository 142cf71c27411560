"""Times of day at a place, as instants: zones by name, and the days on which a place changes its clock.

What belongs here: what a wall-clock time means in a zone of the IANA database (PEP 495, PEP 615). Where a machine has
no such database the package ``tzdata`` serves (`zoneinfo` looks there by itself).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from rejoinder.errors import ConfigInvalid

Clock = Literal["once", "skipped", "twice"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a wall-clock time stands for: the instant (UTC), and how often the clock showed that time.

    ``once`` nearly always; ``skipped`` where the clock was put forward over it (at is then the first instant
    afterwards); ``twice`` where it was put back over it (at is the one that was asked for).
    """

    at: datetime
    clock: Clock


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo:
    """The time zone with this name.

    Raises:
        ConfigInvalid: the IANA database has no such zone.

    >>> zone_named("Europe/Berlin").key
    'Europe/Berlin'
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigInvalid(
            f"No time zone {name!r}: take a name of the IANA database, such as Europe/Berlin."
        ) from None


def meaning_of(local: datetime, zone: str, *, fold: Literal[0, 1] = 0) -> Meaning:
    """The instant of a wall-clock time in a zone.

    Args:
        local: without a zone of its own.
        zone: a name of the IANA database.
        fold: of a time that comes twice, 0 means the first and 1 the second.

    Raises:
        ConfigInvalid: there is no such zone.

    >>> meaning_of(datetime(2026, 3, 29, 2, 30), "Europe/Berlin")
    Meaning(at=datetime.datetime(2026, 3, 29, 1, 0, tzinfo=datetime.timezone.utc), clock='skipped')
    """
    place = zone_named(zone)
    first, second = (_instant(local, place, each) for each in (0, 1))
    if first == second:
        return Meaning(first, "once")
    if first < second:
        return Meaning(second if fold else first, "twice")
    return Meaning(_change_between(second, first, place), "skipped")


def _instant(local: datetime, place: ZoneInfo, fold: int) -> datetime:
    return local.replace(tzinfo=place, fold=fold).astimezone(UTC)


def _change_between(before: datetime, after: datetime, place: ZoneInfo) -> datetime:
    """The first whole second at which the clock of a place was changed between two instants; both are whole seconds."""
    old = before.astimezone(place).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        is_old = (before + timedelta(seconds=middle)).astimezone(place).utcoffset() == old
        low, high = (middle, high) if is_old else (low, middle)
    return (before + timedelta(seconds=high)).replace(microsecond=0)
