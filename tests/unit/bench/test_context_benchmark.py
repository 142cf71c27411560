"""What the benchmark of contexts counts as found, and which documents it asks about."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.context import covered_cues, recall, with_questions
from bench.context_documents import Asked, Document, read_documents
from rejoinder.corpus.shaping.citations import number_lines
from rejoinder.corpus.shaping.merging import Stretch
from rejoinder.corpus.shaping.prompt_context import PromptContext, TokenCounts
from rejoinder.corpus.values import Passage, Transcript
from rejoinder.errors import ConfigInvalid
from rejoinder.ids import ChunkId, SourceId


def context(*spans: tuple[int, float, float]) -> PromptContext:
    passages = [
        Passage(ChunkId(i), SourceId(source), "t", None, "Words.", start, end, (), 1.0)
        for i, (source, start, end) in enumerate(spans)
    ]
    lines = number_lines([Stretch((passage,)) for passage in passages])
    return PromptContext("?", lines, (), TokenCounts(1, 1, 0))


def test_a_cue_counts_where_at_least_half_of_it_is_in_the_evidence() -> None:
    found = context((1, 2.4, 5.6), (1, 9.0, 10.0), (2, 20.0, 30.0))
    assert covered_cues(found, 1) == {2, 3, 4, 5, 9}


def test_a_passage_inside_one_cue_covers_it() -> None:
    assert covered_cues(context((1, 7.1, 7.3)), 1) == {7}


def test_recall_is_that_of_the_set_covered_best() -> None:
    asked = Asked("?", (frozenset({1, 2, 3, 4}), frozenset({8, 9})))
    assert recall(asked, frozenset({1, 8, 9})) == 1.0
    assert recall(asked, frozenset({1})) == 0.25
    assert recall(asked, frozenset()) == 0.0


def test_real_documents_come_with_questions_first_and_each_once(data_dir: Path) -> None:
    found = read_documents(data_dir, 120)
    assert {d.kind for d in found[:60]} == {"meeting", "page"}
    assert sum(bool(d.asked) for d in found[:100]) == 82 and len({d.name for d in found}) == 120
    assert {d.name for d in found if d.kind == "meeting" and not d.asked} == {
        f"meeting {i}" for i in range(0, 35, 2)
    }
    for document in found[:100]:
        positions = {int(cue.start_s or 0) for cue in document.transcript.cues}
        assert all(gold & positions for asked in document.asked for gold in asked.gold)


def test_the_same_questions_are_drawn_each_time() -> None:
    asked = tuple(Asked(str(i), ()) for i in range(5))
    document = Document("a", "page", Transcript("A", "benchmark", ()), asked)
    found = [document, replace(document, name="b")]
    drawn = with_questions(found, 4)
    assert sum(len(d.asked) for d in drawn) == 4 and drawn == with_questions(found, 4)
    assert all(set(d.asked) <= set(asked) for d in drawn)
    many = [replace(document, name=str(i)) for i in range(120)]
    assert sum(len(d.asked) for d in with_questions(many, 30)[:100]) == 30
    assert with_questions(found, None) == with_questions(found, 10) == found


def test_a_folder_without_the_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="has no"):
        read_documents(tmp_path, 100)
