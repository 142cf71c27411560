"""The figures of one query, against values worked out by hand and what must hold of any ranking."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.retrieval.metrics import average_precision, ndcg, recall, reciprocal_rank

GAINS = {"a": 2.0, "b": 1.0, "c": 1.0}
RANKING = ["x", "a", "y", "c"]

rankings = st.lists(st.sampled_from("abcdefghij"), unique=True, max_size=10)
judgements = st.dictionaries(st.sampled_from("abcdefghij"), st.integers(1, 3), min_size=1)


def test_ndcg_by_hand() -> None:
    got = 2 / math.log2(3) + 1 / math.log2(5)
    best = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg(RANKING, GAINS, k=10) == pytest.approx(got / best)


def test_ndcg_counts_gains_as_they_are_not_as_powers_of_two() -> None:
    assert ndcg(["b", "a"], {"a": 2, "b": 1}) == pytest.approx(
        (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3))
    )


def test_the_best_possible_is_cut_at_k_too() -> None:
    assert ndcg(["a"], GAINS, k=1) == 1.0


def test_recall_by_hand() -> None:
    assert recall(RANKING, GAINS, k=2) == pytest.approx(1 / 3)
    assert recall(RANKING, GAINS, k=4) == pytest.approx(2 / 3)


def test_reciprocal_rank_by_hand() -> None:
    assert reciprocal_rank(RANKING, GAINS) == 0.5
    assert reciprocal_rank(RANKING, GAINS, k=1) == 0.0
    assert reciprocal_rank([], GAINS) == 0.0


def test_average_precision_by_hand() -> None:
    assert average_precision(RANKING, GAINS) == pytest.approx((1 / 2 + 2 / 4) / 3)


@pytest.mark.parametrize("gains", [{}, {"a": 0.0}, {"a": -1.0}])
def test_a_query_without_a_relevant_id_is_refused(gains: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="without a relevant id"):
        ndcg(["a"], gains)


def test_an_id_that_comes_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        recall(["a", "a"], GAINS, k=2)


def test_k_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        ndcg(["a"], GAINS, k=0)


@given(rankings, judgements, st.integers(1, 12))
def test_every_figure_lies_between_0_and_1(ranking: list[str], gains: dict[str, float], k: int) -> None:
    figures = (
        ndcg(ranking, gains, k=k),
        recall(ranking, gains, k=k),
        reciprocal_rank(ranking, gains, k=k),
        average_precision(ranking, gains),
    )
    assert all(0 <= figure <= 1 + 1e-12 for figure in figures)


@given(judgements)
def test_the_ranking_by_gain_is_perfect(gains: dict[str, float]) -> None:
    best = sorted(gains, key=lambda found: -gains[found])
    assert ndcg(best, gains) == pytest.approx(1)
    assert average_precision(best, gains) == pytest.approx(1)
    assert recall(best, gains, k=len(best)) == 1


@given(rankings, judgements, st.integers(0, 8))
def test_moving_a_relevant_id_up_past_an_irrelevant_one_never_lowers_ndcg(
    ranking: list[str], gains: dict[str, float], i: int
) -> None:
    if i + 1 < len(ranking) and ranking[i] not in gains and ranking[i + 1] in gains:
        better = [*ranking[:i], ranking[i + 1], ranking[i], *ranking[i + 2 :]]
        assert ndcg(better, gains) >= ndcg(ranking, gains)
