"""Bootstrap intervals: against the formula of the mean's error, and the properties that pairing has."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rejoinder.corpus.retrieval.significance import bootstrap_mean, paired_gain


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_the_interval_is_as_wide_as_the_standard_error_says() -> None:
    scores = np.random.default_rng(1).normal(0.7, 0.3, size=400)
    interval = bootstrap_mean(scores.tolist(), rng=rng())
    error = scores.std() / np.sqrt(len(scores))
    assert interval.mean == pytest.approx(scores.mean())
    assert interval.low == pytest.approx(scores.mean() - 1.96 * error, abs=error / 8)
    assert interval.high == pytest.approx(scores.mean() + 1.96 * error, abs=error / 8)


def test_pairing_sees_a_small_gain_that_every_query_has() -> None:
    theirs = np.random.default_rng(1).uniform(size=50)
    gain = paired_gain((theirs + 0.01).tolist(), theirs.tolist(), rng=rng())
    assert gain.is_above_zero
    assert gain.mean == pytest.approx(0.01)
    assert gain.n == 50


def test_the_same_generator_gives_the_same_interval() -> None:
    scores = [0.1, 0.5, 0.9, 0.4]
    assert bootstrap_mean(scores, rng=rng()) == bootstrap_mean(scores, rng=rng())


def test_the_last_block_of_draws_counts() -> None:
    interval = bootstrap_mean([0.0, 1.0], rng=rng(), resamples=501)
    assert (interval.low, interval.high) == (0.0, 1.0)


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_system_gains_nothing_over_itself(scores: list[float]) -> None:
    gain = paired_gain(scores, scores, rng=rng(), resamples=100)
    assert (gain.mean, gain.low, gain.high) == (0, 0, 0)
    assert not gain.is_above_zero


@settings(max_examples=25)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30))
def test_the_interval_lies_within_the_scores(scores: list[float]) -> None:
    interval = bootstrap_mean(scores, rng=rng(), resamples=100)
    assert min(scores) - 1e-9 <= interval.low <= interval.high <= max(scores) + 1e-9


@pytest.mark.parametrize("scores", [[], [0.1, float("nan")], [float("inf")]])
def test_what_has_no_mean_is_refused(scores: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        bootstrap_mean(scores, rng=rng())


def test_scores_of_other_queries_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_gain([1.0], [1.0, 0.0], rng=rng())
