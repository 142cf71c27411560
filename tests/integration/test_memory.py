"""Memory: summaries of sources and epochs, made anew only where something changed, each sentence citable."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from rejoinder.corpus.summaries import ExtractiveSummariser, Material, Statement
from rejoinder.llm.ports import Role, Vectors
from resources.due import sources_due
from resources.postgres import Database
from resources.previews import embedding_coverage
from resources.rules import listened_terms
from resources.steps.digesting import Digesting
from resources.steps.summarising import Summarising
from resources.tuning import StageTuning
from resources.work.runner import Report, work_off
from resources.work.stopping import StopSignal

TUNING = StageTuning(batch=10, timeout_s=30, backoff_s=0)
INK = (
    "Digital ink keeps the pressure of every stroke that a writer makes on a tablet.",
    "Handwriting recognition reads digital ink on the device of the writer.",
    "The goal of handwriting recognition is to leave the drawing editable.",
)
HEAT = (
    "Heat pumps move heat out of cold air into a building with little electricity.",
    "A heat pump needs a refrigerant that boils far below the freezing point.",
    "The advantage of heat pumps is that heat pumps save most of the fuel of a boiler.",
)


class LetterEmbedder:
    """Counts letters: texts with the same letters are alike."""

    model = "test::letters"
    dim = 26

    def __init__(self) -> None:
        self.n_texts = 0

    def embed(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        self.n_texts += len(texts)
        counts = np.array(
            [[t.casefold().count(chr(97 + i)) for i in range(26)] for t in texts], dtype=np.float32
        )
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)

    def count_tokens(self, text: str) -> int:
        return len(text.split())


@dataclass
class Memory:
    """A corpus whose summaries are made step by step."""

    db: Database
    project_id: int
    embedder: LetterEmbedder = field(default_factory=LetterEmbedder)

    def rows(self, statement: str, /, **values: Any) -> list[dict[str, Any]]:
        with self.db.transaction() as tx:
            return [dict(row) for row in tx.connection.execute(statement, values).fetchall()]

    def source(
        self, name: str, told: Sequence[str], at: datetime | None = None, *, seconds: bool = True
    ) -> int:
        [row] = self.rows(
            "insert into source (project_id, name, title, format, content_hash, step, published_at)"
            " values (%(project)s, %(name)s, %(name)s, 'text', %(name)s, 'keywords', %(at)s) returning id",
            project=self.project_id, name=name, at=at,
        )  # fmt: skip
        self.tell(row["id"], told, seconds=seconds)
        return int(row["id"])

    def tell(self, source_id: int, told: Sequence[str], *, seconds: bool = True) -> None:
        self.rows("delete from cue where source_id = %(id)s returning position", id=source_id)
        for i, text in enumerate(told):
            self.rows(
                "insert into cue (source_id, position, start_s, end_s, text)"
                " values (%(id)s, %(i)s, %(from)s, %(to)s, %(text)s) returning position",
                **{"id": source_id, "i": i, "text": text},
                **{"from": 10.0 * i if seconds else None, "to": 10.0 * i + 9 if seconds else None},
            )
        self.rows(
            "update source set step = 'keywords', status = 'pending' where id = %(id)s returning id",
            id=source_id,
        )

    def work(self) -> tuple[Report, Report]:
        summariser = ExtractiveSummariser(self.embedder)
        steps = (Digesting(summariser), Summarising(summariser))
        digested, summarised = (work_off(s, db=self.db, tuning=TUNING, stop=StopSignal()) for s in steps)
        assert digested.errors == summarised.errors == {}
        return digested, summarised

    def epochs(self) -> dict[str, tuple[str, str]]:
        found = self.rows(
            "select e.starts_on, e.status, m.text from epoch e"
            " left join summary m on m.epoch_id = e.id and m.scope = 'epoch' order by 1"
        )
        return {row["starts_on"].strftime("%Y-%m"): (row["status"], row["text"]) for row in found}

    def broken(self) -> list[dict[str, Any]]:
        with self.db.transaction() as tx:
            return [dict(row) for row in tx.rows("check_summaries")]


@pytest.fixture
def memory(owner_db: Database, db: Database) -> Iterator[Memory]:
    with owner_db.transaction() as tx:
        tx.connection.execute("insert into creator (name) values ('c')")
        row = tx.connection.execute(
            "insert into project (creator_id, name) select id, 'p' from creator returning id"
        ).fetchone()
    yield Memory(db, row["id"] if row else 0)


MAY, JUNE = datetime(2026, 5, 31, 23, 59, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


def test_sources_and_their_months_are_summarised(memory: Memory) -> None:
    ink, heat = memory.source("ink", INK, MAY), memory.source("heat", HEAT, JUNE)
    digested, summarised = memory.work()
    assert digested.outcomes == {"digested": 2} and summarised.outcomes == {"summarised": 2}
    assert {month: status for month, (status, _) in memory.epochs().items()} == {
        "2026-05": "completed", "2026-06": "completed"
    }  # fmt: skip
    cited = memory.rows(
        "select t.* from summary_sentence t join summary m on m.id = t.summary_id where scope = 'epoch'"
    )
    assert {row["source_id"] for row in cited} == {ink, heat}
    for row in cited:
        told = INK if row["source_id"] == ink else HEAT
        assert row["text"] == told[int(row["start_s"] // 10)] and row["end_s"] == row["start_s"] + 9
    assert memory.broken() == []


def test_an_unchanged_source_costs_no_model_call_and_keeps_its_text(memory: Memory) -> None:
    memory.source("ink", INK, MAY)
    memory.work()
    before, calls = memory.rows("select * from summary order by id"), memory.embedder.n_texts
    memory.rows("update source set step = 'keywords', status = 'pending' returning id")
    digested, summarised = memory.work()
    assert digested.outcomes == {"unchanged": 1} and summarised.items == 0
    assert memory.embedder.n_texts == calls and memory.rows("select * from summary order by id") == before


def test_a_changed_source_changes_its_own_and_its_months_summary_only(memory: Memory) -> None:
    ink = memory.source("ink", INK, MAY)
    memory.source("heat", HEAT, JUNE)
    memory.work()
    june = memory.rows(
        "select * from summary m join epoch e on e.id = m.epoch_id where starts_on = '2026-06-01'"
    )
    memory.tell(ink, [*INK, "Ink on paper outlives most formats of digital ink that a tablet writes."])
    digested, summarised = memory.work()
    assert digested.outcomes == {"digested": 1} and summarised.outcomes == {"summarised": 1}
    assert "outlives" in memory.epochs()["2026-05"][1]
    again = memory.rows(
        "select * from summary m join epoch e on e.id = m.epoch_id where starts_on = '2026-06-01'"
    )
    assert again == june


def test_an_added_source_leaves_all_summaries_but_its_months_alone(memory: Memory) -> None:
    memory.source("ink", INK, MAY)
    memory.source("heat", HEAT, JUNE)
    memory.work()
    others = (
        "select m.* from summary m left join epoch e on e.id = m.epoch_id"
        " where m.scope = 'source' or e.starts_on = '2026-06-01' order by m.id"
    )
    before = memory.rows(others)
    added = memory.source("more heat", ("Boilers burn gas to heat the water of a whole building.",), MAY)
    digested, summarised = memory.work()
    assert digested.outcomes == {"digested": 1} and summarised.outcomes == {"summarised": 1}
    assert [row for row in memory.rows(others) if row["source_id"] != added] == before


def test_a_source_that_gets_another_date_moves_to_that_month(memory: Memory) -> None:
    memory.source("ink", INK, MAY)
    heat = memory.source("heat", HEAT, MAY)
    memory.work()
    assert "Heat pumps" in memory.epochs()["2026-05"][1]
    memory.rows("update source set published_at = %(at)s where id = %(id)s returning id", at=JUNE, id=heat)
    digested, summarised = memory.work()
    assert digested.items == 0 and summarised.items == 2
    assert "eat pump" not in memory.epochs()["2026-05"][1] and "eat pump" in memory.epochs()["2026-06"][1]


def test_a_deleted_source_leaves_its_month(memory: Memory, owner_db: Database) -> None:
    memory.source("ink", INK, MAY)
    heat = memory.source("heat", HEAT, MAY)
    memory.work()
    with owner_db.transaction() as tx:
        tx.connection.execute("delete from source where id = %s", (heat,))
    memory.work()
    assert "eat pump" not in memory.epochs()["2026-05"][1] and "ink" in memory.epochs()["2026-05"][1]


def test_twins_are_told_once(memory: Memory) -> None:
    first = memory.source("ink.vtt", INK, MAY)
    twin = memory.source("ink.txt", INK, MAY, seconds=False)
    memory.work()
    memory.rows(
        "update source set twin_of = %(first)s where id = %(twin)s returning id", first=first, twin=twin
    )
    memory.work()
    cited = memory.rows(
        "select t.source_id from summary_sentence t join summary m on m.id = t.summary_id where scope = 'epoch'"
    )
    assert {row["source_id"] for row in cited} == {first}
    assert memory.broken() == []


def test_a_document_is_cited_without_seconds(memory: Memory) -> None:
    memory.source("ink.html", INK, MAY, seconds=False)
    memory.work()
    cited = memory.rows("select start_s, end_s from summary_sentence")
    assert cited and all(row == {"start_s": None, "end_s": None} for row in cited)


def test_a_source_that_changes_while_its_month_is_summarised_is_not_lost(memory: Memory) -> None:
    ink = memory.source("ink", INK, MAY)
    memory.work()
    memory.tell(ink, HEAT)
    work_off(Digesting(ExtractiveSummariser(memory.embedder)), db=memory.db, tuning=TUNING, stop=StopSignal())

    class Meanwhile:
        """A summariser during whose first work the source changes once more."""

        method = "test"
        inner = ExtractiveSummariser(memory.embedder)
        is_first = True

        def summarise(self, material: Material) -> list[Statement]:
            if self.is_first:
                self.is_first = False
                memory.tell(ink, INK)
                work_off(Digesting(self.inner), db=memory.db, tuning=TUNING, stop=StopSignal())
            return self.inner.summarise(material)

    report = work_off(Summarising(Meanwhile()), db=memory.db, tuning=TUNING, stop=StopSignal())
    assert report.outcomes == {"lease_lost": 1, "summarised": 1}
    assert "ink" in memory.epochs()["2026-05"][1] and "eat pump" not in memory.epochs()["2026-05"][1]


def test_an_epoch_whose_worker_died_is_due_again(memory: Memory) -> None:
    memory.source("ink", INK, MAY)
    work_off(Digesting(ExtractiveSummariser(memory.embedder)), db=memory.db, tuning=TUNING, stop=StopSignal())
    memory.rows(
        "update epoch set status = 'processing', lease_worker = 999999, lease_until = now() + interval '1 h',"
        " in_hand_at = now() returning id"
    )
    assert sources_due(memory.db) == 1
    _, summarised = memory.work()
    assert summarised.outcomes == {"summarised": 1} and sources_due(memory.db) == 0


def test_the_check_finds_a_month_without_a_summary(memory: Memory) -> None:
    memory.source("ink", INK, MAY)
    memory.work()
    memory.rows("delete from summary where scope = 'epoch' returning id")
    assert [row["key"] for row in memory.broken()] == ["2026-05"]


def test_a_term_of_many_sources_counts_less(memory: Memory) -> None:
    for i in range(4):
        source_id = memory.source(f"s{i}", INK, MAY)
        for term, score in (("Ink", 1.0), (f"pen number {i}", 0.8), ("far behind", 0.2)):
            memory.rows(
                "insert into keyword values (%(id)s, %(t)s, %(s)s) returning term",
                id=source_id,
                t=term,
                s=score,
            )
    memory.rows("update source set step = 'ready', status = 'completed' returning id")
    with memory.db.transaction() as tx:
        best = [(row["term"], row["n_sources"]) for row in tx.rows("best_keywords", top=10)]
    assert best == [*((f"pen number {i}", 1) for i in range(4)), ("Ink", 4)]
    words, company = listened_terms(memory.db, subject_share=0.2)
    assert words[0] == "Ink" and company == {}


def test_a_word_of_few_sources_is_listened_for_in_company_and_the_subject_alone(memory: Memory) -> None:
    for i in range(70):
        source_id = memory.source(f"s{i}", INK, MAY)
        for term in ("Pen", *(f"nib number {i} {n}" for n in range(5)), *(("Muse",) if i < 2 else ())):
            memory.rows(
                "insert into keyword values (%(id)s, %(t)s, 0.9) returning term", id=source_id, t=term
            )
    memory.rows("update source set step = 'ready', status = 'completed' returning id")
    words, company = listened_terms(memory.db, subject_share=0.2)
    assert words[0] == "Pen" and "Pen" not in company
    alone, _ = listened_terms(memory.db, subject_share=0)
    assert alone[0] == "Pen" and "Muse" in alone[:2]


def test_coverage_counts_the_chunks_without_a_vector(memory: Memory) -> None:
    source_id = memory.source("ink", INK, MAY)
    memory.rows("select ensure_embedding_index('test::letters', 2)")
    for i in range(4):
        [chunk] = memory.rows(
            "insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms)"
            " values (%(id)s, %(i)s, 'h', 't', 1, 1) returning id", id=source_id, i=i
        )  # fmt: skip
        if i:
            memory.rows(
                "insert into chunk_vector_1 (chunk_id, project_id, source_id, embedding)"
                " values (%(chunk)s, %(project)s, %(id)s, '[1,0]') returning chunk_id",
                chunk=chunk["id"], project=memory.project_id, id=source_id,
            )  # fmt: skip
    assert embedding_coverage(memory.db) == {"n_chunks": 4, "n_embedded": 3, "covered_pct": 75.0}
    with memory.db.transaction() as tx:
        [row] = tx.rows("embedding_coverage_of_sources", top=5)
    assert (row["source_id"], row["n_chunks"], row["n_embedded"], row["covered_pct"]) == (
        source_id,
        4,
        3,
        75.0,
    )
