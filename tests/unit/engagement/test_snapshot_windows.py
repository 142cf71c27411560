"""How late a snapshot may be and still speak for its window."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.engagement.windows import WINDOWS_S, is_late

SENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window_s", "hours", "late"),
    [
        (3_600, 1, False),
        (3_600, 1.25, False),
        (3_600, 1.26, True),
        (86_400, 30, False),
        (86_400, 30.01, True),
        (259_200, 78, False),
        (259_200, 79, True),
        (604_800, 174, False),
        (604_800, 174.01, True),
    ],
)
def test_a_quarter_of_the_window_is_allowed_and_six_hours_at_most(
    window_s: int, hours: float, late: bool
) -> None:
    assert is_late(SENT, window_s, SENT + timedelta(hours=hours)) == late


@given(st.floats(0, 30 * 86_400))
def test_no_snapshot_speaks_for_two_windows(age_s: float) -> None:
    taken_at = SENT + timedelta(seconds=age_s)
    spoken_for = [w for w in WINDOWS_S if w <= age_s and not is_late(SENT, w, taken_at)]
    assert len(spoken_for) <= 1
