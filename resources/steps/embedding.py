"""The second step of a source: vectors for its chunks, in every index that is in use or being built."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from rejoinder.errors import RejoinderError
from rejoinder.llm.ports import Embedder, Vectors
from resources.postgres import Database, Transaction
from resources.queries import vectors_of
from resources.steps.sources import move_source
from resources.steps.twins import take_over
from resources.store.embedding_indexes import EmbeddingIndex, Rows, keep_vectors, served_indexes

# About a second of the model's time on two cores: what a run that dies in the middle of a recording loses.
CHUNKS_AT_ONCE = 64


class IndexAppeared(RejoinderError):
    """Another index was added while a source was embedded: it is embedded for that one too, next time."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """Embeds the chunks of a source that lack a vector.

    Which indexes there are is asked anew for every source, so that a worker that runs for hours serves one that was
    added meanwhile. Vectors are committed a few at a time as they come.
    """

    db: Database
    embedder_of: Callable[[str], Embedder]
    name: str = "embed"
    table: str = "source"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[int]:
        """The sources; their chunks are read index by index."""
        return list(ids)

    def work(self, items: Sequence[int]) -> list[int]:
        """Embed and keep the vectors; how many each source got."""
        return [self._embed(source_id) for source_id in items]

    def _embed(self, source_id: int) -> int:
        with self.db.transaction() as tx:
            lacking = [(i, chunks) for i in served_indexes(tx) if (chunks := _lacking(tx, source_id, i))]
        for index, chunks in lacking:
            embed_chunks(self.db, self.embedder_of(index.model), index, chunks)
        return sum(len(chunks) for _, chunks in lacking)

    def save(self, tx: Transaction, item: int, result: int, worker: int) -> str:
        """Move the source on, if by now it has its vectors in every index; from then on it stands for its twins.

        Raises:
            IndexAppeared: it has not.
        """
        take_over(tx, item)
        if any(_lacking(tx, item, index) for index in served_indexes(tx)):
            raise IndexAppeared(f"source {item} was embedded while another index was added")
        move_source(tx, item, "keywords", worker)
        return "embedded"


def _lacking(tx: Transaction, source_id: int, index: EmbeddingIndex) -> Rows:
    return tx.rows("chunks_without_embedding", vectors=vectors_of(index.id), source_id=source_id)


def embed_chunks(db: Database, embedder: Embedder, index: EmbeddingIndex, chunks: Rows) -> None:
    """Embed chunks and keep their vectors, committed a few at a time while the next ones are embedded."""
    kept: Future[None] | None = None
    with ThreadPoolExecutor(1, "keep") as writer:
        for start in range(0, len(chunks), CHUNKS_AT_ONCE):
            part = chunks[start : start + CHUNKS_AT_ONCE]
            vectors = embedder.embed([chunk["indexed_text"] for chunk in part])
            if kept:
                kept.result()
            kept = writer.submit(_keep, db, index, part, vectors)
        if kept:
            kept.result()


def _keep(db: Database, index: EmbeddingIndex, chunks: Rows, vectors: Vectors) -> None:
    with db.transaction() as tx:
        keep_vectors(tx, index.id, chunks, vectors)
