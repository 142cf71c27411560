"""The cascade: floor, band, hysteresis, and reasons for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.errors import ConfigInvalid
from rejoinder.triage.relevance import Thresholds, corpus_similarity, decide_relevance

CUT = Thresholds(floor=0.3, strong=0.45, reject=0.35, accept=0.6)
COSINES = st.floats(min_value=-1, max_value=1)
PROBABILITIES = st.floats(min_value=0, max_value=1)


@pytest.mark.parametrize(
    ("similarity", "probability", "decision"),
    [
        (0.29, 0.99, "rejected"),
        (0.3, 0.6, "accepted"),
        (0.3, 0.59, "borderline"),
        (0.3, 0.35, "borderline"),
        (0.3, 0.34, "rejected"),
        (0.45, None, "accepted"),
        (0.44, None, "borderline"),
        (0.29, None, "rejected"),
    ],
)
def test_where_the_cascade_cuts(similarity, probability, decision):
    made = decide_relevance(similarity, probability, thresholds=CUT)
    assert made.decision == decision
    assert made.reason


def test_a_decision_holds_inside_the_band_and_falls_beyond_it():
    def again(probability, previous):
        return decide_relevance(0.5, probability, thresholds=CUT, previous=previous).decision

    assert again(0.4, "accepted") == "accepted"
    assert again(0.34, "accepted") == "rejected"
    assert again(0.5, "rejected") == "rejected"
    assert again(0.61, "rejected") == "accepted"
    assert again(0.5, "borderline") == "borderline"


@given(COSINES, PROBABILITIES | st.none(), st.sampled_from([None, "accepted", "borderline", "rejected"]))
def test_whoever_called_us_is_never_turned_away_here(similarity, probability, previous):
    made = decide_relevance(similarity, probability, thresholds=CUT, previous=previous, summoned=True)
    assert made.decision != "rejected"


@given(COSINES, PROBABILITIES, PROBABILITIES)
def test_more_probability_never_hurts(similarity, one, other):
    order = ["rejected", "borderline", "accepted"]
    low, high = (decide_relevance(similarity, p, thresholds=CUT).decision for p in sorted((one, other)))
    assert order.index(low) <= order.index(high)


def test_similarity_is_the_mean_of_the_top_three():
    assert corpus_similarity([0.1, 0.2, 0.9, 0.4, 0.5]) == pytest.approx(0.6)
    assert corpus_similarity([0.4]) == pytest.approx(0.4)
    assert corpus_similarity([]) == 0.0


@pytest.mark.parametrize("wrong", [{"reject": 0.7}, {"accept": 1.1}, {"floor": 0.5}, {"strong": 1.5}])
def test_thresholds_without_order_are_refused(wrong):
    with pytest.raises(ConfigInvalid):
        Thresholds(**{"floor": 0.3, "strong": 0.45, "reject": 0.35, "accept": 0.6, **wrong})
