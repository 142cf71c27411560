"""Waits between calls of one endpoint."""

from hypothesis import given
from hypothesis import strategies as st

from rejoinder.llm.backoff import Backoff

SECONDS = st.floats(0, 100)


@given(
    st.builds(Backoff, st.integers(1, 10), SECONDS, SECONDS),
    st.integers(1, 12),
    st.none() | st.floats(-5, 200),
    st.floats(0, 1, exclude_max=True),
)
def test_a_wait_is_as_long_as_asked_and_never_longer_than_allowed(
    backoff: Backoff, done: int, asked_s: float | None, drawn: float
) -> None:
    wait_s = backoff.wait_s(done, asked_s, lambda: drawn)
    may = done < backoff.attempts and (asked_s or 0) <= backoff.longest_s
    assert (wait_s is not None) is may
    if wait_s is not None:
        assert max(0.0, asked_s or 0.0) <= wait_s <= backoff.longest_s


def test_callers_who_failed_together_come_back_apart() -> None:
    backoff = Backoff(attempts=5, first_s=1.0)
    waits = [backoff.wait_s(3, None, lambda d=d: d / 8) for d in range(8)]  # type: ignore[misc]
    assert waits == [0.5 * d for d in range(8)]
