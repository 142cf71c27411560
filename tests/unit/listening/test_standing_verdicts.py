"""When posts are looked up again, and what an answer means."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.listening.standing import judge, recheck_terms

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_a_deletion_is_always_honoured_within_the_retention_time(retention_s: int, wanted_s: int) -> None:
    terms = recheck_terms(retention_s, wanted_s)
    assert terms.longest_s <= retention_s * 0.75 and terms.recheck_s <= wanted_s
    assert 0 <= terms.confirm_s <= terms.purge_s


@pytest.mark.parametrize(
    ("gone_at", "text_now", "verdict"),
    [
        (None, "a", "stands"),
        (None, "b", "edited"),
        (None, None, "gone"),
        (NOW, None, "purge"),
        (NOW, "a", "restored"),
        (NOW, "b", "restored"),
        (None, "", "edited"),
    ],
)
def test_verdicts(gone_at: datetime | None, text_now: str | None, verdict: str) -> None:
    assert judge(text="a", gone_at=gone_at, text_now=text_now) == verdict


@pytest.mark.parametrize(("gone_at", "verdict"), [(None, "gone"), (NOW, "hidden")])
def test_what_is_only_left_out_is_withdrawn_and_not_purged(gone_at: datetime | None, verdict: str) -> None:
    assert judge(text="a", gone_at=gone_at, text_now=None, is_said=False) == verdict


def test_a_second_look_comes_before_the_term_is_over() -> None:
    terms = recheck_terms(86_400, 43_200)
    assert timedelta(seconds=terms.confirm_s) < timedelta(seconds=terms.purge_s) <= timedelta(hours=6)
