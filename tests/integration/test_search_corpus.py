"""Searching a corpus as it changes: filters, replaced chunks, two embedding indexes, languages, odd queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg
import pytest

from rejoinder.corpus.values import Chunk
from rejoinder.text.terms import TERMS_VERSION
from resources.postgres import Database, Transaction
from resources.queries import query, vectors_of
from resources.search import NARROW, SearchQuery, nearest, rarity, search
from resources.steps.chunking import save_chunks
from resources.store.embedding_indexes import keep_vectors
from resources.tuning import Retrieval

DIM = 16
EVERYTHING = Retrieval(candidates=50, passages=50)


def direction(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
    return vector / np.linalg.norm(vector)


@dataclass
class Corpus:
    """A project on a real database; its chunks' vectors are random directions of their ids."""

    db: Database
    project_id: int
    index_id: int

    def source(self, name: str, texts: Sequence[str], **columns: Any) -> int:
        columns = {"project_id": self.project_id, "name": name, "title": name, "format": "text",
                   "content_hash": "h", **columns}  # fmt: skip
        names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
        with self.db.transaction() as tx:
            text = f"insert into source ({names}) values ({marks}) returning id"
            row = tx.connection.execute(text, list(columns.values())).fetchone()  # type: ignore[call-overload]
            self.cut(tx, row["id"], texts, language=columns.get("language"))
            return int(row["id"])

    def cut(
        self, tx: Transaction, source_id: int, texts: Sequence[str], *, language: str | None = None
    ) -> None:
        chunks = [Chunk(i, t, t, n_tokens=9, speakers=(t.split()[0],)) for i, t in enumerate(texts)]
        for chunk_id in save_chunks(tx, source_id, chunks, language):
            embed(tx, chunk_id, self.index_id, direction(chunk_id))

    def found(self, text: str = "", seed: int = 0, **narrowed: Any) -> list[str]:
        asked = SearchQuery(
            text, direction(seed), index_id=narrowed.pop("index_id", self.index_id),
            project_id=narrowed.pop("project_id", self.project_id), **narrowed,
        )  # fmt: skip
        with self.db.transaction() as tx:
            return [passage.text for passage in search(tx, asked, EVERYTHING)]

    def value(self, text: str, *values: Any) -> Any:
        with self.db.transaction() as tx:
            row = tx.connection.execute(text, values).fetchone()  # type: ignore[call-overload]
            return next(iter(row.values()))


def embed(tx: Transaction, chunk_id: int, index_id: int, vector: np.ndarray) -> None:
    found = tx.connection.execute("select text from chunk where id = %s", (chunk_id,)).fetchone()
    rows = [{"id": chunk_id, "indexed_text": found["text"]}] if found else []
    keep_vectors(tx, index_id, rows, [vector] * len(rows))


@pytest.fixture
def corpus(db: Database) -> Corpus:
    with db.transaction() as tx:
        project_id = tx.value("ensure_project", creator_id=tx.value("ensure_creator", name="c"), name="p")
        return Corpus(db, project_id, tx.value("ensure_embedding_index", model="one", dim=DIM))


def test_an_empty_corpus_has_no_answer(corpus: Corpus) -> None:
    assert corpus.found("compost") == []
    with corpus.db.transaction() as tx:
        assert rarity(tx, "compost", project_id=corpus.project_id) == {}


