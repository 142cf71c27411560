"""When a channel may send next."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.posting.pacing import RateWindow, when_allowed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OFFSETS = st.floats(-7200, 7200).map(lambda s: NOW + timedelta(seconds=s))
WINDOWS = st.builds(RateWindow, st.integers(0, 300), st.floats(-1, 300), OFFSETS)
INTERVALS = st.floats(0, 3600)


def holds(windows: list[RateWindow], at: datetime, interval_s: float, last: datetime | None) -> bool:
    """The rule said the other way round: may a call be made at this time?"""
    free = all(window.remaining >= 1 or window.reset_at <= at for window in windows)
    return free and (last is None or at >= last + timedelta(seconds=interval_s))


@given(st.lists(WINDOWS, max_size=4), INTERVALS, st.none() | OFFSETS)
def test_it_is_the_first_time_that_every_limit_allows(
    windows: list[RateWindow], interval_s: float, last: datetime | None
) -> None:
    at = when_allowed(windows, NOW, interval_s, last)
    assert at >= NOW
    assert holds(windows, at, interval_s, last)
    just_before = at - timedelta(microseconds=1)
    assert at == NOW or not holds(windows, just_before, interval_s, last)


@given(st.lists(WINDOWS, max_size=4), WINDOWS, INTERVALS, st.none() | OFFSETS)
def test_another_limit_never_allows_sooner(
    windows: list[RateWindow], more: RateWindow, interval_s: float, last: datetime | None
) -> None:
    assert when_allowed([*windows, more], NOW, interval_s, last) >= when_allowed(
        windows, NOW, interval_s, last
    )


@given(st.lists(WINDOWS, max_size=4), INTERVALS, st.none() | OFFSETS)
def test_waiting_until_then_is_enough(
    windows: list[RateWindow], interval_s: float, last: datetime | None
) -> None:
    at = when_allowed(windows, NOW, interval_s, last)
    assert when_allowed(windows, at, interval_s, last) == at


def test_the_day_binds_where_the_quarter_hour_is_free() -> None:
    quarter = RateWindow(100, 15, NOW + timedelta(minutes=10))
    day = RateWindow(10_000, 0, NOW + timedelta(hours=9))
    assert when_allowed([quarter, day], NOW) == NOW + timedelta(hours=9)


def test_less_than_one_call_left_is_none() -> None:
    reset_at = NOW + timedelta(seconds=90)
    assert when_allowed([RateWindow(100, 0.5, reset_at)], NOW) == reset_at


@given(WINDOWS)
def test_a_window_never_allows_a_call_in_the_past(window: RateWindow) -> None:
    assert window.allowed_from(NOW) >= NOW


def test_negative_limits_and_intervals_are_refused() -> None:
    with pytest.raises(ValueError, match="limit"):
        RateWindow(-1, 0, NOW)
    with pytest.raises(ValueError, match="interval"):
        when_allowed([], NOW, -1)
