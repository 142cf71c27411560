"""Fusion of rankings and of scores: values by hand, and what must hold of any fusion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.retrieval.fusion import min_max, min_max_fusion, reciprocal_rank_fusion

rankings = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), min_size=1, max_size=4)
legs = st.lists(st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-100, 100)), min_size=1, max_size=4)


def test_reciprocal_ranks_by_hand() -> None:
    fused = dict(reciprocal_rank_fusion([["a", "b"], ["b", "c"]], k=60))
    assert fused == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 62})


def test_a_weight_makes_a_leg_count_more() -> None:
    assert reciprocal_rank_fusion([["a"], ["b"]], weights=[1, 2])[0] == ("b", pytest.approx(2 / 61))


def test_min_max_by_hand() -> None:
    fused = dict(
        min_max_fusion([{"a": 8.0, "b": 2.0}, {"b": 0.7, "c": 0.2}], weights=[0.4, 0.6], floors=[0, None])
    )
    assert fused == pytest.approx({"a": 0.4, "b": 0.4 * 0.25 + 0.6, "c": 0.0})


def test_equal_scores_stand_in_order_of_first_sight() -> None:
    assert [found for found, _ in reciprocal_rank_fusion([["b"], ["a"]])] == ["b", "a"]
    assert [found for found, _ in min_max_fusion([{"b": 1.0, "a": 1.0}])] == ["b", "a"]


def test_equal_scores_of_a_leg_all_count_fully() -> None:
    assert min_max({"a": 0.3, "b": 0.3}) == {"a": 1.0, "b": 1.0}
    assert min_max({}) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: reciprocal_rank_fusion([["a"]], k=0),
        lambda: reciprocal_rank_fusion([["a", "a"]]),
        lambda: reciprocal_rank_fusion([["a"]], weights=[1, 1]),
        lambda: min_max_fusion([{"a": 1.0}], weights=[-1]),
        lambda: min_max_fusion([{"a": 1.0}], floors=[0, 0]),
    ],
)
def test_wrong_arguments_are_refused(wrong) -> None:
    with pytest.raises(ValueError):
        wrong()


@given(rankings)
def test_every_id_comes_out_once_best_first(lists: list[list[str]]) -> None:
    fused = reciprocal_rank_fusion(lists)
    assert sorted(found for found, _ in fused) == sorted({found for ranking in lists for found in ranking})
    scores = [score for _, score in fused]
    assert scores == sorted(scores, reverse=True)


@given(rankings)
def test_one_ranking_twice_keeps_its_order(lists: list[list[str]]) -> None:
    ranking = lists[0]
    assert [found for found, _ in reciprocal_rank_fusion([ranking, ranking])] == ranking


@given(legs)
def test_fused_scores_lie_between_0_and_the_number_of_legs(scores: list[dict[str, float]]) -> None:
    fused = min_max_fusion(scores)
    assert {found for found, _ in fused} == {found for leg in scores for found in leg}
    assert all(-1e-9 <= score <= len(scores) + 1e-9 for _, score in fused)


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(-100, 100), min_size=1))
def test_min_max_does_not_depend_on_unit_or_offset(scores: dict[str, float]) -> None:
    moved = {found: 3 * score + 7 for found, score in scores.items()}
    assert min_max(moved) == pytest.approx(min_max(scores))
