"""A corpus of the version before: its vectors move into a table per index, its sources are indexed again."""

import numpy as np
import pytest
from earlier_schema import set_back

from resources.migrations import migrate
from resources.postgres import Database
from resources.provision import Addresses
from resources.queries import vectors_of

LAST_BEFORE = 5
ROWS = """
insert into creator (name) values ('c');
insert into project (creator_id, name) select id, 'p' from creator;
insert into source (project_id, name, title, format, content_hash, language, step, status)
select id, 's', 'S', 'vtt', 'h', 'en', 'ready', 'completed' from project;
insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms, is_current)
select id, 0, 'old', 'old words', 2, 2, false from source union all
select id, 0, 'new', 'new words', 2, 2, true from source;
insert into embedding_index (model, dim, is_active) values ('m', 384, true);
insert into chunk_embedding
select c.id, i.id, (select array_agg(sin(c.id * k)) from generate_series(1, 384) k)::vector::halfvec
from chunk c, embedding_index i;
insert into posting select 'word', id, 1 from chunk
"""


@pytest.fixture
def older(addresses: Addresses, owner_db: Database, monkeypatch: pytest.MonkeyPatch) -> Addresses:
    """A database as the version before left it."""
    set_back(addresses, owner_db, monkeypatch, last=LAST_BEFORE)
    with owner_db.transaction() as tx:
        for statement in ROWS.split(";"):
            tx.connection.execute(statement)  # type: ignore[call-overload]
    return addresses


def test_vectors_of_current_chunks_move_and_are_found(older: Addresses, owner_db: Database) -> None:
    assert migrate(older.owner)[0] == "0006_search"
    with owner_db.transaction() as tx:
        index_id = tx.value("active_embedding_index")
        vector = np.sin(np.arange(1, 385) * 2.0).astype(np.float32)
        project_id = tx.value("ensure_project", creator_id=tx.value("ensure_creator", name="c"), name="p")
        found = tx.rows(
            "nearest_chunks", vectors=vectors_of(index_id), vector=vector, project_id=project_id, top=5
        )
        assert [row["chunk_id"] for row in found] == [2] and found[0]["similarity"] == pytest.approx(
            1, abs=1e-3
        )
        assert tx.rows("check_chunk_embeddings") == []


def test_sources_are_queued_to_be_indexed_again(older: Addresses, owner_db: Database) -> None:
    migrate(older.owner)
    with owner_db.transaction() as tx:
        assert tx.execute("queue_outdated_sources", version=2) == 1
        row = tx.connection.execute("select step, status, terms_version from source").fetchone()
        assert row == {"step": "chunk", "status": "pending", "terms_version": 0}