@pytest.mark.parametrize(
    ("narrowed", "names"),
    [
        ({}, "abc"),
        ({"language": "de"}, "b"),
        ({"published_after": datetime(2026, 2, 1, tzinfo=UTC)}, "bc"),
        ({"published_before": datetime(2026, 2, 1, tzinfo=UTC)}, "a"),
        ({"speakers": ("Cleo", "Nobody")}, "c"),
        ({"project_id": 0}, ""),
        ({"source_ids": (0,)}, ""),
    ],
)
@pytest.mark.parametrize("text", ["", "compost"], ids=["by-meaning", "by-both"])
@pytest.mark.parametrize("most", [NARROW, 0], ids=["narrow", "wide"])
def test_filters_hold_in_both_legs(
    corpus: Corpus,
    narrowed: dict[str, Any],
    names: str,
    text: str,
    most: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("resources.search.NARROW", most)
    texts = {"a": "Ada likes compost", "b": "Bert mag Kompost", "c": "Cleo turns compost"}
    corpus.source("a", [texts["a"]], language="en", published_at=datetime(2026, 1, 1, tzinfo=UTC))
    corpus.source("b", [texts["b"]], language="de", published_at=datetime(2026, 2, 1, tzinfo=UTC))
    corpus.source("c", [texts["c"]], language="en", published_at=datetime(2026, 3, 1, tzinfo=UTC))
    assert sorted(corpus.found(text, **narrowed)) == sorted(texts[name] for name in names)


def test_a_source_can_be_searched_alone(corpus: Corpus) -> None:
    ids = [corpus.source(name, [f"{name} compost", f"{name} heap"]) for name in ("one", "two", "three")]
    assert set(corpus.found("compost", source_ids=(ids[0], ids[2]))) == {
        "one compost", "one heap", "three compost", "three heap",
    }  # fmt: skip


@pytest.mark.parametrize("most", [NARROW, 0], ids=["narrow", "wide"])
def test_a_chunk_without_its_vector_yet_is_found_by_its_words(
    corpus: Corpus, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.search.NARROW", most)
    corpus.source("other", ["compost elsewhere"])
    source_id = corpus.source("s", ["embedded heap"])
    with corpus.db.transaction() as tx:
        save_chunks(tx, source_id, [Chunk(0, "fresh compost", "h", n_tokens=2)], None)
    assert corpus.found("compost", source_ids=(source_id,)) == ["fresh compost"]


def test_a_date_that_comes_later_is_filtered_by(corpus: Corpus) -> None:
    source_id = corpus.source("s", ["Undated compost"])
    after = datetime(2026, 1, 1, tzinfo=UTC)
    assert corpus.found("compost", published_after=after) == []
    with corpus.db.transaction() as tx:
        tx.connection.execute("update source set published_at = now() where id = %s", (source_id,))
    assert corpus.found("compost", published_after=after) == ["Undated compost"]


def test_a_replaced_chunk_is_found_by_neither_leg(corpus: Corpus) -> None:
    source_id = corpus.source("s", ["Old compost", "Kept heap"])
    kept = corpus.value("select id from chunk where text = 'Kept heap'")
    with corpus.db.transaction() as tx:
        corpus.cut(tx, source_id, ["New compost", "Kept heap"])
    assert sorted(corpus.found("compost")) == ["Kept heap", "New compost"]
    assert corpus.value("select id from chunk where is_current and text = 'Kept heap'") == kept
    assert corpus.value("select count(*) from chunk_embedding") == 2


def test_a_vector_that_comes_too_late_is_not_kept(corpus: Corpus) -> None:
    source_id = corpus.source("s", ["Old compost"])
    late = corpus.value("select id from chunk")
    with corpus.db.transaction() as tx:
        corpus.cut(tx, source_id, ["New compost"])
        embed(tx, late, corpus.index_id, direction(1))
    assert corpus.found("compost") == ["New compost"]


def test_statistics_follow_the_corpus(corpus: Corpus, owner_db: Database) -> None:
    first = corpus.source("one", ["compost heap heap", "compost lid"])
    second = corpus.source("two", ["compost"])
    with corpus.db.transaction() as tx:
        corpus.cut(tx, first, ["lid lid"])
    counts = (
        "select coalesce(string_agg(term || n_chunks, ' ' order by term), '') from term where n_chunks <> 0"
    )
    assert corpus.value(counts) == "compost1 lid1"
    assert corpus.value("select array[n_chunks, n_terms] from corpus_size") == [2, 3]
    with owner_db.transaction() as tx:
        tx.connection.execute("delete from source where id in (%s, %s)", (first, second))
    assert corpus.value(counts) == "" and corpus.value(
        "select array[n_chunks, n_terms] from corpus_size"
    ) == [0, 0]
    assert corpus.found("compost") == []


def test_each_language_has_its_own_stems(corpus: Corpus) -> None:
    corpus.source("de", ["Die Häuser brannten"], language="de")
    corpus.source("en", ["Houses were burning"], language="en")
    with corpus.db.transaction() as tx:
        assert set(rarity(tx, "Haus house", project_id=corpus.project_id)) == {"haus", "hous"}
        assert set(rarity(tx, "Haus house", project_id=corpus.project_id, language="en")) == {"hous", "haus"}
        assert set(rarity(tx, "burned", project_id=corpus.project_id, language="de")) == set()


def test_two_indexes_stand_side_by_side_until_one_is_switched_to(corpus: Corpus) -> None:
    corpus.source("s", ["First compost", "Second compost"])
    ids = {
        t: corpus.value("select id from chunk where text = %s", t)
        for t in ("First compost", "Second compost")
    }
    with corpus.db.transaction() as tx:
        other = tx.value("ensure_embedding_index", model="two", dim=4)
        assert tx.value("active_embedding_index") == corpus.index_id
        embed(tx, ids["First compost"], other, np.array([1, 0, 0, 0], dtype=np.float32))
    lacks = pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="lacks the vectors of 1 chunks")
    with lacks, corpus.db.transaction() as tx:
        tx.connection.execute("update source set step = 'ready', status = 'completed'")
        tx.execute("activate_embedding_index", index_id=other)
    with corpus.db.transaction() as tx:
        lacking = tx.rows("any_chunks_without_embedding", vectors=vectors_of(other), after_id=0, top=9)
        assert [row["indexed_text"] for row in lacking] == ["Second compost"]
        embed(tx, ids["Second compost"], other, np.array([0, 1, 0, 0], dtype=np.float32))
        tx.execute("activate_embedding_index", index_id=other)
        states = {row["id"]: row["state"] for row in tx.rows("list_embedding_indexes")}
        assert states == {corpus.index_id: "retired", other: "active"}
        towards = np.array([0, 1, 0, 0], dtype=np.float32)
        near = nearest(tx, towards, index_id=other, project_id=corpus.project_id, top=2)
        assert [n.chunk_id for n in near] == [ids["Second compost"], ids["First compost"]]
    assert len(corpus.found("compost")) == 2  # the old index can still be searched, and switched back to
    with corpus.db.transaction() as tx:
        tx.execute("drop_embedding_index", index_id=corpus.index_id)
        assert tx.value("count_chunks_without_embedding", vectors=vectors_of(other)) == 0
    assert corpus.value("select count(*) from chunk_embedding") == 2


def test_the_active_index_is_not_dropped(corpus: Corpus) -> None:
    with pytest.raises(psycopg.errors.ObjectInUse), corpus.db.transaction() as tx:
        tx.execute("drop_embedding_index", index_id=corpus.index_id)


def test_a_model_keeps_its_dimension(corpus: Corpus) -> None:
    other_length = pytest.raises(psycopg.errors.CheckViolation, match="have 16 dimensions, not 8")
    with other_length, corpus.db.transaction() as tx:
        tx.value("ensure_embedding_index", model="one", dim=8)


@pytest.mark.parametrize("name", ["chunk_vector_1; drop table chunk", "post", "chunk_vector_", None])
def test_only_a_table_of_vectors_can_be_named(name: str | None) -> None:
    with pytest.raises(KeyError, match="needs the vectors of an embedding index"):
        query("nearest_chunks", vectors=name)


@pytest.mark.parametrize(
    "text",
    ["the of and", "", "   ", "🎉🔥", "com\0post", "'; drop table posting; --", "%(terms)s {vectors}",
     "compost " * 1_250,
     " ".join(f"word{i} compost" for i in range(1_000)), "堆肥", "\ud800"],
    ids=["stop-words", "nothing", "spaces", "emoji", "nul", "sql", "marks", "long", "wide", "unspaced", "surrogate"],
)  # fmt: skip
def test_odd_queries_are_answered(corpus: Corpus, text: str) -> None:
    corpus.source("s", ["Ada likes compost", "Bert reads"])
    assert sorted(corpus.found(text)) == ["Ada likes compost", "Bert reads"]


def test_a_source_of_an_older_analysis_is_queued_again(corpus: Corpus) -> None:
    source_id = corpus.source("s", ["Ada likes compost"], step="ready", status="completed")
    with corpus.db.transaction() as tx:
        assert tx.execute("queue_outdated_sources", version=TERMS_VERSION) == 0
        assert tx.execute("queue_outdated_sources", version=TERMS_VERSION + 1) == 1
    assert (
        corpus.value("select step || ' ' || status from source where id = %s", source_id) == "chunk pending"
    )
