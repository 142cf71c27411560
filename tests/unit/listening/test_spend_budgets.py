"""Budgets of a channel: room, grants, stops and their end, exact to the millionth."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.listening.policy import default_policy
from rejoinder.listening.spending import (
    SPANS,
    Budget,
    Order,
    Spent,
    budget_of,
    decide,
    exact_usd,
    money,
    nearly_spent,
    room_usd,
    share,
    turn,
)

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
TEN = Budget(Decimal(10), Decimal(100))
amounts = st.integers(0, 50_000_000).map(lambda micros: Decimal(micros) / 1_000_000)


def usd(text: str) -> Decimal:
    return Decimal(text)


@st.composite
def spendings(draw: st.DrawFn) -> Spent:
    day, held_day = draw(amounts), draw(amounts)
    return Spent(day, day + draw(amounts), held_day, held_day + draw(amounts))


@given(amounts | st.none(), amounts | st.none(), spendings(), amounts, amounts, amounts)
def test_a_grant_never_goes_beyond_a_budget(
    per_day: Decimal | None,
    per_month: Decimal | None,
    spent: Spent,
    keep: Decimal,
    least: Decimal,
    more: Decimal,
) -> None:
    budget, order = Budget(per_day, per_month), Order(keep, least, least + more)
    grant = decide(budget, spent, order, NOW)
    assert grant.stop or order.least_usd <= grant.usd <= order.most_usd
    for span in SPANS:
        whole, before = budget.of(span), spent.of(span) + spent.held_of(span) + keep
        if whole is not None and grant.usd:
            assert before + grant.usd <= whole
    if grant.stop:
        assert grant.usd == 0 and (room_usd(budget, spent, keep) or 0) < least
        assert grant.stop.goes_on_at > NOW


def test_what_is_granted_is_as_much_as_there_is_room_for() -> None:
    spent = Spent(usd("9.60"), usd("40"), held_day_usd=usd("0.1"), held_month_usd=usd("0.1"))
    assert decide(TEN, spent, Order(least_usd=usd("0.1"), most_usd=usd("1")), NOW).usd == usd("0.3")
    assert decide(TEN, spent, Order(usd("0.2"), usd("0.1"), usd("1")), NOW).usd == usd("0.1")
    assert decide(TEN, spent, Order(least_usd=usd("0.3"), most_usd=usd("0.3")), NOW).usd == usd("0.3")
    stop = decide(TEN, spent, Order(least_usd=usd("0.300001"), most_usd=usd("1")), NOW).stop
    assert stop and stop.goes_on_at == datetime(2026, 11, 22, tzinfo=UTC)
    assert stop.detail == (
        "the budget of the day is 10.00 USD, 0.30 USD of it are left and this call may cost 0.300001 USD;"
        " it goes on at 2026-11-22 00:00 UTC"
    )


def test_the_month_is_what_has_to_turn_where_both_have_no_room() -> None:
    spent = Spent(usd("10"), usd("100"))
    stop = decide(TEN, spent, Order(least_usd=usd("0.1"), most_usd=usd("0.1")), NOW).stop
    assert stop and stop.goes_on_at == datetime(2026, 12, 1, tzinfo=UTC) and "of the month" in stop.detail


def test_the_platforms_own_cap_of_reads_stops_too() -> None:
    budget = budget_of(replace(default_policy("x/self_serve"), spend_cap_usd_per_day=None), "x")
    assert budget == Budget(post_reads_per_month=3_000_000) and budget.is_bounded
    spent = Spent(month_post_reads=2_999_950)
    assert decide(budget, spent, Order(post_reads=50), NOW).stop is None
    stop = decide(budget, spent, Order(post_reads=51), NOW).stop
    assert stop and stop.goes_on_at == datetime(2026, 12, 1, tzinfo=UTC) and "3,000,000 posts" in stop.detail


def test_what_costs_nothing_has_no_bound() -> None:
    assert not budget_of(default_policy("reddit/approved_app"), "reddit").is_bounded
    assert not budget_of(default_policy("sandbox/x/self_serve"), "x").is_bounded
    assert room_usd(Budget(), Spent(usd("1000"))) is None
    assert decide(Budget(), Spent(usd("1000")), Order(least_usd=usd("1"), most_usd=usd("2")), NOW).usd == 2


@pytest.mark.parametrize(
    ("day", "month", "near"),
    [("7.99", "79.99", ()), ("8", "8", ("day",)), ("0", "80", ("month",)), ("9", "99", ("day", "month"))],
)
def test_eighty_per_cent_are_nearly_spent(day: str, month: str, near: tuple[str, ...]) -> None:
    assert nearly_spent(TEN, Spent(usd(day), usd(month))) == near


def test_of_a_budget_of_nothing_all_is_spent() -> None:
    assert share(Budget(usd("0")), Spent(), "day") == 1
    assert share(Budget(usd("0")), Spent(), "month") is None
    assert decide(Budget(usd("0")), Spent(), Order(least_usd=usd("0.01"), most_usd=usd("1")), NOW).stop


def test_amounts_are_exact_and_readable() -> None:
    assert exact_usd(0.005) * 3 == usd("0.015")
    assert [money(usd(text)) for text in ("1234.5", "0.005", "0.000001", "2E+3")] == [
        "1,234.50",
        "0.005",
        "0.000001",
        "2,000.00",
    ]


@pytest.mark.parametrize(
    ("now", "day", "month"),
    [
        ("2026-01-31T23:59:59", "2026-02-01", "2026-02-01"),
        ("2026-12-31T12:00:00", "2027-01-01", "2027-01-01"),
        ("2028-02-28T00:00:00", "2028-02-29", "2028-03-01"),
    ],
)
def test_days_and_months_turn_at_midnight(now: str, day: str, month: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert turn(moment, "day").date().isoformat() == day
    assert turn(moment, "month").date().isoformat() == month
