"""BM25 weights against the formula written out."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.bm25 import idf, term_weights

TERMS = st.lists(st.sampled_from(["ink", "pen", "paper", "note"]), min_size=1, max_size=30)


def test_weight_is_the_formula() -> None:
    weights = term_weights(["ink"] * 3 + ["pen"], avg_terms=8.0, k1=1.2, b=0.5)
    length_part = 1.2 * (1 - 0.5 + 0.5 * 4 / 8.0)
    assert weights["ink"] == pytest.approx(3 * 2.2 / (3 + length_part))
    assert weights["pen"] == pytest.approx(2.2 / (1 + length_part))
    assert idf(100, 3) == pytest.approx(math.log(1 + 97.5 / 3.5))


@given(TERMS, st.floats(0.5, 100))
def test_weights_are_bounded_and_grow_with_repeats(terms: list[str], avg_terms: float) -> None:
    weights = term_weights(terms, avg_terms=avg_terms)
    assert set(weights) == set(terms)
    assert all(0 < weight < 2.5 for weight in weights.values())
    most = max(weights, key=lambda term: weights[term])
    assert terms.count(most) == max(terms.count(term) for term in terms)


@given(st.integers(1, 10_000), st.data())
def test_idf_falls_with_frequency_and_stays_positive(n_docs: int, data: st.DataObject) -> None:
    n_with_term = data.draw(st.integers(0, n_docs - 1))
    assert idf(n_docs, n_with_term) > idf(n_docs, n_with_term + 1) > 0


@pytest.mark.parametrize(
    "arguments", [{"avg_terms": 0}, {"avg_terms": 1, "k1": -1}, {"avg_terms": 1, "b": 2}]
)
def test_arguments_out_of_range(arguments: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="need"):
        term_weights(["a"], **arguments)
    with pytest.raises(ValueError, match="need"):
        idf(1, 2)


def test_empty_text_has_no_weights() -> None:
    assert term_weights([], avg_terms=3.0) == {}
