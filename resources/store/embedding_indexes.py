"""Rows <-> values of embedding indexes: which model's vectors there are, and how far they cover the corpus."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from rejoinder.llm.ports import Vectors
from resources.postgres import Transaction
from resources.queries import vectors_of

IndexState = Literal["building", "active", "retired"]
Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class EmbeddingIndex:
    """The vectors of one model. has_vectors is False once they were dropped."""

    id: int
    model: str
    dim: int
    state: IndexState
    created_at: datetime
    activated_at: datetime | None
    has_vectors: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the corpus's chunks have a vector in an index."""

    n_chunks: int
    n_missing: int

    @property
    def share(self) -> float:
        """In [0, 1]; an empty corpus is covered."""
        return 1 - self.n_missing / self.n_chunks if self.n_chunks else 1.0


def list_indexes(tx: Transaction) -> list[EmbeddingIndex]:
    """Every index there ever was, oldest first."""
    return [EmbeddingIndex(**row) for row in tx.rows("list_embedding_indexes")]


def active_index(tx: Transaction) -> EmbeddingIndex | None:
    """The index that searches read; None before the first model was used."""
    return next((index for index in list_indexes(tx) if index.state == "active"), None)


def served_indexes(tx: Transaction) -> list[EmbeddingIndex]:
    """The indexes that every new chunk gets a vector in: the active one, and those built beside it."""
    return [i for i in list_indexes(tx) if i.has_vectors and i.state in {"active", "building"}]


def coverage(tx: Transaction, index: EmbeddingIndex) -> Coverage:
    """How far the index covers the current chunks; nothing where its vectors were dropped."""
    n_chunks = int(tx.value("count_current_chunks"))
    if not index.has_vectors:
        return Coverage(n_chunks, n_chunks)
    return Coverage(n_chunks, int(tx.value("count_chunks_without_embedding", vectors=vectors_of(index.id))))


def keep_vectors(tx: Transaction, index_id: int, chunks: Rows, vectors: Vectors | Sequence[Vectors]) -> None:
    """Keep the vectors of chunks (id, indexed_text); a chunk that was replaced or renamed meanwhile gets none."""
    rows = [
        {"chunk_id": c["id"], "indexed_text": c["indexed_text"], "embedding": v}
        for c, v in zip(chunks, vectors, strict=True)
    ]
    tx.execute_many("insert_chunk_embedding", rows, vectors=vectors_of(index_id))
