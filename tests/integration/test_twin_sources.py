"""The same episode given twice is kept twice and searched once: the better file stands for both."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from hashed_embedder import HashedEmbedder

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.ports import Role, Vectors
from resources.commands import upkeep
from resources.commands.actors import machine_owner
from resources.commands.sources import again
from resources.extracting import extract
from resources.inbox import ingest_paths, open_intake, work_off_inputs
from resources.postgres import Database
from resources.provision import Addresses
from resources.settings import Settings
from resources.steps.chunking import Chunking
from resources.steps.embedding import Embedding
from resources.steps.ingestion import Extracting
from resources.steps.twins import hold_twins, let_twins_stand_in
from resources.store.source_list import SourceFilter, list_sources, load_source_page
from resources.tuning import StageTuning, Tuning
from resources.work.runner import work_side_by_side
from resources.work.stopping import StopSignal
from resources.workbench import Workbench

VOCABULARY = [f"word{n}" for n in range(3_000)]


def speech(seed: int, n_words: int = 600) -> list[str]:
    rng = random.Random(seed)
    return [rng.choice(VOCABULARY) for _ in range(n_words)]


def as_text(words: list[str]) -> str:
    """Without times or speakers."""
    return "\n\n".join(" ".join(words[at : at + 30]) + "." for at in range(0, len(words), 30))


def as_vtt(words: list[str]) -> str:
    """With both."""
    cues = [" ".join(words[at : at + 10]) for at in range(0, len(words), 10)]
    lines = [
        f"00:{n // 60:02}:{n % 60:02}.000 --> 00:{n // 60:02}:{n % 60:02}.900\n<v Ada>{c}\n"
        for n, c in enumerate(cues)
    ]
    return "WEBVTT\n\n" + "\n".join(lines)


@dataclass
class Shelf:
    """Files that are given one after the other, and what stands for what."""

    bench: Workbench
    folder: Path
    owner: Database

    def give(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        assert not ingest_paths(self.bench, [path]).quarantined

    def twins(self) -> dict[str, str | None]:
        """Every source, and the one that stands for it."""
        with self.bench.db.transaction() as tx:
            return {row.name: row.twin_name for row in list_sources(tx, self.bench.project_id).rows}

    def awaiting(self) -> dict[str, str]:
        """What is searched until a better one is, and that one."""
        rows = self.rows(
            "select s.name, b.name as better from source s join source b on b.id = s.awaits_twin"
        )
        return {row["name"]: row["better"] for row in rows}

    def steps(self) -> dict[str, str]:
        return {r["name"]: r["step"] for r in self.rows("select name, step from source")}

    def rows(self, statement: str) -> list[dict[str, Any]]:
        with self.owner.transaction() as tx:
            return tx.connection.execute(statement).fetchall()  # type: ignore[call-overload]

    def cut(self, name: str) -> None:
        """As if it had been cut and embedded."""
        with self.owner.transaction() as tx:
            run = tx.connection.execute
            run(
                "insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms)"
                " select id, 0, 'h', 't', 1, 1 from source where name = %s",
                (name,),
            )
            run("update source set step = 'ready', status = 'completed' where name = %s", (name,))


@pytest.fixture
def shelf(addresses: Addresses, db: Database, owner_db: Database, tmp_path: Path) -> Shelf:
    with owner_db.transaction() as tx:
        tx.connection.execute("insert into creator (name) values ('c')")
        row = tx.connection.execute(
            "insert into project (creator_id, name) select id, 'p' from creator returning id"
        ).fetchone()
    assert row
    folder = tmp_path / "given"
    folder.mkdir()
    bench = Workbench(Settings(home=tmp_path), Tuning(), addresses, db, cast(Any, None), 0, row["id"])
    return Shelf(bench, folder, owner_db)


def test_a_worse_twin_is_kept_and_not_cut(shelf: Shelf) -> None:
    words = speech(1)
    shelf.give("a.vtt", as_vtt(words))
    shelf.give("a.txt", as_text(words))
    shelf.give("b.txt", as_text(speech(2)))
    assert shelf.twins() == {"a.vtt": None, "a.txt": "a.vtt", "b.txt": None}
    assert shelf.steps() == {"a.vtt": "chunk", "a.txt": "ready", "b.txt": "chunk"}
    assert shelf.rows(
        "select count(*) as n from cue c join source s on s.id = c.source_id where s.name = 'a.txt'"
    )[0]["n"]


def test_an_article_that_quotes_an_episode_is_searched_beside_it(shelf: Shelf) -> None:
    words, own = speech(1), speech(2)
    shelf.give("a.vtt", as_vtt(words))
    shelf.give("article.txt", as_text([*words[:200], *own[:100]]))
    shelf.give("reply.txt", as_text([*words[:200], *speech(3)[:250]]))
    assert shelf.twins() == {"a.vtt": None, "article.txt": None, "reply.txt": None}


def test_a_better_twin_takes_over(shelf: Shelf) -> None:
    words = speech(1)
    shelf.give("a.txt", as_text(words))
    shelf.cut("a.txt")
    shelf.give("a.vtt", as_vtt(words))
    assert shelf.twins() == {"a.txt": "a.vtt", "a.vtt": None}
    assert shelf.rows("select is_current from chunk") == [{"is_current": False}]
    assert shelf.steps()["a.vtt"] == "chunk"
    with shelf.bench.db.transaction() as tx:
        (row,) = list_sources(tx, shelf.bench.project_id, SourceFilter(show="twins")).rows
        (best,) = [r for r in list_sources(tx, shelf.bench.project_id).rows if r.name == "a.vtt"]
        assert best.source_id is not None
        assert load_source_page(tx, best.source_id).twins == ("A",)
    assert row.standing == "twin"


def test_of_two_alike_the_first_stays(shelf: Shelf) -> None:
    shelf.give("a.vtt", as_vtt(speech(1)))
    shelf.give("copy.vtt", as_vtt(speech(1)))
    assert shelf.twins() == {"a.vtt": None, "copy.vtt": "a.vtt"}


def test_twins_of_one_that_is_outdone_follow_it(shelf: Shelf) -> None:
    words = speech(1)
    shelf.give("a.txt", as_text(words))
    shelf.give("copy.txt", as_text(words) + "\n")
    shelf.give("a.vtt", as_vtt(words))
    assert shelf.twins() == {"a.txt": "a.vtt", "copy.txt": "a.vtt", "a.vtt": None}


def test_a_source_that_changes_frees_its_twins(shelf: Shelf) -> None:
    words = speech(1)
    shelf.give("a.vtt", as_vtt(words))
    shelf.give("a.txt", as_text(words))
    shelf.give("a.vtt", as_vtt(speech(5)))
    assert shelf.twins() == {"a.vtt": None, "a.txt": None}
    assert shelf.steps() == {"a.vtt": "chunk", "a.txt": "chunk"}
    shelf.give("a.vtt", as_vtt(words))
    assert shelf.twins() == {"a.vtt": None, "a.txt": "a.vtt"}


def test_a_twin_that_is_read_again_stays_one(shelf: Shelf, db: Database) -> None:
    words = speech(1)
    shelf.give("a.vtt", as_vtt(words))
    shelf.give("a.txt", as_text(words))
    project_id = shelf.bench.project_id
    for name in ("a.txt", "a.vtt"):
        again(db, machine_owner(), project_id, name, "extract")
        assert work_off_inputs(shelf.bench).changed == [name]
        assert shelf.twins() == {"a.vtt": None, "a.txt": "a.vtt"}
    with pytest.raises(ConfigInvalid, match="twin"):
        again(db, machine_owner(), project_id, "a.txt", "chunk")


def test_sources_are_saved_while_an_index_is_built(shelf: Shelf, db: Database) -> None:
    """Builds and twins hold locks by number; the index and the project may have the same one."""
    with db.transaction() as tx:
        number = shelf.bench.project_id
        assert tx.value("hold_index_build", index_id=number)
        with db.transaction() as other:
            other.connection.execute("set local lock_timeout = '2s'")
            hold_twins(other, number)
        tx.connection.execute("select pg_advisory_unlock_all()")


def test_two_twins_that_are_saved_at_once_wait_for_each_other(shelf: Shelf, db: Database) -> None:
    """One by one: the second must see the first, and neither may hold what the other wants."""
    words = speech(1)
    takers = [("a.vtt", as_vtt(words)), ("a.txt", as_text(words)), ("b.txt", as_text(words[:500]))]
    for name, text in takers:
        (shelf.folder / name).write_text(text)
    intake = open_intake(shelf.bench, machine_owner())
    intake.take_files([(name, shelf.folder / name) for name, _ in takers])
    step = Extracting(shelf.bench.objects, partial(extract, timeout_s=60))
    tuning = StageTuning(batch=1, concurrency=3)
    report = work_side_by_side(step, db=db, tuning=tuning, stop=StopSignal())
    assert report.outcomes == {"new": 3}
    assert shelf.twins() == {"a.vtt": None, "a.txt": "a.vtt", "b.txt": "a.vtt"}


class Failing(HashedEmbedder):
    """A model that does not get through."""

    def embed(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        raise OSError("the model's file is gone")


def embed(shelf: Shelf, model: HashedEmbedder) -> None:
    """Cut and embed all that waits for it."""
    db = shelf.bench.db
    with db.transaction() as tx:
        tx.value("ensure_embedding_index", model=model.model, dim=model.dim)
    for step in (Chunking(HashedEmbedder(64)), Embedding(db, lambda _: model)):
        work_side_by_side(step, db=db, tuning=StageTuning(max_attempts=1), stop=StopSignal())


def searched(shelf: Shelf) -> set[str]:
    """Names of the sources that search by meaning finds something of."""
    rows = shelf.rows(
        "select distinct s.name from chunk_embedding e join chunk c on c.id = e.chunk_id and c.is_current"
        " join source s on s.id = c.source_id"
    )
    return {row["name"] for row in rows}


def test_what_was_searched_stays_searched_until_the_better_one_is(
    shelf: Shelf, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    words = speech(1)
    shelf.bench = replace(shelf.bench, embedder=HashedEmbedder(64))
    shelf.give("a.txt", as_text(words))
    embed(shelf, HashedEmbedder(64))
    assert searched(shelf) == {"a.txt"}
    shelf.give("a.vtt", as_vtt(words))
    assert shelf.twins() == {"a.txt": None, "a.vtt": None}, "it is no twin yet"
    assert shelf.awaiting() == {"a.txt": "a.vtt"}
    embed(shelf, Failing(64))
    assert shelf.rows("select status from source where name = 'a.vtt'") == [{"status": "dead"}]
    assert searched(shelf) == {"a.txt"}
    again(db, machine_owner(), shelf.bench.project_id, "a.txt", "chunk")
    embed(shelf, HashedEmbedder(64))
    assert searched(shelf) == {"a.txt"} and shelf.steps()["a.txt"] == "keywords", "it goes on like any source"
    again(db, machine_owner(), shelf.bench.project_id, "a.txt", "extract")
    work_off_inputs(shelf.bench)
    assert searched(shelf) == {"a.txt"}, "also when it is read again meanwhile"
    upkeep.retry(db, machine_owner(), "embed_chunks")
    embed(shelf, HashedEmbedder(64))
    assert searched(shelf) == {"a.vtt"}
    assert shelf.twins() == {"a.txt": "a.vtt", "a.vtt": None}
    assert shelf.rows(
        "select count(*) as n from posting o join chunk c on c.id = o.chunk_id"
        " join source s on s.id = c.source_id where s.name = 'a.txt'"
    ) == [{"n": 0}]
    assert "model's file is gone" in caplog.text


def test_a_twin_stands_in_for_a_better_one_that_was_given_up_before(shelf: Shelf, db: Database) -> None:
    words = speech(1)
    shelf.bench = replace(shelf.bench, embedder=HashedEmbedder(64))
    shelf.give("a.vtt", as_vtt(words))
    embed(shelf, Failing(64))
    shelf.give("a.txt", as_text(words))
    assert shelf.awaiting() == {"a.txt": "a.vtt"}
    shelf.give("copy.txt", as_text(words) + "\n")
    assert shelf.awaiting() == {"a.txt": "a.vtt"} and shelf.twins()["copy.txt"] == "a.vtt"
    embed(shelf, HashedEmbedder(64))
    assert searched(shelf) == {"a.txt"}
    upkeep.retry(db, machine_owner(), "embed_chunks")
    embed(shelf, HashedEmbedder(64))
    assert searched(shelf) == {"a.vtt"} and shelf.awaiting() == {}
    assert shelf.twins() == {"a.vtt": None, "a.txt": "a.vtt", "copy.txt": "a.vtt"}


def test_a_twin_stands_in_for_a_better_one_that_is_given_up_later(shelf: Shelf, db: Database) -> None:
    words = speech(1)
    shelf.bench = replace(shelf.bench, embedder=HashedEmbedder(64))
    shelf.give("a.vtt", as_vtt(words))
    shelf.give("short.txt", as_text(words[:500]))
    shelf.give("a.txt", as_text(words))

    def stand_in() -> int:
        with db.transaction() as tx:
            return let_twins_stand_in(tx, shelf.bench.project_id)

    assert stand_in() == 0
    embed(shelf, Failing(64))
    assert (stand_in(), stand_in()) == (1, 0)
    assert shelf.awaiting() == {"a.txt": "a.vtt"}, "the best of them"
    embed(shelf, HashedEmbedder(64))
    assert searched(shelf) == {"a.txt"}


def test_what_is_searched_awaits_the_best_of_those_to_come(shelf: Shelf) -> None:
    words = speech(1)
    shelf.bench = replace(shelf.bench, embedder=HashedEmbedder(64))
    shelf.give("a.txt", as_text(words[:400]))
    embed(shelf, HashedEmbedder(64))
    shelf.give("a.vtt", as_vtt(words[:400]))
    shelf.give("b.vtt", as_vtt(words))
    assert shelf.twins() == {"a.txt": None, "a.vtt": "b.vtt", "b.vtt": None}
    assert shelf.awaiting() == {"a.txt": "b.vtt"}
    shelf.give("b.vtt", as_vtt(speech(5)))
    assert searched(shelf) == {"a.txt"} and shelf.awaiting() == {"a.txt": "a.vtt"}, "it is judged anew"
    embed(shelf, HashedEmbedder(64))
    assert searched(shelf) == {"a.vtt", "b.vtt"} and shelf.twins()["a.txt"] == "a.vtt"
