"""Features by hand; a re-scorer learns what tells right from wrong, and is data when stored."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.retrieval.features import FEATURES, coverage, feature_matrix, read_query
from rejoinder.corpus.retrieval.model import train
from rejoinder.corpus.retrieval.rescorer import (
    JudgedQuery,
    LearnedReranker,
    Rescorer,
    data_hash,
    dump,
    load,
    rescore,
)
from rejoinder.corpus.values import Passage
from rejoinder.errors import InputUnreadable
from rejoinder.ids import ChunkId, SourceId


def passage(
    text: str, *, dense: float | None = None, lexical: float | None = None, title: str = ""
) -> Passage:
    return Passage(
        ChunkId(1), SourceId(1), title, None, text, None, None, (), 0.0, dense, lexical, 0, 9, None, "en"
    )


def features_of(query: str, passages: list[Passage], rarity: dict[str, float]) -> list[dict[str, float]]:
    matrix = feature_matrix(read_query(query, rarity), passages)
    return [dict(zip(FEATURES, row.tolist(), strict=True)) for row in matrix]


RARITY = {"compost": 0.8, "heap": 0.6, "smell": 0.4}


def test_coverages_by_hand() -> None:
    found = passage("The smell of a heap.", title="All about compost")
    (row,) = features_of("compost heap smell", [found], RARITY)
    assert row["coverage"] == pytest.approx(1.0 / 1.8)
    assert row["plain_coverage"] == pytest.approx(2 / 3)
    assert row["rarest"] == pytest.approx(0.6)
    assert row["title_coverage"] == pytest.approx(0.8 / 1.8)
    assert row["density"] == 1.0
    assert row["length"] == pytest.approx(math.log1p(2))


def test_a_term_that_the_corpus_lacks_counts_fully() -> None:
    (row,) = features_of("zeolite heap", [passage("a heap")], RARITY)
    assert row["coverage"] == pytest.approx(0.6 / 1.6)


def test_neighbours_by_hand() -> None:
    words = " ".join(f"w{i}" for i in range(9))
    texts = ["compost heap smell", "heap of compost", f"compost {words} heap", "nothing"]
    rows = features_of("compost heap smell", [passage(text) for text in texts], RARITY)
    assert [row["pairs"] for row in rows] == [1.0, 0.0, 0.0, 0.0]
    assert [row["near_pairs"] for row in rows] == [1.0, 0.5, 0.0, 0.0]


def test_a_word_is_no_neighbour_of_itself() -> None:
    (row,) = features_of("compost compost", [passage("compost")], RARITY)
    assert (row["pairs"], row["near_pairs"]) == (0.0, 0.0)


def test_the_best_stretch_is_found_in_a_long_passage() -> None:
    gap = " ".join(f"w{i}" for i in range(40))
    rows = features_of("compost heap smell", [passage(f"smell {gap} compost heap")], RARITY)
    assert rows[0]["window_coverage"] == pytest.approx(1.4 / 1.8)
    assert rows[0]["coverage"] == pytest.approx(1)


def test_a_passage_is_read_as_it_was_indexed() -> None:
    named = replace(passage("We turn it."), named_text="Ada: We turn it.")
    rows = features_of("Ada turned", [passage("We turn it."), named], {})
    assert [row["coverage"] for row in rows] == [0.5, 1.0]
    assert [row["pairs"] for row in rows] == [0.0, 1.0]


def test_scores_and_ranks_of_the_legs() -> None:
    candidates = [
        passage("a", dense=0.5, lexical=2.0),
        passage("b", dense=0.9, lexical=None),
        passage("c", dense=None, lexical=4.0),
    ]
    rows = features_of("query", candidates, {})
    assert [row["dense"] for row in rows] == [0.5, 0.9, 0.5]
    assert [row["dense_share"] for row in rows] == pytest.approx([0.0, 1.0, 0.0])
    assert [row["dense_rank"] for row in rows] == pytest.approx([1 / 12, 1 / 11, 0.0])
    assert [row["lexical_share"] for row in rows] == pytest.approx([0.0, 0.0, 1.0])
    assert [row["lexical_rank"] for row in rows] == pytest.approx([1 / 12, 0.0, 1 / 11])


texts = st.text(alphabet="abc .é漢", max_size=40)
scores = st.none() | st.floats(-1, 30)


@given(texts, st.lists(st.tuples(texts, scores, scores), max_size=5))
def test_features_are_finite_whatever_the_texts(query: str, found: list[tuple[str, float, float]]) -> None:
    candidates = [passage(text, dense=dense, lexical=lexical, title=text) for text, dense, lexical in found]
    matrix = feature_matrix(read_query(query, {}), candidates)
    assert matrix.shape == (len(found), len(FEATURES))
    assert np.isfinite(matrix).all()


@given(st.dictionaries(st.sampled_from("abcd"), st.floats(0, 1)), st.sets(st.sampled_from("abcd")))
def test_coverage_grows_with_the_terms_that_are_there(weights: dict[str, float], there: set[str]) -> None:
    fewer = set(sorted(there)[1:])
    assert 0 <= coverage(weights, fewer) <= coverage(weights, there) <= 1 + 1e-12


def judged(n: int, *, telling: int = 0, seed: int = 5) -> list[JudgedQuery]:
    """Queries whose relevant candidate has the greatest value in one column, noise in the others."""
    rng = np.random.default_rng(seed)
    queries = []
    for i in range(n):
        x = rng.normal(size=(6, len(FEATURES)))
        best = int(x[:, telling].argmax())
        queries.append(JudgedQuery(f"q{i}", x, tuple(float(j == best) for j in range(6))))
    return queries


def test_training_finds_the_feature_that_tells() -> None:
    model = train(judged(80, telling=3), trained_on="made up", embedding_model="test::m")
    assert max(range(len(FEATURES)), key=lambda i: abs(model.weights[i])) == 3
    fresh = judged(50, telling=3, seed=6)
    hits = [int(rescore(model, q.x).argmax()) == q.gains.index(1.0) for q in fresh]
    assert sum(hits) / len(hits) > 0.8  # a sixth would be chance
    assert (model.n_queries, model.n_pairs) == (80, 80 * 5)


def test_training_does_not_depend_on_the_order_or_the_unit() -> None:
    queries = judged(40)
    model = train(queries, trained_on="x", embedding_model="test::m")
    again = train(queries[::-1], trained_on="x", embedding_model="test::m")
    assert model == again
    scaled = [JudgedQuery(q.query_key, q.x * 1000, q.gains) for q in queries]
    assert np.array(train(scaled, trained_on="x", embedding_model="test::m").weights) * 1000 == pytest.approx(
        np.array(model.weights), rel=1e-3
    )


def test_a_query_counts_once_however_many_pairs_it_has() -> None:
    few = judged(30, telling=1)
    rng = np.random.default_rng(2)
    many = JudgedQuery("z", rng.normal(size=(400, len(FEATURES))), (1.0,) + (0.0,) * 399)
    model = train([*few, many], trained_on="x", embedding_model="test::m")
    assert max(range(len(FEATURES)), key=lambda i: abs(model.weights[i])) == 1


@pytest.mark.parametrize("gains", [(0.0, 0.0), (1.0, 1.0)])
def test_training_needs_right_and_wrong(gains: tuple[float, float]) -> None:
    with pytest.raises(InputUnreadable, match="relevant and irrelevant"):
        train(
            [JudgedQuery("q", np.zeros((2, len(FEATURES))), gains)], trained_on="x", embedding_model="test::m"
        )


def test_a_stored_model_comes_back_equal() -> None:
    model = train(judged(10), trained_on="é", embedding_model="test::m")
    assert load(dump(model)) == model


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"weights": [1.0]},
        {"weights": [float("nan")] * len(FEATURES)},
        {"features": ["x"]},
        {"extra": 1},
        {"weights": "no"},
    ],
)
def test_what_is_no_stored_model_is_refused(change: dict[str, object]) -> None:
    fields = json.loads(dump(train(judged(10), trained_on="x", embedding_model="test::m")))
    with pytest.raises(InputUnreadable):
        load(json.dumps({**fields, **change}).encode())


def test_one_that_does_not_say_its_embedding_model_is_told_so() -> None:
    fields = json.loads(dump(train(judged(10), trained_on="x", embedding_model="test::m")))
    del fields["embedding_model"]
    with pytest.raises(InputUnreadable, match="with which embedding model it learned: train it again"):
        load(json.dumps(fields).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\xff"])
def test_bytes_that_are_no_object_are_refused(data: bytes) -> None:
    with pytest.raises(InputUnreadable):
        load(data)


def test_other_features_than_trained_on_are_refused() -> None:
    with pytest.raises(ValueError, match="features per candidate"):
        rescore(train(judged(10), trained_on="x", embedding_model="test::m"), np.zeros((2, 3)))


def test_the_same_data_has_the_same_hash() -> None:
    queries = judged(5)
    assert data_hash(queries) == data_hash(queries[::-1]) != data_hash(queries[:4])


def test_behind_the_port_a_passage_that_covers_the_query_wins() -> None:
    weights = tuple(float(name == "coverage") for name in FEATURES)
    reranker = LearnedReranker(Rescorer(FEATURES, weights, 1, 1, "by hand", "h" * 64, "test::m"))
    scores = reranker.score("compost heap", [passage("heap"), passage("compost heap")], rarity=RARITY)
    assert scores[1] > scores[0]
    assert reranker.name == "linear:hhhhhhhhhhhh"
