"""Passages in the order that counts their sources in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.shaping.source_order import order_with_sources
from rejoinder.corpus.values import Passage
from rejoinder.ids import ChunkId, SourceId


def found(*scored: tuple[int, float]) -> list[Passage]:
    return [
        Passage(ChunkId(i), SourceId(source), "Show", None, f"Words {i}.", None, None, (), score)
        for i, (source, score) in enumerate(scored)
    ]


def test_a_passage_of_the_best_source_goes_before_a_slightly_better_one_elsewhere() -> None:
    passages = found((1, 1.0), (2, 0.6), (1, 0.5), (3, 0.0))
    assert order_with_sources(passages, source_weight=0.5) == [0, 2, 1, 3]
    assert order_with_sources(passages, source_weight=0.0) == [0, 1, 2, 3]


def test_a_much_better_passage_stays_before_the_best_sources_others() -> None:
    passages = found((1, 1.0), (2, 0.9), (1, 0.1), (3, 0.0))
    assert order_with_sources(passages, source_weight=0.5)[:2] == [0, 1]


def test_a_re_scorers_order_counts_and_not_the_scores_that_found_the_passages() -> None:
    passages = found((1, 0.2), (2, 1.0), (3, 0.9))
    assert order_with_sources(passages, source_weight=0.5) == [0, 1, 2]


def test_one_passage_a_source_keeps_the_order() -> None:
    passages = found(*[(source, 1.0 / (1 + source)) for source in range(9)])
    assert order_with_sources(passages, source_weight=3.0) == list(range(9))
    assert order_with_sources([], source_weight=0.5) == []


@pytest.mark.parametrize("weight", [0.0, 0.5, 5.0])
@given(scored=st.lists(st.tuples(st.integers(1, 4), st.floats(0, 1)), max_size=12))
def test_every_passage_stays_and_a_sources_own_keep_their_order(
    weight: float, scored: list[tuple[int, float]]
) -> None:
    passages = found(*sorted(scored, key=lambda one: -one[1]))
    order = order_with_sources(passages, source_weight=weight)
    assert sorted(order) == list(range(len(passages)))
    for source in {p.source_id for p in passages}:
        own = [i for i in order if passages[i].source_id == source]
        assert own == sorted(own)
