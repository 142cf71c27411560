"""What listening will cost: bounds that hold, and that are wide where little is known."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.listening.forecast import forecast_listening, month_end_usd, predict
from rejoinder.listening.policy import default_policy
from rejoinder.listening.spending import Budget

X = default_policy("x/self_serve")
START = datetime(2026, 11, 14, tzinfo=UTC)
TEN = Budget(Decimal(10), Decimal(100))


def days(*counts: int) -> list[tuple[datetime, datetime, int]]:
    return [
        (START + timedelta(days=n), START + timedelta(days=n + 1), count) for n, count in enumerate(counts)
    ]


def test_posts_people_and_budget_make_the_forecast() -> None:
    made = forecast_listening(days(*[100] * 7), X, TEN)
    assert made and made.n_days == 7
    assert made.posts_per_day.expected == 100 and made.posts_per_month.expected == 3000
    assert made.usd_per_day.expected == pytest.approx(100 * (0.005 + 0.010))
    assert made.day_share == pytest.approx(0.15) and made.month_share == pytest.approx(0.45)
    beside = forecast_listening(days(*[100] * 7), X, Budget(), people_per_post=0.5, posts_beside=1)
    assert beside and beside.usd_per_day.expected == pytest.approx(100 * 2 * (0.005 + 0.005))
    assert beside.day_share is beside.month_share is None


def test_a_day_that_is_not_over_counts_for_its_part() -> None:
    counts = [*days(100, 100), (START + 2 * timedelta(days=1), START + timedelta(days=2.5), 50)]
    made = forecast_listening(counts, X, TEN)
    assert made and made.n_days == 2.5 and made.posts_per_day.expected == 100
    moment = (START, START + timedelta(minutes=5), 90)
    assert forecast_listening([moment], X, TEN) is None
    assert forecast_listening([], X, TEN) is None


def test_of_a_budget_of_nothing_any_cost_is_the_whole() -> None:
    nothing = Budget(Decimal(0), Decimal(0))
    made = forecast_listening(days(5, 5), X, nothing)
    assert made and made.day_share == 1.0
    free = forecast_listening(days(5, 5), default_policy("reddit/approved_app"), nothing)
    assert free and free.day_share == 0.0 and free.usd_per_day.high == 0


def test_the_less_is_known_the_wider_the_bounds() -> None:
    widths = [predict([(100, 1.0)] * n, 1).high for n in (1, 2, 3, 7, 30)]
    assert widths == sorted(widths, reverse=True) and widths[0] > 220
    assert predict([(0, 1.0)], 1).high == 3
    assert predict([(10, 1.0), (190, 1.0)] * 3, 1).high > predict([(100, 1.0)] * 6, 1).high


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.floats(0.05, 2)), min_size=1, max_size=14), st.floats(0.5, 31)
)
def test_bounds_stand_around_what_is_expected(counted: list[tuple[int, float]], n_days: float) -> None:
    low, expected, high = predict(counted, n_days)
    assert 0 <= low <= expected <= high and (high > expected)


def test_bounds_hold_as_often_as_they_say() -> None:
    """Weeks of a clustered stream: the day after lies within the bounds in about 95 of 100."""
    chance, held = random.Random(7), 0
    for _ in range(400):
        rates = [chance.gammavariate(8, 60 / 8) for _ in range(8)]  # the rate itself moves from day to day
        drawn = [sum(chance.random() < rate / 2000 for _ in range(2000)) for rate in rates]
        low, _, high = predict([(n, 1.0) for n in drawn[:7]], 1)
        held += low <= drawn[7] <= high
    assert 0.90 <= held / 400 <= 0.99


def test_the_month_goes_on_as_the_week_went() -> None:
    noon = datetime(2026, 11, 10, 12, tzinfo=UTC)
    week = {date(2026, 11, 3) + timedelta(days=n): Decimal(7) for n in range(7)}
    assert month_end_usd(week, noon) == Decimal("49") + Decimal(7) * Decimal("20.5")
    assert month_end_usd({date(2026, 11, 10): Decimal(2)}, noon) == Decimal(2) + 4 * Decimal("20.5")
    assert month_end_usd({date(2026, 10, 31): Decimal(9)}, noon) == 0
    assert month_end_usd({date(2026, 11, 8): Decimal(6)}, noon) == Decimal(6) + 3 * Decimal("20.5")
    assert month_end_usd(week, noon, Decimal(2)) == Decimal("49") + Decimal(2) * Decimal("20.5")
    assert month_end_usd({}, datetime(2026, 11, 1, tzinfo=UTC)) == 0
