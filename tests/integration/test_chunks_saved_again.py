"""A source that is cut again: what only moved keeps its row and its vector, what is new is embedded."""

from collections.abc import Sequence

import numpy as np
import pytest

from rejoinder.corpus.chunks import CuttingRule, chunk_transcript
from rejoinder.corpus.values import Chapter, Cue, Transcript
from resources.postgres import Database, Transaction
from resources.queries import vectors_of
from resources.steps.chunking import save_chunks
from resources.store.embedding_indexes import keep_vectors

RULE = CuttingRule(max_tokens=20)
TOLD = [f"Story {n * n} is {'quite ' * (n % 4)}short." for n in range(60)]


class Shelf:
    """One source whose chunks are saved and embedded."""

    def __init__(self, tx: Transaction) -> None:
        creator_id = tx.value("ensure_creator", name="c")
        self.project_id = int(tx.value("ensure_project", creator_id=creator_id, name="p"))
        self.index_id = int(tx.value("ensure_embedding_index", model="test", dim=384))
        row = tx.connection.execute(
            "insert into source (project_id, name, title, format, content_hash)"
            " values (%s, 's', 'S', 'text', 'h') returning id", (self.project_id,)
        ).fetchone()  # fmt: skip
        assert row
        self.source_id = int(row["id"])

    def save(self, tx: Transaction, told: Sequence[str], chapters: tuple[Chapter, ...] = ()) -> list[int]:
        """Cut and save; the chunks' ids in order."""
        cues = tuple(Cue(text, 5.0 * n, 5.0 * n + 5) for n, text in enumerate(told))
        chunks = chunk_transcript(
            Transcript("S", "text", cues, chapters=chapters), count_tokens=lambda t: len(t.split()), rule=RULE
        )
        return save_chunks(tx, self.source_id, chunks, "en")

    def embed(self, tx: Transaction) -> list[int]:
        """Give each chunk without a vector one; their ids."""
        vectors = vectors_of(self.index_id)
        rows = tx.rows("chunks_without_embedding", vectors=vectors, source_id=self.source_id)
        for row in rows:
            vector = np.full(384, 384**-0.5, dtype=np.float32)
            keep_vectors(tx, self.index_id, [row], [vector])
        return [row["id"] for row in rows]

    def current(self, tx: Transaction) -> list[tuple[int, int, float, str | None]]:
        """Id, index, first second and chapter of each current chunk."""
        found = tx.connection.execute(
            "select id, chunk_index, start_s, chapter from chunk where source_id = %s and is_current"
            " order by chunk_index",
            (self.source_id,),
        ).fetchall()
        return [(r["id"], r["chunk_index"], r["start_s"], r["chapter"]) for r in found]

    def n_postings(self, tx: Transaction) -> int:
        """Chunks that search finds by their words."""
        row = tx.connection.execute("select count(distinct chunk_id) as n from posting").fetchone()
        assert row
        return int(row["n"])


@pytest.fixture
def shelf(db: Database) -> Shelf:
    with db.transaction() as tx:
        return Shelf(tx)


def test_an_insertion_at_the_front_embeds_only_the_chunks_nearby(db: Database, shelf: Shelf) -> None:
    with db.transaction() as tx:
        first = shelf.save(tx, TOLD)
        assert shelf.embed(tx) == first and len(first) > 15
    with db.transaction() as tx:
        second = shelf.save(tx, ["Something was said before all of this.", *TOLD])
        new = shelf.embed(tx)
    assert 1 <= len(new) <= 6 and set(new) == set(second) - set(first)
    with db.transaction() as tx:
        current = shelf.current(tx)
        assert [(chunk_id, index) for chunk_id, index, _, _ in current] == [
            (i, n) for n, i in enumerate(second)
        ]
        starts = [start_s for _, _, start_s, _ in current]
        assert starts == sorted(starts) and starts[-1] > 5.0 * (len(TOLD) - 10)
        assert shelf.n_postings(tx) == len(second)


def test_the_same_again_changes_nothing(db: Database, shelf: Shelf) -> None:
    with db.transaction() as tx:
        first = shelf.save(tx, TOLD)
        shelf.embed(tx)
        before = shelf.current(tx)
        assert shelf.save(tx, TOLD) == first and shelf.embed(tx) == []
        assert shelf.current(tx) == before and shelf.n_postings(tx) == len(first)


def test_there_and_back_again(db: Database, shelf: Shelf) -> None:
    with db.transaction() as tx:
        shelf.save(tx, TOLD)
        for told in (TOLD[20:], TOLD, [*TOLD[30:], *TOLD[:30]], TOLD + TOLD, TOLD):
            ids = shelf.save(tx, told)
            shelf.embed(tx)
            assert [(i, n) for i, n, _, _ in shelf.current(tx)] == [(i, n) for n, i in enumerate(ids)]
            assert shelf.n_postings(tx) == len(ids) and shelf.embed(tx) == []


def test_a_chunk_knows_its_chapter_and_learns_a_new_title(db: Database, shelf: Shelf) -> None:
    with db.transaction() as tx:
        first = shelf.save(tx, TOLD, (Chapter("Late", 150.0),))
        assert {c for _, _, start_s, c in shelf.current(tx) if start_s >= 150} == {"Late"}
        assert {c for _, _, start_s, c in shelf.current(tx) if start_s < 150} == {None}
        assert shelf.save(tx, TOLD, (Chapter("Later", 150.0),)) == first
        assert {c for *_, c in shelf.current(tx)} == {None, "Later"}
