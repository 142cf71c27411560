"""Postings, vectors and counts are those of the current chunks, however these change, and little else is written."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import psycopg
import pytest

from rejoinder.corpus.chunks import content_hash
from rejoinder.corpus.values import Chunk
from rejoinder.text.terms import index_terms, stemmer_of
from resources.embedded.cluster import Cluster
from resources.postgres import Database, Transaction, connect
from resources.provision import Addresses, connect_admin
from resources.queries import vectors_of
from resources.steps.chunking import save_chunks
from resources.store.embedding_indexes import keep_vectors
from resources.store.postings import count_postings, index_chunks

DIM = 4
WORDS = ("compost", "heap", "houses", "burning", "lid", "lids", "water", "Häuser", "brannten")


def cut(texts: Sequence[str], speaker: str = "") -> list[Chunk]:
    """A chunk per text; with a speaker's name in what is indexed, where there is one."""
    return [
        Chunk(i, t, content_hash(t), len(t.split()), named_text=f"{speaker}: {t}" if speaker else None)
        for i, t in enumerate(texts)
    ]


@dataclass(frozen=True)
class Corpus:
    """A project with one embedding index."""

    db: Database
    project_id: int
    index_id: int

    def source(self, name: str) -> int:
        with self.db.transaction() as tx:
            row = tx.connection.execute(
                "insert into source (project_id, name, title, format, content_hash)"
                " values (%s, %s, 'S', 'text', 'h') returning id", (self.project_id, name)
            ).fetchone()  # fmt: skip
        assert row
        return int(row["id"])

    def save(self, tx: Transaction, source_id: int, chunks: Sequence[Chunk], language: str | None) -> None:
        """Save the chunks, and give those without a vector one."""
        save_chunks(tx, source_id, chunks, language)
        lacking = tx.rows("chunks_without_embedding", vectors=vectors_of(self.index_id), source_id=source_id)
        keep_vectors(tx, self.index_id, lacking, [np.full(DIM, 0.5, dtype=np.float32)] * len(lacking))

    def assert_true(self, tx: Transaction) -> None:
        """What is stored is what the current chunks say, counted anew."""
        chunks = rows(
            tx,
            "select c.id, c.language, c.n_terms, coalesce(c.named_text, c.text) as text from chunk c where is_current",
        )
        bags = {c["id"]: index_terms(c["text"], stemmer_of(c["language"])) for c in chunks}
        stored = rows(
            tx, "select chunk_id, term, tf, n_terms from posting join term on term.id = posting.term_id"
        )
        assert {(p["chunk_id"], p["term"], p["tf"], p["n_terms"]) for p in stored} == {
            (i, term, n, len(bag)) for i, bag in bags.items() for term, n in Counter(bag).items()
        }
        counts = rows(tx, "select term, n_chunks from term where n_chunks <> 0")
        assert {c["term"]: c["n_chunks"] for c in counts} == Counter(t for b in bags.values() for t in set(b))
        assert {c["id"]: c["n_terms"] for c in chunks} == {i: len(bag) for i, bag in bags.items()}
        filled = [len(bag) for bag in bags.values() if bag]
        size = rows(tx, "select n_chunks, n_terms from corpus_size")
        assert ([(s["n_chunks"], s["n_terms"]) for s in size] or [(0, 0)]) == [(len(filled), sum(filled))]
        vectors = rows(tx, f"select chunk_id, language from {vectors_of(self.index_id)}")
        assert {v["chunk_id"]: v["language"] for v in vectors} == {c["id"]: c["language"] for c in chunks}


def rows(tx: Transaction, text: str, *values: Any) -> list[dict[str, Any]]:
    return tx.connection.execute(text, values).fetchall()  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def corpus(db: Database) -> Corpus:
    with db.transaction() as tx:
        project_id = tx.value("ensure_project", creator_id=tx.value("ensure_creator", name="c"), name="p")
        return Corpus(db, project_id, tx.value("ensure_embedding_index", model="m", dim=DIM))


