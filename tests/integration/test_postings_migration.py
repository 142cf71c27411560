"""A corpus with chunks, postings and twins as migration 9 left them: true after the upgrade, and later."""

from collections import Counter

import pytest
from earlier_schema import set_back
from test_postings_follow_chunks import DIM, Corpus, cut, rows

from rejoinder.corpus.chunks import content_hash
from rejoinder.text.terms import TERMS_VERSION, index_terms, stemmer_of
from resources.migrations import migrate
from resources.postgres import Database, Transaction
from resources.provision import Addresses
from resources.queries import vectors_of

LAST_BEFORE = 9
SAID = {
    "kept": ["compost heap heap", "a lid for houses"],
    "gone": ["burning water lid"],
    "awaiting": ["water heap"],
    "better": [],
    "twin": ["burning compost"],
    "searched": ["burning compost houses"],
}
CHUNK = """
insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms, language)
values (%s, %s, %s, %s, 1, %s, 'en') returning id
"""


def save_as_before(tx: Transaction, corpus: Corpus, source_id: int, texts: list[str]) -> list[int]:
    """Chunks with vectors and postings, by the functions of that time; postings were a row of arrays each."""
    ids, terms, of_chunk, counts, lengths = list[int](), list[str](), list[int](), list[int](), list[int]()
    for place, text in enumerate(texts):
        bag = Counter(index_terms(text, stemmer_of("en")))
        chunk_id = rows(tx, CHUNK, source_id, place, content_hash(text), text, bag.total())[0]["id"]
        ids.append(chunk_id)
        terms += bag
        of_chunk += [chunk_id] * len(bag)
        counts += bag.values()
        lengths += [bag.total()] * len(bag)
    put = "select put_postings_in(%s, %s::text[], %s::bigint[], %s::int[], %s::int[])"
    tx.connection.execute(put, (corpus.project_id, terms, of_chunk, counts, lengths))
    vectors = (
        f"insert into {vectors_of(corpus.index_id)} (chunk_id, project_id, source_id, language, embedding)"
        " select id, %s, source_id, 'en', array_fill(0.5::real, array[4])::vector::halfvec from chunk"
        " where source_id = %s returning chunk_id"
    )
    rows(tx, vectors, corpus.project_id, source_id)
    return ids


@pytest.fixture
def upgraded(
    addresses: Addresses, db: Database, owner_db: Database, monkeypatch: pytest.MonkeyPatch
) -> Corpus:
    """A home of that version, filled, and brought up to date."""
    set_back(addresses, owner_db, monkeypatch, last=LAST_BEFORE)
    with owner_db.transaction() as tx:
        fill(tx, db)
        project_id = tx.value("ensure_project", creator_id=tx.value("ensure_creator", name="c"), name="p")
        corpus = Corpus(db, project_id, tx.value("ensure_embedding_index", model="m", dim=DIM))
    assert migrate(addresses.owner)[0] == "0010_postings_set_by_set"
    return corpus


def fill(tx: Transaction, db: Database) -> None:
    """Sources with what they say, one chunk retired, and twins as that version left them while they waited."""
    project_id = tx.value("ensure_project", creator_id=tx.value("ensure_creator", name="c"), name="p")
    corpus = Corpus(db, project_id, tx.value("ensure_embedding_index", model="m", dim=DIM))
    source = (
        "insert into source (project_id, name, title, format, content_hash, step, status, terms_version)"
        " values (%s, %s, 'S', 'text', 'h', %s, %s, %s) returning id"
    )
    for name, texts in SAID.items():
        stands = ("chunk", "dead") if name == "better" else ("ready", "completed")
        source_id = rows(tx, source, project_id, name, *stands, TERMS_VERSION)[0]["id"]
        save_as_before(tx, corpus, source_id, texts)
    rows(
        tx,
        "update chunk set is_current = false where source_id = %s and chunk_index = 1 returning id",
        source_of(tx, "kept"),
    )
    for twin, better in (("awaiting", "better"), ("twin", "searched")):
        by = source_of(tx, better)
        rows(tx, "update source set twin_of = %s where name = %s returning id", by, twin)


def source_of(tx: Transaction, name: str) -> int:
    return int(rows(tx, "select id from source where name = %s", name)[0]["id"])


def test_counts_are_true_after_the_upgrade_and_whatever_is_done_next(
    upgraded: Corpus, owner_db: Database
) -> None:
    with upgraded.db.transaction() as tx:
        upgraded.assert_true(tx)
        assert rows(tx, "select count(*) as n from posting")[0]["n"] > 0
        kept = source_of(tx, "kept")
        upgraded.save(tx, kept, cut(["compost heap heap", "a lid for houses", "new water"]), "en")
        upgraded.assert_true(tx)
        rows(tx, "update source set terms_version = 0 where id = %s returning id", kept)
        upgraded.save(tx, kept, cut(["new water", "compost heap"], "Ada"), "de")
        upgraded.assert_true(tx)
    with owner_db.transaction() as tx:
        rows(tx, "delete from source where name in ('gone', 'kept') returning id")
        upgraded.assert_true(tx)


def test_what_waited_for_a_better_one_is_told_from_twins(upgraded: Corpus) -> None:
    with upgraded.db.transaction() as tx:
        stands = rows(
            tx,
            "select s.name, t.name as twin_of, a.name as awaits, exists (select from chunk c"
            "   where c.source_id = s.id and c.is_current) as is_cut"
            " from source s left join source t on t.id = s.twin_of left join source a on a.id = s.awaits_twin"
            " where s.name in ('awaiting', 'twin') order by 1",
        )
    assert stands == [
        {"name": "awaiting", "twin_of": None, "awaits": "better", "is_cut": True},
        {"name": "twin", "twin_of": "searched", "awaits": None, "is_cut": False},
    ]
