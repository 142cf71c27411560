"""Which snapshots are due, when, and how late."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.engagement.windows import WINDOWS_S, due_windows, next_due_at

SENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGES = st.floats(0, 30 * 86_400).map(lambda s: timedelta(seconds=s))


@given(st.lists(AGES, max_size=30))
def test_each_window_is_taken_once_and_never_early(visits: list[timedelta]) -> None:
    taken: list[int] = []
    for age in sorted(visits):
        due = due_windows(SENT, taken, SENT + age)
        assert all(window.due_at <= SENT + age for window in due)
        taken += [window.window_s for window in due]
    assert taken == list(WINDOWS_S[: len(taken)])
    reached = max(visits, default=timedelta(0)).total_seconds()
    assert taken == [window_s for window_s in WINDOWS_S if window_s <= reached]


@given(AGES, st.sets(st.sampled_from(WINDOWS_S)))
def test_something_is_due_exactly_from_the_next_due_time(age: timedelta, taken: set[int]) -> None:
    due_at = next_due_at(SENT, taken)
    assert bool(due_windows(SENT, taken, SENT + age)) == (due_at is not None and due_at <= SENT + age)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (0.99, []),
        (1, [(3_600, False)]),
        (1.25, [(3_600, False)]),
        (1.26, [(3_600, True)]),
        (24, [(3_600, True), (86_400, False)]),
        (30.01, [(3_600, True), (86_400, True)]),
        (79, [(3_600, True), (86_400, True), (259_200, True)]),
        (168, [(3_600, True), (86_400, True), (259_200, True), (604_800, False)]),
    ],
)
def test_a_missed_window_is_taken_late(hours: float, expected: list[tuple[int, bool]]) -> None:
    due = due_windows(SENT, (), SENT + timedelta(hours=hours))
    assert [(window.window_s, window.is_late) for window in due] == expected


def test_nothing_is_left_once_all_were_taken() -> None:
    assert next_due_at(SENT, WINDOWS_S) is None
    assert due_windows(SENT, WINDOWS_S, SENT + timedelta(days=365)) == ()


def test_a_gap_is_filled() -> None:
    assert next_due_at(SENT, (86_400,)) == SENT + timedelta(hours=1)
