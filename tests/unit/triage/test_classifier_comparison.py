"""The paired bootstrap: agrees with scikit-learn, sees a real gain, never calls noise a gain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from rejoinder.triage.comparison import average_precision, compare


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=30))
def test_agrees_with_scikit_learn_ties_and_weights_included(rows: list[tuple[bool, int, int]]) -> None:
    truth, scores, counts = (np.array(column) for column in zip(*rows, strict=True))
    ours = average_precision(truth, scores.astype(float), counts[None, :])[0]
    if (counts * truth).sum() == 0:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(average_precision_score(truth, scores, sample_weight=counts))


def ranked(rng: np.random.Generator, truth: np.ndarray, signal: float) -> np.ndarray:
    return truth * signal + rng.normal(size=len(truth))


def test_a_clear_gain_is_seen_and_its_reverse_is_not() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(300) < 0.4
    good, bad = ranked(rng, truth, 3.0), ranked(rng, truth, 0.3)
    better = compare(truth, challenger=good, champion=bad, rng=np.random.default_rng(2))
    worse = compare(truth, challenger=bad, champion=good, rng=np.random.default_rng(2))
    assert better.is_better and better.low <= better.difference <= better.high
    assert not worse.is_better and worse.high < 0


def test_two_equal_classifiers_are_rarely_told_apart() -> None:
    rng = np.random.default_rng(3)
    verdicts = []
    for _ in range(60):
        truth = rng.random(120) < 0.5
        ours, theirs = ranked(rng, truth, 1.0), ranked(rng, truth, 1.0)
        verdicts.append(compare(truth, challenger=ours, champion=theirs, rng=rng, resamples=400).is_better)
    assert sum(verdicts) <= 6


def test_same_generator_same_interval() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(50) < 0.5
    ours, theirs = ranked(rng, truth, 1.0), ranked(rng, truth, 1.0)
    one, two = (
        compare(truth, challenger=ours, champion=theirs, rng=np.random.default_rng(9), resamples=300)
        for _ in range(2)
    )
    assert one == two


def test_one_kind_of_post_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        compare(np.ones(4, bool), challenger=np.zeros(4), champion=np.zeros(4), rng=np.random.default_rng(0))