@pytest.mark.parametrize("seed", range(6))
def test_what_is_stored_is_what_the_chunks_say(corpus: Corpus, seed: int) -> None:
    """Any walk: texts come, go, move, stand twice, are empty of words, get names and another language."""
    random = Random(seed)
    sources = [corpus.source("one"), corpus.source("two")]
    for _ in range(12):
        texts = [
            " ".join(random.choices(WORDS, k=random.randrange(1, 4))) for _ in range(random.randrange(8))
        ]
        texts += random.choices(["the of", "heap heap"], k=random.randrange(3))
        with corpus.db.transaction() as tx:
            chunks = cut(texts, random.choice(["", "", "Ada", "Bert"]))
            corpus.save(tx, random.choice(sources), chunks, random.choice(["en", "en", "de"]))
            if random.random() < 0.2:
                rows(tx, "update source set terms_version = 0 returning id")
            corpus.assert_true(tx)


def test_an_older_analysis_is_counted_out_whole(corpus: Corpus, owner_db: Database) -> None:
    source_id = corpus.source("s")
    with corpus.db.transaction() as tx:
        corpus.save(tx, source_id, cut(["compost heap", "a lid"]), "en")
    with owner_db.transaction() as tx:
        rows(tx, "update term set term = 'older-' || term returning id")
        rows(tx, "update source set terms_version = 0 returning id")
    with corpus.db.transaction() as tx:
        corpus.save(tx, source_id, cut(["compost heap", "a lid"]), "en")
        corpus.assert_true(tx)


def test_only_what_changed_is_written(corpus: Corpus) -> None:
    source_id = corpus.source("s")
    texts = [f"compost heap number {n}" for n in range(40)]
    versions = (
        "select c.chunk_index, c.ctid::text || c.xmin::text as row, min(p.xmin::text) as postings"
        " from chunk c join posting p on p.chunk_id = c.id where c.is_current group by c.id, c.chunk_index order by 1"
    )
    with corpus.db.transaction() as tx:
        corpus.save(tx, source_id, cut(texts), "en")
    with corpus.db.transaction() as tx:
        before = rows(tx, versions)
    with corpus.db.transaction() as tx:
        corpus.save(tx, source_id, cut([*texts[:20], "Something else.", *texts[21:]]), "en")
        after = rows(tx, versions)
        assert [a["chunk_index"] for a, b in zip(after, before, strict=True) if a != b] == [20]
        corpus.assert_true(tx)


