"""Quiet hours: the stretch of a day, by the clock of a place, in which a channel sends nothing.

What belongs here: when quiet hours begin and end as instants, with the days on which a place changes its clock.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.local_time import zone_named


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From a time of the day until another, both local; until may lie on the next day.

    zone is a name of the IANA time zone database, such as ``Europe/Berlin``.
    """

    zone: str
    from_time: time
    until_time: time

    def __post_init__(self) -> None:
        """Refuse a zone that nobody knows, and hours without an end."""
        zone_named(self.zone)
        if self.from_time.tzinfo or self.until_time.tzinfo:
            raise ConfigInvalid("Quiet hours are local times: give the zone apart from them.")
        if self.from_time == self.until_time:
            raise ConfigInvalid("Quiet hours begin and end at the same time: give two different ones.")

    def __str__(self) -> str:
        """As a person writes them, ``22:00-07:00 Europe/Berlin``."""
        return f"{self.from_time:%H:%M}-{self.until_time:%H:%M} {self.zone}"


def read_quiet_hours(text: str) -> QuietHours:
    """Quiet hours as a person writes them.

    Raises:
        ConfigInvalid: the text is none.

    >>> str(read_quiet_hours("22:00-07:30 Europe/Berlin"))
    '22:00-07:30 Europe/Berlin'
    """
    hours, _, zone = text.strip().partition(" ")
    start, _, end = hours.partition("-")
    try:
        return QuietHours(zone.strip(), time.fromisoformat(start), time.fromisoformat(end))
    except ValueError:
        raise ConfigInvalid(f"No quiet hours: {text!r}. Write them as 22:00-07:00 Europe/Berlin.") from None


def quiet_until(quiet: QuietHours | None, now: datetime) -> datetime | None:
    """When the quiet hours that hold now are over, UTC; None outside them.

    A wall-clock time that comes twice, or never, because the clock was changed counts for the longer quiet.

    Args:
        quiet: None for a channel without quiet hours.
        now: aware.

    >>> night = read_quiet_hours("22:00-07:00 Europe/Berlin")
    >>> quiet_until(night, datetime(2026, 7, 1, 21, tzinfo=UTC)).isoformat()
    '2026-07-02T05:00:00+00:00'
    """
    if quiet is None:
        return None
    today = now.astimezone(zone_named(quiet.zone)).date()
    for day in (today - timedelta(days=1), today):
        start, end = _stretch(quiet, day)
        if start <= now < end:
            return end
    return None


def _stretch(quiet: QuietHours, day: date) -> tuple[datetime, datetime]:
    """The quiet hours that begin on a local day, as instants."""
    last_day = day + timedelta(days=quiet.until_time < quiet.from_time)
    return min(_instants(quiet, day, quiet.from_time)), max(_instants(quiet, last_day, quiet.until_time))


def _instants(quiet: QuietHours, day: date, at: time) -> list[datetime]:
    """What a wall-clock time may mean: one instant, or two around a change of the clock (PEP 495)."""
    zone = zone_named(quiet.zone)
    return [datetime.combine(day, at.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1)]
