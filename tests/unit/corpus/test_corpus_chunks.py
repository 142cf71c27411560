"""Chunks: whole sentences within the limit, nothing lost, and the seconds of each."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.chunks import chunk_transcript, content_hash, locate
from rejoinder.corpus.speech import sentences_of
from rejoinder.corpus.transcripts.read import parse_transcript
from rejoinder.corpus.values import Cue, Transcript
from rejoinder.text.sentences import split_sentences


def count_words(text: str) -> int:
    """A token is up to ten characters of a word, so that long words are long."""
    return sum(-(-len(word) // 10) for word in text.split())


def transcript(*cues: Cue) -> Transcript:
    return Transcript("A talk", "text", cues)


SPLIT_CUES = (
    Cue("One is here. Two begins", 0.0, 4.0, "Ada"),
    Cue("and ends. Three.", 4.0, 8.0, "Ada"),
    Cue("Four is mine.", 9.0, 10.0, "Bob"),
)


def test_cues_are_joined_to_sentences_before_they_are_cut() -> None:
    told = sentences_of(SPLIT_CUES)
    assert [sentence.text for sentence in told] == [
        "One is here.",
        "Two begins and ends.",
        "Three.",
        "Four is mine.",
    ]
    assert (told[1].start_s, told[1].end_s, told[3].speaker) == (2.26, 6.25, "Bob")


def test_chunks_carry_first_and_last_second_and_speakers_in_order() -> None:
    chunks = chunk_transcript(transcript(*SPLIT_CUES), count_tokens=count_words, max_tokens=8)
    assert [(chunk.text, chunk.start_s, chunk.end_s, chunk.speakers) for chunk in chunks] == [
        ("One is here. Two begins and ends. Three.", 0.0, 8.0, ("Ada",)),
        ("Four is mine.", 9.0, 10.0, ("Bob",)),
    ]
    whole = chunk_transcript(transcript(*SPLIT_CUES), count_tokens=count_words)[0]
    assert whole.speakers == ("Ada", "Bob") and whole.n_tokens == 11


def test_a_long_sentence_is_cut_between_words_and_a_long_word_inside() -> None:
    long = transcript(Cue("one two three four five six seven", 0.0, 33.0))
    chunks = chunk_transcript(long, count_tokens=count_words, max_tokens=3)
    assert [chunk.text for chunk in chunks] == ["one two three", "four five six", "seven"]
    assert [chunk.start_s for chunk in chunks] == [0.0, 14.0, 28.0]
    word = chunk_transcript(transcript(Cue("x" * 95)), count_tokens=count_words, max_tokens=3)
    assert "".join(chunk.text for chunk in word) == "x" * 95
    assert all(chunk.n_tokens <= 3 for chunk in word)


def test_without_times_there_are_none() -> None:
    chunk = chunk_transcript(transcript(Cue("Hello there.")), count_tokens=count_words)[0]
    assert (chunk.start_s, chunk.end_s) == (None, None)
    assert locate("Hello", [Cue("Hello there.")], chunk) is None


def test_the_limit_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        chunk_transcript(transcript(Cue("x")), count_tokens=count_words, max_tokens=0)


WORDS = st.lists(
    st.sampled_from(["ink", "pens.", "Why?", "and", "Then", "naïve", "東京。", "a" * 45, "שלום", "No."]),
    min_size=1,
    max_size=12,
)
CUES = st.lists(st.tuples(WORDS, st.sampled_from([None, "Ada", "Bob"])), min_size=1, max_size=10).map(
    lambda rows: tuple(Cue(" ".join(words), 5.0 * i, 5.0 * i + 4, who) for i, (words, who) in enumerate(rows))
)


@given(CUES, st.integers(1, 20))
def test_nothing_is_lost_and_no_chunk_is_over_the_limit(cues: tuple[Cue, ...], max_tokens: int) -> None:
    chunks = chunk_transcript(transcript(*cues), count_tokens=count_words, max_tokens=max_tokens)
    said = "".join("".join(sentence.text for sentence in sentences_of(cues)).split())
    assert "".join("".join(chunk.text for chunk in chunks).split()) == said
    assert said == "".join("".join(cue.text for cue in cues).split())
    assert all(0 < chunk.n_tokens <= max_tokens for chunk in chunks)
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk.content_hash == content_hash(chunk.text) for chunk in chunks)


@given(CUES)
def test_chunk_times_are_in_order_and_inside_the_recording(cues: tuple[Cue, ...]) -> None:
    chunks = chunk_transcript(transcript(*cues), count_tokens=count_words, max_tokens=5)
    starts = [chunk.start_s or 0.0 for chunk in chunks]
    assert all(before <= after for before, after in pairwise(starts))
    assert all(0 <= (c.start_s or 0) <= (c.end_s or 0) <= (cues[-1].end_s or 0) for c in chunks)


@given(CUES)
def test_every_sentence_is_located_no_later_than_it_is_said(
    cues: tuple[Cue, ...],
) -> None:
    chunks = chunk_transcript(transcript(*cues), count_tokens=count_words, max_tokens=1000)
    for sentence in sentences_of(cues):
        found = locate(sentence.text, cues, chunks[0])
        assert found is not None and found <= (sentence.start_s or 0)


def test_a_quote_has_its_own_second_whatever_its_case_and_punctuation() -> None:
    chunk = chunk_transcript(transcript(*SPLIT_CUES), count_tokens=count_words)[0]
    assert locate("two begins, and ends", SPLIT_CUES, chunk) == 2.26
    assert locate("Four is mine.", SPLIT_CUES, chunk) == 9.0
    assert locate("never said", SPLIT_CUES, chunk) == chunk.start_s
    assert locate("...", SPLIT_CUES, chunk) == chunk.start_s


def test_words_said_before_the_chunk_are_not_taken_for_the_quote() -> None:
    cues = (Cue("Same words. Other words.", 0.0, 4.0), Cue("Same words.", 4.0, 6.0))
    later = chunk_transcript(transcript(*cues), count_tokens=count_words, max_tokens=2)[-1]
    assert locate("Same words.", cues, later) == 4.0


def test_five_hours_are_cut_and_located(data_dir: Path) -> None:
    path = data_dir / "podcasts_apollo_spacelog/a13/transcripts/TEC"
    parsed = parse_transcript("TEC", path.read_bytes())
    chunks = chunk_transcript(parsed, count_tokens=lambda text: len(text.split()), max_tokens=150)
    assert len(parsed.cues) > 10_000 and len(chunks) > 1000
    chunk = chunks[500]
    quote = chunk.text.split(". ")[0]
    assert chunk.start_s == locate(quote, parsed.cues, chunk)


def test_sentences_of_real_chunks_are_located_at_their_own_second(data_dir: Path) -> None:
    path = data_dir / "demo/transcripts/515-temporal.vtt"
    parsed = parse_transcript(path.name, path.read_bytes())
    starts: dict[str, list[float | None]] = {}
    for sentence in sentences_of(parsed.cues):
        starts.setdefault(sentence.text, []).append(sentence.start_s)
    chunks = chunk_transcript(parsed, count_tokens=lambda text: len(text.split()), max_tokens=150)
    located = [
        locate(quote, parsed.cues, chunk) in starts[quote]
        for chunk in chunks
        for quote in split_sentences(chunk.text)
        if quote in starts
    ]
    assert len(located) > 1000 and sum(located) >= 0.995 * len(located)
