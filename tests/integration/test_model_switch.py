"""Another embedding model: built beside the one in use, killed on the way, switched to at once, taken back, dropped."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from hashed_embedder import HashedEmbedder

from rejoinder.corpus.values import Chunk
from rejoinder.errors import ConfigInvalid
from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from resources.commands.actors import machine_owner
from resources.commands.embedding_models import drop_index
from resources.llm.shelf import Shelf
from resources.postgres import Database, Transaction
from resources.provision import Addresses
from resources.queries import vectors_of
from resources.reembedding import BuildReport, build_index, index_statuses, is_build_due
from resources.search import SearchQuery, search
from resources.settings import Settings
from resources.steps.chunking import save_chunks
from resources.steps.embedding import CHUNKS_AT_ONCE, IndexAppeared
from resources.steps.embedding import Embedding as EmbeddingStep
from resources.store.channels import save_channel
from resources.store.embedding_indexes import list_indexes
from resources.store.posts import insert_post
from resources.tuning import Embedding, Tuning
from resources.wiring import run_step
from resources.work.stopping import StopSignal
from resources.workbench import Workbench

ANIMALS = ("otter", "heron", "badger", "lynx", "marten", "stoat", "beaver", "osprey", "adder", "newt")
N_CHUNKS = 3 * CHUNKS_AT_ONCE + 5
CHILD = """
import sys
from hashed_embedder import HashedEmbedder
from resources.postgres import Database
from resources.reembedding import build_index
from resources.work.stopping import StopSignal
build_index(Database(sys.argv[1]).open(), HashedEmbedder(64, delay_s=0.01), stop=StopSignal())
"""


def text_of(i: int) -> str:
    return f"The {ANIMALS[i % 10]} of valley {i} sleeps near bridge {i * 7}."


class Corpus:
    """A corpus on a model of 256 dimensions, and one of 64 that may come."""

    def __init__(self, addresses: Addresses, db: Database, home: Path) -> None:
        self.addresses, self.db = addresses, db
        self.old, self.new = HashedEmbedder(256), HashedEmbedder(64)
        with db.transaction() as tx:
            self.old_id = int(tx.value("ensure_embedding_index", model=self.old.model, dim=256))
            self.project_id = int(
                tx.value("ensure_project", creator_id=tx.value("ensure_creator", name="c"), name="p")
            )
        self.shelf = Shelf(makers={e.model: self._maker(e) for e in (self.old, self.new)})
        self.bench = Workbench(
            Settings(home=home), Tuning(embedding=Embedding(model=self.old.model)), addresses, db, self.old,
            self.old_id, self.project_id, self.shelf,
        )  # fmt: skip

    @staticmethod
    def _maker(embedder: HashedEmbedder) -> Callable[[], HashedEmbedder]:
        return lambda: embedder

    def add_source(self, name: str, first: int, n: int) -> int:
        """A chunked source that waits for its vectors."""
        with self.db.transaction() as tx:
            row = tx.connection.execute(
                "insert into source (project_id, name, title, format, content_hash, step, status)"
                " values (%s, %s, 'S', 'text', %s, 'embed', 'pending') returning id",
                (self.project_id, name, name),
            ).fetchone()
            assert row
            chunks = [Chunk(i, text_of(first + i), str(first + i), n_tokens=9) for i in range(n)]
            save_chunks(tx, row["id"], chunks, None)
        return int(row["id"])

    def configure(self, model: str) -> Workbench:
        """What a process that starts after rejoinder.toml was changed works with."""
        self.bench = replace(self.bench, tuning=Tuning(embedding=Embedding(model=model)))
        with self.db.transaction() as tx:
            embedder = self.shelf.of(model)
            tx.value("ensure_embedding_index", model=model, dim=embedder.dim)
        return self.bench

    def best(self, i: int) -> str:
        """The text of the passage found first for chunk i's own words, by meaning alone."""
        bench = self.bench.current()
        vector = bench.embedder.embed([text_of(i)], "query")[0]
        asked = SearchQuery("", vector, index_id=bench.index_id, project_id=self.project_id)
        with self.db.transaction() as tx:
            return search(tx, asked, bench.tuning.retrieval)[0].text

    def build(self, embedder: HashedEmbedder) -> BuildReport:
        return build_index(self.db, embedder, stop=StopSignal())

    def standing(self) -> dict[str, tuple[str, int]]:
        """State and missing chunks of each index by its model."""
        return {s.index.model: (s.index.state, s.coverage.n_missing) for s in index_statuses(self.db)}

    def n_vectors(self, index_id: int) -> int:
        with self.db.transaction() as tx:
            row = tx.connection.execute(
                "select count(*) as n from chunk_embedding where embedding_index_id = %s", (index_id,)
            ).fetchone()
        assert row
        return int(row["n"])


