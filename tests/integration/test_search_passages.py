"""Hybrid retrieval in SQL gives what the formulas say: BM25 with Lucene's idf, cosine, reciprocal rank fusion."""

import math
from collections import Counter

import numpy as np
import pytest

from rejoinder.corpus.bm25 import idf, term_weights
from rejoinder.text.terms import index_terms
from resources.postgres import Database, Transaction
from resources.steps.research import search_passages
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


@pytest.fixture
def chunk_ids(db: Database, vectors: np.ndarray) -> list[int]:
    with db.transaction() as tx:
        creator_id = tx.value("ensure_creator", name="c")
        project_id = tx.value("ensure_project", creator_id=creator_id, name="p")
        source_id = tx.value(
            "upsert_source", project_id=project_id, name="s", title="S", url=None, format="text", language=None,
            content_hash="h", duration_s=None,
        )  # fmt: skip
        index_id = tx.value("ensure_embedding_index", model="test", dim=DIM)
        return [insert_chunk(tx, source_id, index_id, i, vectors[i]) for i in range(len(TEXTS))]


def average_terms() -> float:
    return sum(len(index_terms(t)) for t in TEXTS) / len(TEXTS)


def insert_chunk(tx: Transaction, source_id: int, index_id: int, i: int, vector: np.ndarray) -> int:
    terms = index_terms(TEXTS[i])
    chunk_id = tx.value(
        "upsert_chunk", source_id=source_id, chunk_index=i, content_hash=str(i), text=TEXTS[i], n_tokens=9,
        n_terms=len(terms), start_s=float(i), end_s=i + 1.0, speakers=[],
    )  # fmt: skip
    weights = term_weights(terms, avg_terms=average_terms())
    tx.execute_many(
        "insert_posting", [{"term": t, "chunk_id": chunk_id, "weight": w} for t, w in weights.items()]
    )
    tx.execute("insert_chunk_embedding", chunk_id=chunk_id, index_id=index_id, embedding=vector)
    return int(chunk_id)


def expected(query: np.ndarray, vectors: np.ndarray) -> tuple[list[float], list[float], list[float]]:
    """Cosines, BM25 scores and fused scores, by the formulas."""
    wanted = set(index_terms(QUESTION))
    bags = [term_weights(index_terms(t), avg_terms=average_terms()) for t in TEXTS]
    n_with = Counter(term for bag in bags for term in bag)
    lexical = [sum(w * idf(len(TEXTS), n_with[t]) for t, w in bag.items() if t in wanted) for bag in bags]
    dense = [float(v @ query) for v in vectors]
    fused = [0.0] * len(TEXTS)
    for scores in (dense, lexical):
        found = [i for i, s in enumerate(scores) if s > 0 or scores is dense]
        for rank, i in enumerate(sorted(found, key=lambda i, s=scores: -s[i]), 1):
            fused[i] += 1 / (60 + rank)
    return dense, lexical, fused


def test_scores_and_order_are_those_of_the_formulas(
    db: Database, vectors: np.ndarray, chunk_ids: list[int]
) -> None:
    query = vectors[1] * 0.6 + vectors[4] * 0.8
    query = (query / np.linalg.norm(query)).astype(np.float32)
    with db.transaction() as tx:
        passages, rarity = search_passages(tx, QUESTION, query, Retrieval(candidates=50, passages=6))
    dense, lexical, fused = expected(query, vectors)
    order = sorted(range(len(TEXTS)), key=lambda i: (-fused[i], chunk_ids[i]))
    assert [p.chunk_id for p in passages] == [chunk_ids[i] for i in order]
    for passage in passages:
        i = chunk_ids.index(passage.chunk_id)
        assert passage.score == pytest.approx(fused[i])
        assert passage.dense == pytest.approx(dense[i], abs=2e-3)  # stored in half precision
        assert (passage.lexical or 0.0) == pytest.approx(lexical[i], rel=1e-4)
    assert all(0 < share <= 1 for share in rarity.values()) and not any(map(math.isnan, rarity.values()))
