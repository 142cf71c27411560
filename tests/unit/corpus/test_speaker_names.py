"""Speakers' names in the indexed text: only names, nothing lost, never over the limit."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.chunks import CuttingRule, chunk_transcript
from rejoinder.corpus.speaker_names import name_of
from rejoinder.corpus.speech import sentences_of
from rejoinder.corpus.values import Chunk, Cue, Transcript

LABELS = (None, "Ada", "Bob Hale", "Speaker 2", "SPEAKER_00", ">>", "Grace Brewster Murray Hopper")


def count_words(text: str) -> int:
    return len(text.split())


def cut(cues: Sequence[Cue], **rule: int | bool) -> list[Chunk]:
    transcript = Transcript("A talk", "text", tuple(cues))
    return chunk_transcript(transcript, count_tokens=count_words, rule=CuttingRule(**rule))  # type: ignore[arg-type]


def said(*turns: tuple[str | None, str]) -> list[Cue]:
    return [Cue(text, float(n), n + 1.0, who) for n, (who, text) in enumerate(turns)]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Ada", "Ada"), (" Ada  Lovelace: ", "Ada Lovelace"), (">> Ines", "Ines"),
        ("Project Manager", "Project Manager"),
        ("Speaker Pelosi", "Speaker Pelosi"), ("Jo 2", "Jo 2"), ("Ли", "Ли"), ("王", "王"), ("अदा", "अदा"),
    ],
)  # fmt: skip
def test_a_name_is_kept_as_it_is_shown(label: str, name: str) -> None:
    assert name_of(label) == name


@pytest.mark.parametrize(
    "label",
    [None, "", " ", "0", "17", ">>", "-", "?", "A", "b.", "Speaker", "Speaker 1", "SPEAKER_00", "spk_0", "S1", "F01",
     "Speaker A", "Unknown speaker", "Participant 12", "Channel 2", "Sprecher 3", "Locuteur 1", "Спикер 2", "话者1",
     "9f8a77b0", "long " * 13],
)  # fmt: skip
def test_what_only_tells_voices_apart_is_no_name(label: str | None) -> None:
    assert name_of(label) is None


def test_a_name_stands_where_its_speaker_begins() -> None:
    (chunk,) = cut(
        said(("Ada", "Ink is old. It fades."), ("Bob", "Why?"), ("Bob", "Who knows?"), ("Ada", "I do."))
    )
    assert chunk.indexed_text == "Ada: Ink is old. It fades. Bob: Why? Who knows? Ada: I do."
    assert chunk.text == "Ink is old. It fades. Why? Who knows? I do." and chunk.n_tokens == 10
    first, second = cut(said(("Ada", "One two three. Four five six.")), max_tokens=3)
    assert (first.indexed_text, second.indexed_text) == ("Ada: One two three.", "Ada: Four five six.")


def test_without_names_the_indexed_text_is_the_text() -> None:
    for cues in (
        said((None, "Ink is old."), (None, "Why?")),
        said(("Speaker 1", "Ink is old."), ("2", "Why?")),
    ):
        (chunk,) = cut(cues)
        assert chunk.named_text is None and chunk.indexed_text == chunk.text == "Ink is old. Why?"
    (chunk,) = cut(said(("Ada", "Ink is old.")), name_speakers=False)
    assert chunk.named_text is None and chunk.speakers == ("Ada",)


def test_everyone_is_named_once_before_anyone_is_named_again() -> None:
    cues = said(("Ada", "Yes."), ("Bob", "No."), ("Ada", "Yes."), ("Bob", "No."), ("Cy", "Oh."))
    (chunk,) = cut(cues, indexed_tokens=8)
    assert chunk.indexed_text == "Ada: Yes. Bob: No. Yes. No. Cy: Oh."
    assert cut(cues, indexed_tokens=9)[0].indexed_text == "Ada: Yes. Bob: No. Ada: Yes. No. Cy: Oh."
    assert cut(cues, indexed_tokens=5)[0].named_text is None


SENTENCES = st.lists(st.sampled_from(["Ink fades.", "Why?", "Then it is so.", "No."]), min_size=1, max_size=4)
TURNS = st.lists(st.tuples(st.sampled_from(LABELS), SENTENCES.map(" ".join)), min_size=1, max_size=15)


@given(TURNS, st.integers(6, 20), st.integers(1, 30))
def test_the_indexed_text_without_names_is_the_text_and_fits(
    turns: list[tuple[str | None, str]], max_tokens: int, indexed_tokens: int
) -> None:
    cues = said(*turns)
    chunks = cut(cues, max_tokens=max_tokens, indexed_tokens=indexed_tokens)
    names = {f"{name}:" for label in LABELS if (name := name_of(label))}
    for chunk in chunks:
        told = chunk.indexed_text
        for name in names:
            told = told.replace(f"{name} ", "")
        assert told == chunk.text
        assert count_words(chunk.indexed_text) <= max(indexed_tokens, chunk.n_tokens)
    assert " ".join(c.text for c in chunks) == " ".join(s.text for s in sentences_of(cues))


@given(TURNS, st.integers(6, 20))
def test_names_change_neither_cuts_nor_what_is_quoted(
    turns: list[tuple[str | None, str]], max_tokens: int
) -> None:
    with_names = cut(said(*turns), max_tokens=max_tokens)
    without = cut(said(*turns), max_tokens=max_tokens, name_speakers=False)
    assert [replace(chunk, named_text=None) for chunk in with_names] == without