@pytest.fixture
def corpus(addresses: Addresses, db: Database, tmp_path: Path) -> Corpus:
    made = Corpus(addresses, db, tmp_path)
    made.add_source("first", 0, N_CHUNKS)
    assert run_step(made.bench, "embed_chunks", stop=StopSignal()).outcomes == {"embedded": 1}
    return made


def start_killed_build(corpus: Corpus, index_id: int) -> int:
    """Build in a process of its own, kill it once something is committed; how many vectors stand."""
    command = [sys.executable, "-c", CHILD, corpus.addresses.app]
    path = f"{Path(__file__).parent}:{Path(__file__).parents[2]}"
    child = subprocess.Popen(command, env={"PYTHONPATH": path}, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 60
        while not (n := corpus.n_vectors(index_id)) and time.monotonic() < until and child.poll() is None:
            assert corpus.best(5) == text_of(5), "search answers while the index is built"
        assert corpus.build(corpus.new).outcome == "busy", "one process builds at a time"
    finally:
        child.kill()
        _, errors = child.communicate()
    assert n, errors.decode()
    return corpus.n_vectors(index_id)


def test_a_build_is_killed_goes_on_and_switches_at_once(corpus: Corpus) -> None:
    corpus.configure(corpus.new.model)
    new_id = next(s.index.id for s in index_statuses(corpus.db) if s.index.model == corpus.new.model)
    kept = start_killed_build(corpus, new_id)
    assert 0 < kept < N_CHUNKS and corpus.standing()[corpus.new.model] == ("building", N_CHUNKS - kept)
    assert corpus.bench.current().index_id == corpus.old_id

    report = corpus.build(corpus.new)
    assert (report.outcome, report.embedded) == ("switched", N_CHUNKS - kept), (
        "what was committed is not done again"
    )
    assert corpus.standing() == {corpus.old.model: ("retired", 0), corpus.new.model: ("active", 0)}
    bench = corpus.bench.current()
    assert (bench.index_id, bench.embedder.dim) == (new_id, 64) and corpus.best(5) == text_of(5)
    with corpus.db.transaction() as tx:
        plan = tx.connection.execute(
            "select indexname from pg_indexes where tablename = %s and indexdef like '%%hnsw%%'",
            (vectors_of(new_id),),
        ).fetchall()
    assert plan, "the graph is drawn before the switch"

    with pytest.raises(ConfigInvalid, match="is the one that searches read"):
        drop_index(corpus.db, machine_owner(), new_id)
    with pytest.raises(ConfigInvalid, match="no embedding index 99"):
        drop_index(corpus.db, machine_owner(), 99)
    drop_index(corpus.db, machine_owner(), corpus.old_id)
    assert corpus.standing()[corpus.old.model] == ("retired", N_CHUNKS) and corpus.best(7) == text_of(7)


def test_new_sources_get_vectors_in_both_and_the_step_itself_builds_and_switches(corpus: Corpus) -> None:
    bench = corpus.configure(corpus.new.model)
    corpus.add_source("second", 1000, 4)
    assert is_build_due(corpus.db, corpus.new.model)
    assert run_step(bench, "embed_chunks", stop=StopSignal()).outcomes == {"embedded": 1}
    assert not is_build_due(corpus.db, corpus.new.model)
    assert corpus.standing() == {corpus.old.model: ("retired", 0), corpus.new.model: ("active", 0)}
    assert corpus.old.embedded.count(text_of(1002)) == corpus.new.embedded.count(text_of(1002)) == 1
    assert len(corpus.new.embedded) == N_CHUNKS + 4 and corpus.best(1002) == text_of(1002)


def test_a_stopped_build_keeps_what_it_has_and_does_not_switch(corpus: Corpus) -> None:
    stop = StopSignal()
    report = build_index(corpus.db, corpus.new, stop=stop, progress=lambda _n: stop.set())
    assert (report.outcome, report.embedded) == ("stopped", CHUNKS_AT_ONCE)
    assert corpus.standing()[corpus.new.model] == ("building", N_CHUNKS - CHUNKS_AT_ONCE)
    assert corpus.bench.current().index_id == corpus.old_id


def test_a_model_that_comes_back_needs_only_what_it_missed(corpus: Corpus) -> None:
    assert corpus.build(corpus.new).outcome == "switched"
    corpus.add_source("third", 2000, 3)
    run_step(corpus.bench, "embed_chunks", stop=StopSignal())
    assert corpus.standing()[corpus.old.model] == ("retired", 3)
    report = corpus.build(corpus.old)
    assert (report.outcome, report.embedded) == ("switched", 3)
    assert corpus.build(corpus.old).outcome == "active"
    assert corpus.bench.current().index_id == corpus.old_id and corpus.best(2001) == text_of(2001)


def test_a_source_that_was_embedded_while_an_index_came_is_embedded_for_it_too(corpus: Corpus) -> None:
    source_id = corpus.add_source("late", 3000, 2)
    step = EmbeddingStep(corpus.db, corpus.bench.embedder_of)
    result = step.work([source_id])[0]
    corpus.configure(corpus.new.model)
    with pytest.raises(IndexAppeared), corpus.db.transaction() as tx:
        step.save(tx, source_id, result, worker=1)
    assert step.work([source_id]) == [2] and corpus.standing()[corpus.new.model] == ("building", N_CHUNKS)


def hear(tx: Transaction, corpus: Corpus, text: str) -> None:
    channel_id = save_channel(
        tx, project_id=corpus.project_id, name="rehearsal", platform="x", account="@Rejoinder", base_url=None,
        is_sandbox=True, policy=default_policy("sandbox/x/self_serve"),
    )  # fmt: skip
    post = Post("x", "1001", text, created_at=datetime(2026, 11, 1, tzinfo=UTC), author="reader")
    insert_post(tx, channel_id, post, is_summoned=False, priority=1)


def test_a_post_in_flight_is_compared_only_with_vectors_of_its_own_model(corpus: Corpus) -> None:
    """It was embedded with the old model and judged after the switch: it is embedded anew, not judged by nothing."""
    with corpus.db.transaction() as tx:
        hear(tx, corpus, text_of(7))
    assert run_step(corpus.bench, "embed_posts", stop=StopSignal()).outcomes == {"embedded": 1}
    assert corpus.build(corpus.new).outcome == "switched"
    report = run_step(corpus.bench, "relevance", stop=StopSignal())
    assert report.outcomes == {"accepted": 1} and report.errors == {}
    with corpus.db.transaction() as tx:
        rows = tx.connection.execute(
            "select e.embedding_index_id, d.scores ->> 'similarity' as similarity from post_embedding e"
            " join stage_decision d using (post_id) where d.step = 'relevance' order by 1"
        ).fetchall()
    new_id = corpus.bench.current().index_id
    assert [row["embedding_index_id"] for row in rows] == [corpus.old_id, new_id]
    assert float(rows[0]["similarity"]) > 0.5


def test_a_model_that_nobody_knows_is_refused_by_its_key() -> None:
    with pytest.raises(
        ConfigInvalid, match=r"embedding\.model: there is no model 'nonsense'; there are: all-MiniLM"
    ):
        Shelf().named("nonsense")


def test_an_index_that_is_being_made_active_is_not_dropped(db: Database) -> None:
    with db.transaction() as tx:
        tx.value("ensure_embedding_index", model="first", dim=3)
        index_id = tx.value("ensure_embedding_index", model="second", dim=3)

    def drop() -> None:
        with db.transaction() as tx:
            tx.execute("drop_embedding_index", index_id=index_id)

    with ThreadPoolExecutor(1) as other:
        with db.transaction() as tx:
            tx.execute("activate_embedding_index", index_id=index_id)
            dropping = other.submit(drop)
            wait_for_lock(db)
        with pytest.raises(psycopg.errors.ObjectInUse):
            dropping.result()
    with db.transaction() as tx:
        states = {index.model: (index.state, index.has_vectors) for index in list_indexes(tx)}
    assert states == {"first": ("retired", True), "second": ("active", True)}


def wait_for_lock(db: Database) -> None:
    """Until another transaction waits for one that is open."""
    for _ in range(400):
        with db.transaction() as tx:
            if tx.connection.execute("select from pg_locks where not granted").fetchall():
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")
