"""Changing the embedding model: vectors of the new one are built beside those in use, then searches switch at once.

Nothing stops meanwhile: searches read the index in use, new sources get vectors in both. A build that is killed goes
on where it was; two at once cannot happen, for each holds a session advisory lock on its index.

Posts that were embedded with the model before keep their vectors, which are compared only with the index of the same
model; a post that reaches triage after the switch is embedded anew (resources/steps/triage.py).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import psycopg

from rejoinder.llm.ports import Embedder
from resources.postgres import Database, Transaction, connect
from resources.queries import vectors_of
from resources.steps.embedding import CHUNKS_AT_ONCE, embed_chunks
from resources.store.embedding_indexes import Coverage, EmbeddingIndex, Rows, coverage, list_indexes
from resources.work.stopping import StopSignal

Outcome = Literal["active", "switched", "stopped", "busy"]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did.

    outcome: it was the active one already, it is now, the build was stopped on the way, or another process
    builds it. embedded counts chunks.
    """

    index_id: int
    model: str
    outcome: Outcome
    embedded: int
    seconds: float


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """An index and how far it covers the corpus."""

    index: EmbeddingIndex
    coverage: Coverage


def index_statuses(db: Database) -> list[IndexStatus]:
    """Every index with its coverage, oldest first."""
    with db.transaction() as tx:
        return [IndexStatus(index, coverage(tx, index)) for index in list_indexes(tx)]


def is_build_due(db: Database, model: str) -> bool:
    """Whether the index of a model is there and is not the active one."""
    with db.transaction() as tx:
        return any(i.model == model and i.state == "building" for i in list_indexes(tx))


def build_index(
    db: Database, embedder: Embedder, *, stop: StopSignal, progress: Callable[[int], None] | None = None
) -> BuildReport:
    """Embed every chunk that lacks a vector of this model, then make its index the one that searches read.

    Args:
        db: the application's pool.
        embedder: of the model; its index is made where there is none.
        stop: looked at between two batches; what was committed stands.
        progress: told how many chunks were just embedded.
    """
    started = time.monotonic()
    with db.transaction() as tx:
        tx.value("ensure_embedding_index", model=embedder.model, dim=embedder.dim)
        index = next(i for i in list_indexes(tx) if i.model == embedder.model)
    build = _Build(db, embedder, index, stop, progress or (lambda _n: None))
    outcome = "active" if index.state == "active" else build.run()
    return BuildReport(index.id, index.model, outcome, build.embedded, round(time.monotonic() - started, 3))


@dataclass(slots=True)
class _Build:
    """One build_index call."""

    db: Database
    embedder: Embedder
    index: EmbeddingIndex
    stop: StopSignal
    progress: Callable[[int], None]
    embedded: int = 0

    def run(self) -> Outcome:
        with connect(self.db.url, autocommit=True) as connection:
            if not Transaction(connection).value("hold_index_build", index_id=self.index.id):
                return "busy"
            while self._fill():
                if self._switch():
                    return "switched"
            return "stopped"

    def _fill(self) -> bool:
        """Embed what is missing; False if a stop was asked for first."""
        after_id = 0
        while chunks := self._next_chunks(after_id):
            if self.stop.is_set():
                return False
            embed_chunks(self.db, self.embedder, self.index, chunks)
            after_id = chunks[-1]["id"]
            self.embedded += len(chunks)
            self.progress(len(chunks))
        return not self.stop.is_set()

    def _next_chunks(self, after_id: int) -> Rows:
        with self.db.transaction() as tx:
            return tx.rows(
                "any_chunks_without_embedding",
                vectors=vectors_of(self.index.id),
                after_id=after_id,
                top=CHUNKS_AT_ONCE,
            )

    def _switch(self) -> bool:
        """Draw the graph over the vectors, then switch; False where a chunk came in between."""
        with self.db.transaction() as tx:
            tx.execute("lift_statement_timeout")
            tx.execute("build_embedding_graph", index_id=self.index.id)
        try:
            with self.db.transaction() as tx:
                tx.execute("activate_embedding_index", index_id=self.index.id)
        except psycopg.errors.ObjectNotInPrerequisiteState:
            return False
        return True