def test_the_same_again_waits_for_nobody(corpus: Corpus) -> None:
    one, two = corpus.source("one"), corpus.source("two")
    with corpus.db.transaction() as tx:
        corpus.save(tx, one, cut(["compost heap"]), "en")
    with corpus.db.transaction() as writer, corpus.db.transaction() as tx:
        corpus.save(writer, two, cut(["compost lid"]), "en")
        tx.connection.execute("set local lock_timeout = '2s'")
        corpus.save(tx, one, cut(["compost heap"]), "en")
        tx.connection.execute("set local lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable), tx.connection.transaction():
            corpus.save(tx, one, cut(["compost bin"]), "en")


def test_a_deleted_source_is_counted_out_once(corpus: Corpus, owner_db: Database) -> None:
    one, two = corpus.source("one"), corpus.source("two")
    with corpus.db.transaction() as tx:
        corpus.save(tx, one, cut([f"compost heap number {n}" for n in range(40)]), "en")
        corpus.save(tx, two, cut(["compost lid"]), "en")
    with owner_db.transaction() as tx:
        n_terms = len(rows(tx, "select distinct term_id from posting join chunk c on c.id = chunk_id"
                               " where source_id = %s", one))  # fmt: skip
        rows(tx, "delete from source where id = %s returning id", one)
        written = "select n_tup_upd as n from pg_stat_xact_user_tables where relname = %s"
        assert [r["n"] for name in ("term", "corpus_size") for r in rows(tx, written, name)] == [n_terms, 1]
        corpus.assert_true(tx)
        rows(tx, "delete from source where id = %s returning id", two)
        assert rows(tx, "select * from posting") == []
        assert rows(tx, "select n_chunks, n_terms from corpus_size") == [{"n_chunks": 0, "n_terms": 0}]


def test_a_chunk_that_was_replaced_gets_no_postings(corpus: Corpus) -> None:
    source_id = corpus.source("s")
    with corpus.db.transaction() as tx:
        corpus.save(tx, source_id, cut(["compost heap"]), "en")
        replaced = [r["id"] for r in rows(tx, "select id from chunk")]
        corpus.save(tx, source_id, cut(["a lid"]), "en")
        index_chunks(tx, source_id, replaced, count_postings([["compost", "heap"]]))
        corpus.assert_true(tx)


def test_writers_of_one_project_wait_for_each_other_and_end(corpus: Corpus, owner_db: Database) -> None:
    """The same terms in every order, old and new ones, while other sources are deleted."""
    sources = [corpus.source(str(n)) for n in range(3)]
    doomed = [corpus.source(f"doomed {n}") for n in range(6)]
    with corpus.db.transaction() as tx:
        for source_id in doomed:
            corpus.save(tx, source_id, cut([" ".join(WORDS)]), "en")

    def write(seed: int) -> None:
        random = Random(seed)
        for turn in range(8):
            texts = [" ".join(random.sample([*WORDS, f"word{turn}x{n}"], 5)) for n in range(20)]
            with corpus.db.transaction() as tx:
                corpus.save(tx, sources[seed], cut(texts), "en")

    def delete() -> None:
        for source_id in doomed:
            with owner_db.transaction() as tx:
                rows(tx, "delete from source where id = %s returning id", source_id)

    with ThreadPoolExecutor() as pool:
        for done in [*(pool.submit(write, n) for n in range(3)), pool.submit(delete)]:
            done.result()
    with corpus.db.transaction() as tx:
        corpus.assert_true(tx)


@pytest.mark.parametrize("table", ["posting", "term", "corpus_size"])
def test_the_application_writes_counts_through_the_functions_only(corpus: Corpus, table: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), corpus.db.transaction() as tx:
        rows(tx, f"delete from {table} returning 1 as one")


def test_what_refers_to_sources_and_chunks_is_found_by_an_index(owner_db: Database, corpus: Corpus) -> None:
    """Or a deletion reads the whole table, once per row that goes."""
    unindexed = (
        "select c.conname from pg_constraint c where c.contype = 'f' and c.confrelid = any (%s::regclass[])"
        " and not exists (select from pg_index i where i.indrelid = c.conrelid"
        "   and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)"
    )
    with owner_db.transaction() as tx:
        assert rows(tx, unindexed, ["source", "chunk", "summary"]) == []
        assert (
            rows(tx, unindexed, ["person"]) != []
        )  # which is never deleted: the question can find something


def test_without_shared_memory_the_graph_is_built_by_one_process(
    corpus: Corpus, cluster: Cluster, addresses: Addresses
) -> None:
    """As a container with a small /dev/shm answers: whatever is built with several is refused."""
    database = addresses.owner.split("?")[0].rsplit("/", 1)[1]
    with connect_admin(cluster.url("postgres", "postgres", database)) as admin:
        admin.execute(
            "create function refuse_several() returns event_trigger language plpgsql as $$ begin"
            " if current_setting('max_parallel_maintenance_workers') <> '0' then"
            " raise 'could not resize shared memory segment' using errcode = 'disk_full'; end if; end $$"
        )
        admin.execute(
            "create event trigger small on ddl_command_start when tag in ('CREATE INDEX')"
            " execute function refuse_several()"
        )
    warned: list[str] = []
    with connect(addresses.owner) as connection:
        connection.add_notice_handler(lambda d: warned.append(f"{d.message_primary} {d.message_hint}"))
        connection.execute(f"drop index {vectors_of(corpus.index_id)}_hnsw")  # type: ignore[call-overload]
        connection.execute("select index_chunk_vectors(%s)", (corpus.index_id,))
        made = connection.execute("select from pg_indexes where indexname like '%hnsw'").fetchall()
    assert len(made) == 1
    assert len(warned) == 1 and "one process" in warned[0] and "--shm-size" in warned[0]
