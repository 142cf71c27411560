"""The second step of a source: vectors for its chunks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rejoinder.llm.ports import Embedder
from resources.postgres import Database, Transaction
from resources.queries import vectors_of
from resources.steps.sources import move_source

# A model call of 16 chunks takes about half a second on two cores.
CHUNKS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Embedding:
    """Embeds the chunks of a source that have no vector in the index yet.

    Vectors are committed a few at a time as they come: a run that dies in the middle of a long recording
    loses seconds, not the recording.
    """

    db: Database
    embedder: Embedder
    index_id: int
    name: str = "embed"
    table: str = "source"

    @property
    def vectors(self) -> str:
        """The table that the vectors go to."""
        return vectors_of(self.index_id)

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[tuple[int, list[dict[str, Any]]]]:
        """(source id, chunks to embed)."""
        return [(i, tx.rows("chunks_without_embedding", vectors=self.vectors, source_id=i)) for i in ids]

    def work(self, items: Sequence[tuple[int, list[dict[str, Any]]]]) -> list[int]:
        """Embed and keep the vectors; how many each source got."""
        return [self._embed(chunks) for _, chunks in items]

    def _embed(self, chunks: list[dict[str, Any]]) -> int:
        for start in range(0, len(chunks), CHUNKS_AT_ONCE):
            part = chunks[start : start + CHUNKS_AT_ONCE]
            vectors = self.embedder.embed([c["text"] for c in part])
            rows = [{"chunk_id": c["id"], "embedding": v} for c, v in zip(part, vectors, strict=True)]
            with self.db.transaction() as tx:
                tx.execute_many("insert_chunk_embedding", rows, vectors=self.vectors)
        return len(chunks)

    def save(self, tx: Transaction, item: tuple[int, list[dict[str, Any]]], result: int, worker: int) -> str:
        """Move the source on."""
        move_source(tx, item[0], "keywords", worker)
        return "embedded"
