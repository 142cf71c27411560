"""Chunks: whole sentences within the limit, nothing lost, and the seconds of each."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rejoinder.corpus.chunks import CuttingRule, chunk_transcript, content_hash, locate
from rejoinder.corpus.speech import sentences_of
from rejoinder.corpus.transcripts.read import parse_transcript
from rejoinder.corpus.values import Chapter, Cue, Transcript
from rejoinder.llm.ports import Vectors
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
    at_turns = CuttingRule(max_tokens=8, steady_worth=0.0, turn_worth=0.5)
    chunks = chunk_transcript(transcript(*SPLIT_CUES), count_tokens=count_words, rule=at_turns)
    assert [(chunk.text, chunk.start_s, chunk.end_s, chunk.speakers) for chunk in chunks] == [
        ("One is here. Two begins and ends. Three.", 0.0, 8.0, ("Ada",)),
        ("Four is mine.", 9.0, 10.0, ("Bob",)),
    ]
    whole = chunk_transcript(transcript(*SPLIT_CUES), count_tokens=count_words)[0]
    assert whole.speakers == ("Ada", "Bob") and whole.n_tokens == 11


def test_a_long_sentence_is_cut_between_words_and_a_long_word_inside() -> None:
    long = transcript(Cue("one two three four five six seven", 0.0, 33.0))
    chunks = chunk_transcript(long, count_tokens=count_words, rule=CuttingRule(max_tokens=3))
    assert [chunk.text for chunk in chunks] == ["one two three", "four five six", "seven"]
    assert [chunk.start_s for chunk in chunks] == [0.0, 14.0, 28.0]
    word = chunk_transcript(
        transcript(Cue("x" * 95)), count_tokens=count_words, rule=CuttingRule(max_tokens=3)
    )
    assert "".join(chunk.text for chunk in word) == "x" * 95
    assert all(chunk.n_tokens <= 3 for chunk in word)


def test_without_times_there_are_none() -> None:
    chunk = chunk_transcript(transcript(Cue("Hello there.")), count_tokens=count_words)[0]
    assert (chunk.start_s, chunk.end_s) == (None, None)
    assert locate("Hello", [Cue("Hello there.")], chunk) is None


def test_the_limit_must_be_positive() -> None:
    with pytest.raises(ValueError, match="max_tokens"):
        CuttingRule(max_tokens=0)
    with pytest.raises(ValueError, match="overlap_tokens < max_tokens"):
        CuttingRule(max_tokens=20, overlap_tokens=20)


WORDS = st.lists(
    st.sampled_from(["ink", "pens.", "Why?", "and", "Then", "naïve", "東京。", "a" * 45, "שלום", "No."]),
    min_size=1,
    max_size=12,
)
CUES = st.lists(st.tuples(WORDS, st.sampled_from([None, "Ada", "Bob"])), min_size=1, max_size=10).map(
    lambda rows: tuple(Cue(" ".join(words), 5.0 * i, 5.0 * i + 4, who) for i, (words, who) in enumerate(rows))
)


RULES = st.builds(
    CuttingRule,
    max_tokens=st.integers(12, 24),
    overlap_tokens=st.integers(0, 5),
    steady_worth=st.sampled_from([0.0, 0.2, 1.0]),
    turn_worth=st.sampled_from([0.0, 0.5]),
    topic_worth=st.sampled_from([0.0, 0.5]),
    topics_by=st.sampled_from(["terms", "vectors"]),
)
CHAPTERS = st.lists(st.integers(0, 50), max_size=4, unique=True).map(
    lambda starts: tuple(Chapter(f"Part {s}", float(s)) for s in sorted(starts))
)


def lengths_as_vectors(texts: Sequence[str]) -> Vectors:
    """A vector per text that any change of its words changes."""
    return np.array([[len(text), text.count("e") + 1] for text in texts], dtype=np.float32)


def numbered(cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """No word twice, so that what a chunk repeats of the one before is told from what was said again."""
    number = count(10)
    return tuple(
        replace(cue, text=" ".join(f"{next(number)}{word}" for word in cue.text.split())) for cue in cues
    )


def letters(text: str) -> str:
    return "".join(text.split())


@given(CUES, st.integers(1, 20))
def test_nothing_is_lost_and_no_chunk_is_over_the_limit(cues: tuple[Cue, ...], max_tokens: int) -> None:
    rule = CuttingRule(max_tokens=max_tokens)
    chunks = chunk_transcript(transcript(*cues), count_tokens=count_words, rule=rule)
    said = letters("".join(sentence.text for sentence in sentences_of(cues)))
    assert letters("".join(chunk.text for chunk in chunks)) == said
    assert said == letters("".join(cue.text for cue in cues))
    assert all(0 < chunk.n_tokens <= max_tokens for chunk in chunks)
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk.content_hash == content_hash(chunk.text) for chunk in chunks)


@settings(deadline=None)
@given(CUES.map(numbered), RULES, CHAPTERS)
def test_under_any_rule_what_was_said_is_kept_in_order_within_its_chapter(
    cues: tuple[Cue, ...], rule: CuttingRule, chapters: tuple[Chapter, ...]
) -> None:
    parsed = Transcript("A talk", "text", cues, chapters=chapters)
    chunks = chunk_transcript(parsed, count_tokens=count_words, rule=rule, embed=lengths_as_vectors)
    assert all(0 < chunk.n_tokens <= rule.max_tokens for chunk in chunks)
    told = letters(chunks[0].text)
    for before, chunk in pairwise(chunks):
        assert (before.start_s or 0) <= (chunk.start_s or 0) and (before.end_s or 0) <= (chunk.end_s or 0)
        said = letters(chunk.text)
        repeated = next(n for n in range(len(said), -1, -1) if told.endswith(said[:n]))
        assert repeated < len(said) and (before.chapter == chunk.chapter or not repeated)
        told += said[repeated:]
    assert told == letters("".join(cue.text for cue in cues))
    starts = {chapter.title: chapter.start_s or 0 for chapter in chapters}
    for before, chunk in pairwise(chunks):
        if chunk.chapter != before.chapter:
            assert starts[chunk.chapter or ""] <= (chunk.start_s or 0) + 0.01


@given(CUES)
def test_chunk_times_are_in_order_and_inside_the_recording(cues: tuple[Cue, ...]) -> None:
    rule = CuttingRule(max_tokens=5)
    chunks = chunk_transcript(transcript(*cues), count_tokens=count_words, rule=rule)
    starts = [chunk.start_s or 0.0 for chunk in chunks]
    assert all(before <= after for before, after in pairwise(starts))
    assert all(0 <= (c.start_s or 0) <= (c.end_s or 0) <= (cues[-1].end_s or 0) for c in chunks)


def test_a_chapter_starts_a_chunk_at_its_second_or_at_its_cue() -> None:
    spoken = Transcript("A talk", "text", SPLIT_CUES, chapters=(Chapter("Late", 6.25),))
    chunks = chunk_transcript(spoken, count_tokens=count_words)
    assert [(c.text, c.chapter) for c in chunks] == [
        ("One is here. Two begins and ends.", None),
        ("Three. Four is mine.", "Late"),
    ]
    cues = (Cue("About ink"), Cue("Ink is old."), Cue("About pens"), Cue("A pen holds"), Cue("ink."))
    chapters = (Chapter("About ink", first_cue=0), Chapter("About pens", first_cue=2))
    written = chunk_transcript(
        Transcript("A page", "html", cues, chapters=chapters), count_tokens=count_words
    )
    assert [(c.text, c.chapter, c.start_s) for c in written] == [
        ("About ink Ink is old.", "About ink", None),
        ("About pens A pen holds ink.", "About pens", None),
    ]
    assert [s.text for s in sentences_of(cues)] == [
        "About ink",
        "Ink is old.",
        "About pens",
        "A pen holds ink.",
    ]


def test_cuts_are_drawn_to_changes_of_topic() -> None:
    ink = "The ink dries on paper. Ink on paper fades. Old ink stains paper. Black ink likes paper."
    cars = (
        "A car needs an engine. The engine of a car roars. Every car engine wears. An engine drives the car."
    )
    said = transcript(Cue(f"{ink} {cars}", 0.0, 60.0))
    for topics_by in ("terms", "vectors"):
        rule = CuttingRule(max_tokens=30, steady_worth=0.0, topic_worth=0.6, topics_by=topics_by)
        chunks = chunk_transcript(said, count_tokens=count_words, rule=rule, embed=ink_or_not)
        assert ink in " ".join(chunk.text for chunk in chunks[: len(chunks) // 2])
    with pytest.raises(ValueError, match="embedder"):
        chunk_transcript(said, count_tokens=count_words, rule=rule)


def ink_or_not(texts: Sequence[str]) -> Vectors:
    return np.array([[1.0, 0.0] if "ink" in text.lower() else [0.0, 1.0] for text in texts], dtype=np.float32)


def test_overlapping_chunks_repeat_whole_sentences() -> None:
    said = transcript(*(Cue(f"This is number {n}.", 2.0 * n, 2.0 * n + 2) for n in range(9)))
    rule = CuttingRule(max_tokens=12, overlap_tokens=4, steady_worth=0.0)
    chunks = chunk_transcript(said, count_tokens=count_words, rule=rule)
    assert [chunk.text.count("This is") for chunk in chunks] == [2, 3, 3, 3, 2]
    assert all(b.text.startswith(split_sentences(a.text)[-1]) for a, b in pairwise(chunks))
    assert [(c.start_s, c.end_s) for c in chunks][:2] == [(0.0, 4.0), (2.0, 8.0)]


def test_an_inserted_sentence_changes_the_chunks_nearby_only() -> None:
    told = [f"Sentence {n * n} is {'so ' * (n % 5)}short." for n in range(600)]
    known = hashes_of(told)
    changed = [
        len(hashes_of([*told[:at], "Something else.", *told[at:]]) - known) for at in range(0, 600, 40)
    ]
    assert len(known) > 45 and sum(changed) / len(changed) < 3 and max(changed) < 10


def hashes_of(told: Sequence[str]) -> set[str]:
    cues = [Cue(text, 9.0 * n, 9.0 * n + 9) for n, text in enumerate(told)]
    rule = CuttingRule(max_tokens=75)
    chunks = chunk_transcript(transcript(*cues), count_tokens=count_words, rule=rule)
    return {chunk.content_hash for chunk in chunks}


@given(CUES)
def test_every_sentence_is_located_no_later_than_it_is_said(
    cues: tuple[Cue, ...],
) -> None:
    chunks = chunk_transcript(transcript(*cues), count_tokens=count_words, rule=CuttingRule(max_tokens=1000))
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
    later = chunk_transcript(transcript(*cues), count_tokens=count_words, rule=CuttingRule(max_tokens=2))[-1]
    assert locate("Same words.", cues, later) == 4.0


def test_five_hours_are_cut_and_located(data_dir: Path) -> None:
    path = data_dir / "podcasts_apollo_spacelog/a13/transcripts/TEC"
    parsed = parse_transcript("TEC", path.read_bytes())
    chunks = chunk_transcript(
        parsed, count_tokens=lambda text: len(text.split()), rule=CuttingRule(max_tokens=150)
    )
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
    chunks = chunk_transcript(
        parsed, count_tokens=lambda text: len(text.split()), rule=CuttingRule(max_tokens=150)
    )
    located = [
        locate(quote, parsed.cues, chunk) in starts[quote]
        for chunk in chunks
        for quote in split_sentences(chunk.text)
        if quote in starts
    ]
    assert len(located) > 1000 and sum(located) >= 0.995 * len(located)
