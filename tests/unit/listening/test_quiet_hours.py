"""Quiet hours: over midnight, and on the days on which a place changes its clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.quiet_hours import QuietHours, quiet_until, read_quiet_hours

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))
moments = st.integers(1_700_000_000, 1_900_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))


def until(text: str, *moment: int) -> str | None:
    found = quiet_until(read_quiet_hours(text), datetime(*moment, tzinfo=UTC))  # type: ignore[arg-type]
    return found.isoformat()[:16] if found else None


def test_over_midnight_and_within_a_day():
    night = "22:00-07:00 Europe/Berlin"
    assert until(night, 2026, 1, 10, 20, 59) is None
    assert until(night, 2026, 1, 10, 21, 0) == "2026-01-11T06:00"
    assert until(night, 2026, 1, 11, 5, 59) == "2026-01-11T06:00"
    assert until(night, 2026, 1, 11, 6, 0) is None
    assert until("12:00-13:00 UTC", 2026, 1, 11, 12, 30) == "2026-01-11T13:00"
    assert quiet_until(None, datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_the_night_is_an_hour_shorter_or_longer_when_the_clock_changes():
    night = "22:00-07:00 Europe/Berlin"
    assert until(night, 2026, 3, 28, 21, 30) == "2026-03-29T05:00", "summer time begins"
    assert until(night, 2026, 10, 24, 20, 30) == "2026-10-25T06:00", "summer time ends"


def test_an_end_that_comes_twice_or_never_is_the_later_one():
    assert until("00:00-02:30 Europe/Berlin", 2026, 10, 25, 0, 45) == "2026-10-25T01:30", "02:30 comes twice"
    assert until("00:00-02:30 Europe/Berlin", 2026, 3, 29, 0, 30) == "2026-03-29T01:30", "02:30 never comes"


@given(st.sampled_from(ZONES), times, times, moments)
def test_the_end_is_the_first_moment_that_is_not_quiet(zone, start, end, now):
    if start == end:
        return
    quiet = QuietHours(zone, start, end)
    over = quiet_until(quiet, now)
    if over is None:
        local = now.astimezone(ZoneInfo(zone)).time().replace(second=0, microsecond=0)
        inside = start <= local < end if start < end else local >= start or local < end
        assert not inside
        return
    assert now < over <= now + timedelta(hours=26)
    assert quiet_until(quiet, over - timedelta(seconds=1)) is not None


@pytest.mark.parametrize(
    "text", ["", "22:00", "22:00-07:00", "22-7 Europe/Berlin", "22:00-07:00 Mars/Base", "x-y UTC"]
)
def test_what_is_no_quiet_hours_is_refused(text):
    with pytest.raises(ConfigInvalid):
        read_quiet_hours(text)


def test_hours_without_an_end_are_refused():
    with pytest.raises(ConfigInvalid, match="same time"):
        read_quiet_hours("07:00-07:00 UTC")
