"""Verdicts on failures and read-backs: every one a legal move, never a blind retry."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.posting.states import PUBLICATION_MOVES, STATES
from rejoinder.posting.verdicts import (
    DUPLICATE,
    MAX_BACKOFF_S,
    READ_BACK_WINDOW_S,
    REFUSALS,
    Failure,
    FailureKind,
    Verdict,
    after_failure,
    after_read_back,
    backoff,
    post_place,
)
from rejoinder.review.moves import POST_MOVES, SENDING

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMES = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
FAILURES = st.builds(
    Failure,
    st.sampled_from(get_args(FailureKind)),
    st.sampled_from(["", "new_code", *REFUSALS]),
    st.text(max_size=10),
)


def fail(kind: FailureKind, code: str = "", **facts: object) -> Verdict:
    return after_failure(Failure(kind, code), **{"attempts": 1, "now": NOW, "backoff_s": 30, **facts})  # type: ignore[arg-type]


@given(
    failure=FAILURES,
    attempts=st.integers(1, 10_000),
    now=TIMES,
    retry_at=st.none() | TIMES,
    backoff_s=st.floats(0.1, 1e4),
    was_unknown=st.booleans(),
)
def test_every_failure_ends_in_a_legal_move(
    failure: Failure,
    attempts: int,
    now: datetime,
    retry_at: datetime | None,
    backoff_s: float,
    was_unknown: bool,
) -> None:
    verdict = after_failure(
        failure,
        attempts=attempts,
        now=now,
        retry_at=retry_at,
        backoff_s=backoff_s,
        was_unknown=was_unknown,
    )
    assert ("sending", verdict.state) in PUBLICATION_MOVES
    assert verdict.state != "sent"
    assert verdict.reason_code
    assert verdict.detail
    assert (verdict.due_at is None) == (verdict.state == "refused")
    assert verdict.due_at is None or verdict.due_at > now
    assert post_place(verdict) == SENDING or (SENDING, post_place(verdict)) in POST_MOVES


@given(
    found=st.booleans(),
    attempted_at=TIMES,
    searched_until=TIMES,
    is_complete=st.booleans(),
    now=TIMES,
)
def test_a_read_back_never_sends_again(
    found: bool, attempted_at: datetime, searched_until: datetime, is_complete: bool, now: datetime
) -> None:
    verdict = after_read_back(
        found, attempted_at=attempted_at, searched_until=searched_until, is_complete=is_complete, now=now
    )
    assert verdict.state == ("sent" if found else "unknown")
    if verdict.needs_person:
        assert is_complete
        assert searched_until - attempted_at >= timedelta(seconds=READ_BACK_WINDOW_S)


@given(st.integers(1, 10_000), st.floats(1e-3, 1e5))
def test_the_back_off_grows_up_to_an_hour(attempts: int, backoff_s: float) -> None:
    assert 0 < backoff(attempts, backoff_s) <= backoff(attempts + 1, backoff_s) <= MAX_BACKOFF_S


def test_an_unseen_outcome_is_never_queued() -> None:
    assert fail("outcome_unknown").state == "unknown"
    assert post_place(fail("outcome_unknown")) == SENDING


def test_a_rate_limit_waits_for_the_later_of_reset_and_back_off() -> None:
    assert fail("rate_limited", retry_at=NOW + timedelta(hours=2)).due_at == NOW + timedelta(hours=2)
    assert fail("rate_limited", retry_at=NOW).due_at == NOW + timedelta(seconds=30)
    assert post_place(fail("rate_limited")).status == "rate_limited"


def test_what_was_surely_not_taken_is_queued_again() -> None:
    for kind in ("unreachable", "auth_expired"):
        assert fail(kind, attempts=3).due_at == NOW + timedelta(seconds=120)
        assert post_place(fail(kind)).status == "pending"


@pytest.mark.parametrize("code", [*REFUSALS, "a_code_of_next_year"])
def test_a_refusal_is_terminal(code: str) -> None:
    verdict = fail("refused", code)
    assert (verdict.state, verdict.due_at, verdict.reason_code) == ("refused", None, code)
    assert post_place(verdict).status == "failed"


def test_a_duplicate_after_an_unknown_outcome_is_read_back() -> None:
    verdict = fail("refused", "duplicate_content", was_unknown=True)
    assert verdict.state == "unknown"
    assert verdict.due_at == NOW + timedelta(seconds=30)
    assert fail("refused", "blocked", was_unknown=True).state == "refused"


def read_back(*, minutes_searched: float, is_complete: bool = True) -> Verdict:
    searched_until = NOW + timedelta(minutes=minutes_searched)
    return after_read_back(
        False, attempted_at=NOW, searched_until=searched_until, is_complete=is_complete, now=searched_until
    )


def test_absence_is_shown_to_a_person_once_the_whole_window_was_read() -> None:
    assert [read_back(minutes_searched=m).needs_person for m in (0, 14.9, 15, 600)] == [
        False,
        False,
        True,
        True,
    ]


def test_a_search_with_a_gap_proves_nothing_however_late() -> None:
    verdict = read_back(minutes_searched=600, is_complete=False)
    assert (verdict.reason_code, verdict.needs_person) == ("read_back_incomplete", False)


@pytest.mark.parametrize("state", ["sending", "handoff", "cancelled", "abandoned"])
def test_a_place_is_only_said_where_an_attempt_ends(state: str) -> None:
    assert state in STATES
    with pytest.raises(ValueError, match=state):
        post_place(Verdict(state, None, "x", ""))  # type: ignore[arg-type]


@pytest.mark.parametrize(("attempts", "backoff_s"), [(0, 30), (1, 0), (1, -1)])
def test_a_back_off_needs_positive_numbers(attempts: int, backoff_s: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        backoff(attempts, backoff_s)


def test_words_refused_as_a_duplicate_that_stand_nowhere_here_are_refused_in_the_end() -> None:
    def looked(minutes: float, *, is_complete: bool = True) -> Verdict:
        now = NOW + timedelta(minutes=minutes)
        return after_read_back(
            False, attempted_at=NOW, searched_until=now, is_complete=is_complete, now=now, is_duplicate=True
        )

    assert [looked(m).reason_code for m in (1, 14.9)] == [DUPLICATE, DUPLICATE]
    assert (looked(15).state, looked(15).reason_code) == ("refused", "duplicate_content")
    assert (looked(60, is_complete=False).state, looked(60, is_complete=False).reason_code) == (
        "unknown",
        DUPLICATE,
    )
