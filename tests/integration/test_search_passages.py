"""Hybrid retrieval in SQL gives what the formulas say: BM25 with Lucene's idf, cosine, min-max fusion."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from rejoinder.corpus.bm25 import idf, term_weights
from rejoinder.corpus.retrieval.fusion import min_max_fusion
from rejoinder.corpus.values import Chunk
from rejoinder.text.terms import index_terms
from resources.postgres import Database, Transaction
from resources.search import SearchQuery, rarity, search
from resources.steps.chunking import save_chunks
from resources.store.embedding_indexes import keep_vectors
from resources.tuning import Retrieval

TEXTS = (
    "Compost needs air and water.",
    "A heap without air smells of rotten eggs.",
    "PostgreSQL replicas are no backups.",
    "Restore a backup once, or it is only a hope.",
    "Heat pumps work below freezing.",
    "Water boils faster with a lid on the pot.",
)
QUESTION = "Why does my compost heap smell of eggs and water?"
DIM = 384


@pytest.fixture
def vectors() -> np.ndarray:
    rows = np.random.default_rng(7).normal(size=(len(TEXTS), DIM)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@dataclass(frozen=True)
class Corpus:
    """The texts, indexed."""

    project_id: int
    index_id: int
    chunk_ids: list[int]


@pytest.fixture
def corpus(db: Database, vectors: np.ndarray) -> Corpus:
    with db.transaction() as tx:
        creator_id = tx.value("ensure_creator", name="c")
        project_id = tx.value("ensure_project", creator_id=creator_id, name="p")
        source_id = insert_source(tx, project_id)
        index_id = tx.value("ensure_embedding_index", model="test", dim=DIM)
        chunks = [Chunk(i, t, str(i), 9, float(i), i + 1.0) for i, t in enumerate(TEXTS)]
        ids = save_chunks(tx, source_id, chunks, None)
        rows = [{"id": i, "indexed_text": text} for i, text in zip(ids, TEXTS, strict=True)]
        keep_vectors(tx, index_id, rows, vectors)
    return Corpus(project_id, index_id, ids)


def insert_source(tx: Transaction, project_id: int) -> int:
    row = tx.connection.execute(
        "insert into source (project_id, name, title, format, content_hash)"
        " values (%s, 's', 'S', 'text', 'h') returning id", (project_id,)
    ).fetchone()  # fmt: skip
    assert row
    return int(row["id"])


def average_terms() -> float:
    return sum(len(index_terms(t)) for t in TEXTS) / len(TEXTS)


def expected(query: np.ndarray, vectors: np.ndarray) -> tuple[list[float], list[float], dict[int, float]]:
    """Cosines, BM25 scores and fused scores, by the formulas."""
    wanted = set(index_terms(QUESTION))
    bags = [term_weights(index_terms(t), avg_terms=average_terms()) for t in TEXTS]
    n_with = Counter(term for bag in bags for term in bag)
    lexical = [sum(w * idf(len(TEXTS), n_with[t]) for t, w in bag.items() if t in wanted) for bag in bags]
    dense = [float(v @ query) for v in vectors]
    legs = [dict(enumerate(dense)), dict(enumerate(lexical))]
    return dense, lexical, dict(min_max_fusion(legs, weights=[0.3, 0.7], floors=[None, 0]))


@pytest.mark.parametrize("max_postings", [1, 3, 20_000])
def test_scores_and_order_are_those_of_the_formulas(
    db: Database, vectors: np.ndarray, corpus: Corpus, max_postings: int
) -> None:
    query = vectors[1] * 0.6 + vectors[4] * 0.8
    query = (query / np.linalg.norm(query)).astype(np.float32)
    asked = SearchQuery(QUESTION, query, index_id=corpus.index_id, project_id=corpus.project_id)
    retrieval = Retrieval(candidates=50, passages=6, max_postings=max_postings, dense_weight=0.3)
    with db.transaction() as tx:
        passages = search(tx, asked, retrieval)
    dense, lexical, fused = expected(query, vectors)
    found = [corpus.chunk_ids.index(p.chunk_id) for p in passages]
    assert found == sorted(fused, key=lambda i: -fused[i])
    # However few postings may bring candidates, what is found has its whole score.
    for i, passage in zip(found, passages, strict=True):
        assert passage.dense == pytest.approx(dense[i], abs=2e-3)  # stored in half precision
        assert passage.lexical == pytest.approx(lexical[i], rel=1e-5)
        assert passage.score == pytest.approx(fused[i], abs=2e-3)
        assert passage.dense_rank == 1 + sum(other > dense[i] for other in dense)
        assert passage.lexical_rank == (
            1 + sum(other > lexical[i] for other in lexical) if lexical[i] else None
        )
    assert [passage.fused_rank for passage in passages] == [*range(1, len(passages) + 1)]


def test_rarity_is_a_share(db: Database, corpus: Corpus) -> None:
    with db.transaction() as tx:
        rare = rarity(tx, QUESTION, project_id=corpus.project_id)
    assert rare["compost"] > rare["water"] and "eggplant" not in rare
    assert all(0 < share <= 1 for share in rare.values())
