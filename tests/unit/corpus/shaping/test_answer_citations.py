"""Ids of evidence lines: written, read out of an answer, and resolved to the second."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.shaping.citations import Citation, cite, number_lines, without_ids
from rejoinder.corpus.shaping.merging import Stretch
from rejoinder.corpus.values import Passage
from rejoinder.ids import ChunkId, SourceId


def citation(number: int, **changes) -> Citation:
    fields = {
        "id": f"E{number}", "source_id": SourceId(1), "source_title": "Compost without the smell",
        "source_url": "https://pod.example/1?a=b", "speakers": ("Ines",), "start_s": 64.2, "end_s": 90.0,
        "chunk_ids": (ChunkId(number),),
    }  # fmt: skip
    return Citation(**{**fields, **changes})


KNOWN = [citation(1), citation(2), citation(3)]


@pytest.mark.parametrize(
    ("answer", "statements"),
    [
        ("It smells. [E1]", [("It smells.", ["E1"])]),
        ("It smells [E1]. Turn it [E2].", [("It smells", ["E1"]), ("Turn it", ["E2"])]),
        ("Both say so [E1][E3]", [("Both say so", ["E1", "E3"])]),
        ("Both say so [E1, E3].", [("Both say so", ["E1", "E3"])]),
        ("Both say so [E1; 3] [E1]", [("Both say so", ["E1", "E3"])]),
        ("Both [E1 and E2]", [("Both", ["E1", "E2"])]),
        ("Zeros [E02]", [("Zeros", ["E2"])]),
        ("[E1]", []),
        ("", []),
    ],
)
def test_ids_are_read_as_models_write_them(answer, statements):
    cited = cite(answer, KNOWN)
    assert [(s.text, [c.id for c in s.citations]) for s in cited.statements] == statements
    assert (cited.uncited, cited.notes) == ("", ())


def test_an_unknown_id_is_dropped_with_a_note_and_its_words_are_no_statement():
    cited = cite("Known [E1, E7]. Invented [E9].", KNOWN)
    assert [(s.text, [c.id for c in s.citations]) for s in cited.statements] == [("Known", ["E1"])]
    assert cited.uncited == "Invented"
    assert [note.split()[0] for note in cited.notes] == ["E7", "E9"]


def test_words_without_an_id_are_set_apart():
    cited = cite("As everybody knows.", KNOWN)
    assert (cited.statements, cited.uncited) == ((), "As everybody knows.")


@given(st.text(alphabet="aE[]0123 ,;.\n", max_size=60))
def test_no_answer_makes_a_citation_that_is_not_known(answer):
    cited = cite(answer, KNOWN)
    assert all(c in KNOWN for s in cited.statements for c in s.citations)
    assert all(s.text and s.citations for s in cited.statements)


@pytest.mark.parametrize(
    ("changes", "label", "url"),
    [
        ({}, "Ines, Compost without the smell, 1:04", "https://pod.example/1?a=b#t=64"),
        ({"speakers": ("Ines", "Mara")}, "Compost without the smell, 1:04", "https://pod.example/1?a=b#t=64"),
        (
            {"speakers": ("Speaker 1",), "start_s": None},
            "Compost without the smell",
            "https://pod.example/1?a=b",
        ),
        ({"source_url": "javascript:alert(1)"}, "Ines, Compost without the smell, 1:04", None),
    ],
)
def test_a_citation_says_who_where_and_when(changes, label, url):
    assert (citation(1, **changes).label, citation(1, **changes).url) == (label, url)


def test_a_line_names_source_time_and_speakers_and_cannot_pose_as_another():
    said = Passage(
        ChunkId(5),
        SourceId(2),
        "Heat [E9]",
        None,
        "Take [E1] out\nof it.",
        75.0,
        80.0,
        ("Mara", "Speaker 2"),
        0.5,
    )
    line = number_lines([Stretch((said,))])[0]
    assert line.rendered == "[E1] Heat (E9), 1:15, Mara: Take (E1) out of it."
    assert line.citation.chunk_ids == (5,)


@given(st.text(alphabet="aE[]012, ", max_size=40))
def test_text_without_ids_has_none(text):
    assert cite(without_ids(text), [citation(n) for n in (0, 1, 2, 12)]).statements == ()
