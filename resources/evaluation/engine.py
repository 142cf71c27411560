"""Our own engine, as shipped, on a task: the passages in PostgreSQL, the statement that the product searches with.

What belongs here: storing a task's sources through the product's own code, and searching them through
`resources.retrieval`. The database is a scratch one (see `scratch_database`).
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rejoinder.corpus.chunks import content_hash
from rejoinder.corpus.retrieval.ports import Reranker
from rejoinder.corpus.values import Cue, Passage, Transcript
from rejoinder.llm.ports import Embedder, Vectors
from resources.embedded.cluster import stop_cluster
from resources.evaluation.peers import Ranked
from resources.evaluation.task import Asked, Source, Task, passage_key
from resources.postgres import Database, Transaction
from resources.provision import prepare
from resources.retrieval import Retrieved, Retriever
from resources.search import SearchQuery
from resources.settings import Settings
from resources.steps.chunking import save_chunks
from resources.store.embedding_indexes import keep_vectors
from resources.store.sources import NewSource, save_source
from resources.tuning import Retrieval

SOURCES_AT_ONCE = 50


@contextmanager
def scratch_database() -> Iterator[Database]:
    """An embedded PostgreSQL with every migration, in a folder that is removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="rejoinder-eval-"))
    home.chmod(0o755)
    settings = Settings(home=home, database_url=None)
    try:
        database = Database(prepare(settings).app).open()
        try:
            yield database
        finally:
            database.close()
    finally:
        stop_cluster(home, settings.system_data)
        shutil.rmtree(home, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first stage found for one question, and how long it and the question's embedding took."""

    query: SearchQuery
    found: Retrieved
    stages_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Engine:
    """A stored task, ready to be searched; source_ids are rows by the sources' keys."""

    embedder: Embedder
    retriever: Retriever
    index_id: int
    project_id: int
    source_ids: Mapping[str, int]

    def search(self, asked: Asked) -> Answer:
        """Embed the question and run the first stage, each timed."""
        started = time.perf_counter()
        vector = self.embedder.embed([asked.text], "query")[0]
        embedded = time.perf_counter()
        within = (self.source_ids[asked.within],) if asked.within else ()
        query = SearchQuery(asked.text, vector, self.index_id, self.project_id, source_ids=within)
        found = self.retriever.gather(query)
        stages = {"embed_ms": embedded - started, "search_ms": time.perf_counter() - embedded}
        return Answer(query, found, {name: s * 1000 for name, s in stages.items()})

    def keys(self, passages: Sequence[Passage]) -> tuple[str, ...]:
        """The task's names of passages found."""
        names = {row: key for key, row in self.source_ids.items()}
        return tuple(passage_key(names[p.source_id], p.chunk_index) for p in passages)

    def ranked(self, answer: Answer) -> Ranked:
        """The answer as it stands."""
        return Ranked(self.keys(answer.found.passages), answer.stages_ms)

    def leg(self, answer: Answer, name: str) -> Ranked:
        """The ranking of one leg alone: ``dense`` or ``lexical``."""
        found = [(getattr(p, name), p) for p in answer.found.passages if name == "dense" or p.lexical]
        best = [p for _, p in sorted(found, key=lambda pair: -pair[0])][: self.retriever.retrieval.candidates]
        return Ranked(self.keys(best), {})

    def reranked(self, answer: Answer, reranker: Reranker) -> Ranked:
        """The answer after the second stage."""
        started = time.perf_counter()
        ordered = replace(self.retriever, reranker=reranker).order(answer.query, answer.found)
        taken_ms = (time.perf_counter() - started) * 1000
        return Ranked(self.keys(ordered.passages), {**answer.stages_ms, "rerank_ms": taken_ms})


def store_task(
    db: Database,
    task: Task,
    embedder: Embedder,
    vectors: Vectors,
    retrieval: Retrieval,
    *,
    progress: Callable[[int], None],
) -> Engine:
    """Store a task's sources as the product stores them; told of each source as it is done.

    Args:
        db: a scratch database, as the application.
        task: what is stored.
        embedder: for the questions; vectors are its passages', in the task's order.
        vectors: shape (n_passages, dim).
        retrieval: what the engine searches with; every passage that it is to be judged by is asked for.
        progress: told of how many sources were just stored.
    """
    with db.transaction() as tx:
        index_id = tx.value("ensure_embedding_index", model=embedder.model, dim=embedder.dim)
        project_id = tx.value(
            "ensure_project", creator_id=tx.value("ensure_creator", name="evaluation"), name=task.name
        )
    ids: dict[str, int] = {}
    row = 0
    for start in range(0, len(task.sources), SOURCES_AT_ONCE):
        part = task.sources[start : start + SOURCES_AT_ONCE]
        with db.transaction() as tx:
            for source in part:
                following = row + len(source.chunks)
                ids[source.key] = _store(tx, project_id, index_id, source, vectors[row:following])
                row = following
        progress(len(part))
    with db.transaction() as tx:
        tx.execute("lift_statement_timeout")
        tx.execute("build_embedding_graph", index_id=index_id)
        tx.connection.execute("analyze")
    return Engine(embedder, Retriever(db, retrieval), index_id, project_id, ids)


def _store(tx: Transaction, project_id: int, index_id: int, source: Source, vectors: Vectors) -> int:
    read = Transcript(
        source.title or source.key, "evaluation", tuple(Cue(c.text) for c in source.chunks), source.language
    )
    new = NewSource(project_id, source.key, read, content_hash(source.key), raw_key="")
    source_id = save_source(tx, new).id
    ids = save_chunks(tx, source_id, source.chunks, source.language)
    stored = [{"id": i, "indexed_text": c.indexed_text} for i, c in zip(ids, source.chunks, strict=True)]
    keep_vectors(tx, index_id, stored, vectors)
    return source_id
