"""Speakers' names in the index: found by, never quoted, and embedded again when they change."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from rejoinder.corpus.chunks import chunk_transcript
from rejoinder.corpus.values import Cue, Transcript
from resources.postgres import Database, Transaction
from resources.queries import vectors_of
from resources.search import SearchQuery, search
from resources.steps.chunking import save_chunks
from resources.store.embedding_indexes import Rows, keep_vectors
from resources.tuning import Retrieval

DIM = 8
TURNS = (("Ada", "Ink fades in the sun."), ("Bob", "Paper yellows too."))
VECTOR = np.full(DIM, DIM**-0.5, dtype=np.float32)


@dataclass
class Shelf:
    """One source whose chunks are saved, embedded and searched."""

    db: Database
    project_id: int
    index_id: int
    source_id: int

    def save(self, turns: Sequence[tuple[str, str]]) -> list[int]:
        cues = tuple(Cue(text, 5.0 * n, 5.0 * n + 5, who) for n, (who, text) in enumerate(turns))
        chunks = chunk_transcript(Transcript("S", "vtt", cues), count_tokens=lambda t: len(t.split()))
        with self.db.transaction() as tx:
            return save_chunks(tx, self.source_id, chunks, "en")

    def lacking(self, tx: Transaction) -> Rows:
        vectors = vectors_of(self.index_id)
        return tx.rows("chunks_without_embedding", vectors=vectors, source_id=self.source_id)

    def embed(self) -> list[str]:
        """Give each chunk without a vector one; what was embedded."""
        with self.db.transaction() as tx:
            rows = self.lacking(tx)
            keep_vectors(tx, self.index_id, rows, [VECTOR] * len(rows))
        return [row["indexed_text"] for row in rows]

    def words(self, text: str) -> list[str]:
        """The texts that share a word with the query."""
        asked = SearchQuery(text, VECTOR, index_id=self.index_id, project_id=self.project_id)
        with self.db.transaction() as tx:
            return [passage.text for passage in search(tx, asked, Retrieval()) if passage.lexical]


@pytest.fixture
def shelf(db: Database) -> Shelf:
    with db.transaction() as tx:
        project_id = tx.value("ensure_project", creator_id=tx.value("ensure_creator", name="c"), name="p")
        index_id = tx.value("ensure_embedding_index", model="test", dim=DIM)
        row = tx.connection.execute(
            "insert into source (project_id, name, title, format, content_hash)"
            " values (%s, 's', 'S', 'vtt', 'h') returning id", (project_id,)
        ).fetchone()  # fmt: skip
        assert row
        return Shelf(db, project_id, index_id, row["id"])


def test_names_are_embedded_and_found_and_never_quoted(shelf: Shelf) -> None:
    shelf.save(TURNS)
    assert shelf.embed() == ["Ada: Ink fades in the sun. Bob: Paper yellows too."]
    assert shelf.words("Ada") == ["Ink fades in the sun. Paper yellows too."]


def test_another_name_is_embedded_and_indexed_anew_in_the_same_row(shelf: Shelf) -> None:
    first = shelf.save(TURNS)
    shelf.embed()
    assert shelf.save([("Ada", TURNS[0][1]), ("Ines", TURNS[1][1])]) == first
    assert shelf.words("Bob") == []
    assert shelf.embed() == ["Ada: Ink fades in the sun. Ines: Paper yellows too."]
    assert len(shelf.words("Ines")) == 1
    assert shelf.save([("0", text) for _, text in TURNS]) == first
    assert shelf.embed() == ["Ink fades in the sun. Paper yellows too."] and shelf.words("Ada") == []


def test_another_label_that_is_no_name_embeds_nothing(shelf: Shelf) -> None:
    first = shelf.save([("Speaker 1", text) for _, text in TURNS])
    assert len(shelf.embed()) == 1
    assert shelf.save([("SPEAKER_07", text) for _, text in TURNS]) == first
    assert shelf.embed() == []


def test_a_vector_of_the_older_names_is_not_kept(shelf: Shelf) -> None:
    shelf.save(TURNS)
    with shelf.db.transaction() as tx:
        older = shelf.lacking(tx)
    shelf.save([("Ada", text) for _, text in TURNS])
    with shelf.db.transaction() as tx:
        keep_vectors(tx, shelf.index_id, older, [VECTOR])
    assert shelf.embed() == ["Ada: Ink fades in the sun. Paper yellows too."]


def test_a_chunk_that_is_being_renamed_gets_no_vector_meanwhile(shelf: Shelf) -> None:
    shelf.save(TURNS)
    with shelf.db.transaction() as renaming:
        renaming.connection.execute("update chunk set named_text = 'Ines: Ink fades in the sun.'")
        assert len(shelf.embed()) == 1
    assert shelf.embed() == ["Ines: Ink fades in the sun."]
