"""QMSum files: turns become cues that know their number, and rankings are judged by the gold turns they cover."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.evaluate import load_task
from rejoinder.corpus.values import Chunk
from rejoinder.errors import ConfigInvalid
from rejoinder.llm.ports import Role, Vectors
from resources.evaluation.meetings import (
    Question,
    load_meetings,
    part_of,
    plain_words,
    span_recall,
    turn_recall,
    turn_share,
    turns_of,
)
from resources.evaluation.task import meeting_task
from resources.tuning import Tuning
from resources.tuning_sections import Chunking

TURNS = [
    {"speaker": "A", "content": "So {vocalsound} the cost 's high ."},
    {"speaker": "B", "content": "We could drop the screen ."},
    {"speaker": "A", "content": "Agreed . Next , the battery ."},
]


def meeting(**change: object) -> dict[str, object]:
    query = {"query": "What about the cost?", "answer": "", "relevant_text_span": [["0", "1"]]}
    return {"meeting_transcripts": TURNS, "specific_query_list": [query], **change}


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return path


def test_turns_become_cues_that_know_their_number(tmp_path: Path) -> None:
    found = load_meetings(write(tmp_path / "val.jsonl", meeting()))
    cues = found.transcripts["m0"].cues
    assert [(c.text, c.start_s, c.end_s, c.speaker) for c in cues[:2]] == [
        ("So the cost's high.", 0.0, 1.0, "A"),
        ("We could drop the screen.", 1.0, 2.0, "B"),
    ]
    assert found.questions == (Question("m0/0", "m0", "What about the cost?", ((0, 1),)),)


@pytest.mark.parametrize("spans", [[["5", "9"]], [["2", "1"]], [["-1", "1"]], []])
def test_a_question_without_gold_turns_is_left_out(tmp_path: Path, spans: list[list[str]]) -> None:
    query = {"query": "?", "relevant_text_span": spans}
    path = write(tmp_path / "val.jsonl", meeting(), meeting(specific_query_list=[query]))
    assert [q.meeting for q in load_meetings(path).questions] == ["m0"]


def test_a_span_that_runs_over_the_end_is_cut(tmp_path: Path) -> None:
    query = {"query": "?", "relevant_text_span": [["1", "99"]]}
    path = write(tmp_path / "val.jsonl", meeting(specific_query_list=[query]))
    assert load_meetings(path).questions[0].spans == ((1, 2),)


@pytest.mark.parametrize("row", [{}, [], 3, {"meeting_transcripts": 1, "specific_query_list": []}])
def test_a_line_that_is_no_meeting_is_reported(tmp_path: Path, row: object) -> None:
    found = load_meetings(write(tmp_path / "val.jsonl", row, meeting()))
    assert list(found.transcripts) == ["m1"]
    assert found.notes[0].startswith("val.jsonl, line 1: not a meeting")


def test_a_file_without_meetings_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="no meeting"):
        load_meetings(write(tmp_path / "val.jsonl", {}))
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        load_meetings(tmp_path / "absent.jsonl")


def test_the_halves_share_no_meeting(tmp_path: Path) -> None:
    found = load_meetings(write(tmp_path / "val.jsonl", *[meeting()] * 5))
    choose, report = part_of(found, "choose"), part_of(found, "report")
    assert set(choose.transcripts) == {"m0", "m2", "m4"}
    assert set(report.transcripts) == {"m1", "m3"}
    assert {q.meeting for q in report.questions} == set(report.transcripts)
    assert part_of(found, "all") == found
    with pytest.raises(ConfigInvalid, match="no part test"):
        part_of(found, "test")


def test_marks_and_spaced_punctuation_are_taken_out() -> None:
    assert plain_words("Yeah , {disfmarker} I 've no {gap} idea !") == "Yeah, I've no idea!"


def test_turns_of_a_chunk() -> None:
    assert turns_of(Chunk(0, "", "", 1, 2.5, 4.25)) == range(2, 5)
    assert turns_of(Chunk(0, "", "", 1, 2.0, 2.0)) == range(2, 3)
    assert turns_of(Chunk(0, "", "", 1)) == range(0)


def test_recall_by_hand() -> None:
    question = Question("q", "m", "?", ((0, 3), (10, 10)))
    found = [("m", range(2, 6)), ("m", range(3, 5)), ("other", range(0, 2))]
    assert turn_recall(question, found) == pytest.approx(2 / 5)
    assert span_recall(question, found) == pytest.approx(1 / 2)
    assert turn_share(question, "m", range(2, 6)) == pytest.approx(2 / 4)
    assert turn_share(question, "other", range(0, 2)) == 0.0


def test_a_task_is_judged_by_its_first_ten(tmp_path: Path) -> None:
    found = load_meetings(write(tmp_path / "val.jsonl", meeting()))
    task = meeting_task(found, split="all", count_tokens=lambda text: len(text.split()) * 60)
    keys = list(task.passages)
    assert len(keys) >= 2
    assert task.questions[0].within == "m0"
    assert task.judge("m0/0", keys)["turn_recall@10"] == 1.0
    assert task.judge("m0/0", [])["turn_recall@10"] == 0.0


class WordCounter:
    """Counts words; makes no vectors."""

    model = "test::words"
    dim = 1

    def embed(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        raise AssertionError("cutting by words asks for no vectors")

    def count_tokens(self, text: str) -> int:
        return len(text.split())


def test_meetings_are_cut_as_the_tuning_has_it(tmp_path: Path) -> None:
    path = write(tmp_path / "val.jsonl", meeting(meeting_transcripts=TURNS * 5))
    whole = load_task(path, "all", WordCounter(), Tuning())
    small = load_task(path, "all", WordCounter(), Tuning(chunking=Chunking(max_tokens=20)))
    assert len(small.passages) > len(whole.passages) == 1


def test_the_real_file_is_read_whole(data_dir: Path) -> None:
    found = load_meetings(data_dir / "meetings_qmsum" / "val.jsonl")
    assert (len(found.transcripts), len(found.questions), found.notes) == (35, 237, ())
