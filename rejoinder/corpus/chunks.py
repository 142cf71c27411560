"""Transcripts cut into chunks of whole sentences, and finding a quote's own second again."""

import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, pairwise
from typing import Literal

import numpy as np
import regex

from rejoinder.corpus.packing import fitting, segment, word_counter
from rejoinder.corpus.speaker_names import naming
from rejoinder.corpus.speech import Sentence, Turn, sentences_of, turns
from rejoinder.corpus.topics import Gaps, term_vectors, topic_changes
from rejoinder.corpus.values import Chapter, Chunk, Cue, Transcript
from rejoinder.ids import sha256_hex
from rejoinder.llm.ports import Vectors

_NOT_WORDS = regex.compile(r"[^\p{L}\p{N}]+")
_Counted = tuple[Sentence, int]


@dataclass(frozen=True, slots=True)
class CuttingRule:
    """How transcripts are cut; docs/retrieval.md has the measurements behind the defaults.

    A worth says how inviting a gap between two sentences is for a cut: 0 not at all, 1 as much as a full chunk
    is better than an empty one. max_tokens counts the overlap in. Where name_speakers, the indexed text has
    speakers' names as far as it stays within indexed_tokens; where it is cut doesn't depend on them.
    """

    max_tokens: int = 240
    overlap_tokens: int = 0
    steady_worth: float = 0.2
    turn_worth: float = 0.0
    topic_worth: float = 0.0
    topics_by: Literal["terms", "vectors"] = "terms"
    name_speakers: bool = True
    indexed_tokens: int = 254

    def __post_init__(self) -> None:
        """Refuse what no chunk could hold."""
        if not 0 <= self.overlap_tokens < self.max_tokens:
            raise ValueError("need 0 <= overlap_tokens < max_tokens")


DEFAULT_RULE = CuttingRule()


def chunk_transcript(
    transcript: Transcript,
    *,
    count_tokens: Callable[[str], int],
    rule: CuttingRule = DEFAULT_RULE,
    embed: Callable[[Sequence[str]], Vectors] | None = None,
) -> list[Chunk]:
    """Cut a transcript into chunks of whole sentences of one chapter, none over ``rule.max_tokens``.

    A sentence over the limit is cut between words, a word over it between characters. Nothing is lost: without
    overlap the chunks' texts joined are the sentences joined (white space aside). A chunk's seconds are those of
    its first and last sentence; its speakers stand in order of appearance. After an edit only chunks nearby
    change, wherever it is.

    Args:
        transcript: any parsed transcript or document.
        count_tokens: the embedding model's count, without special tokens; of two texts joined by a space it must
            not be more than the sum (true of WordPiece and of SentencePiece).
        rule: where to cut.
        embed: vectors of texts; only asked where ``rule.topics_by`` is "vectors" and topics are worth anything.

    Raises:
        ValueError: the rule asks for vectors and nobody makes any.
    """
    count = word_counter(count_tokens)
    names = naming((cue.speaker for cue in transcript.cues if rule.name_speakers), count)
    chunks: list[Chunk] = []
    for chapter, section in _sections(transcript):
        counted = list(fitting(section, count, rule.max_tokens - rule.overlap_tokens))
        gaps = _worths([sentence for sentence, _ in counted], rule, embed)
        n_tokens = [n for _, n in counted]
        for cut in segment(n_tokens, gaps.tolist(), rule.max_tokens - rule.overlap_tokens):
            first = _overlapping(n_tokens, cut.start, rule.overlap_tokens)
            told = [sentence for sentence, _ in counted[first : cut.stop]]
            chunk = _chunk(len(chunks), told, chapter, count_tokens)
            named = names.told(told, rule.indexed_tokens - count(chunk.text))
            chunks.append(replace(chunk, named_text=named) if named != chunk.text else chunk)
    return chunks


def content_hash(text: str) -> str:
    r"""SHA-256 of the text in NFC with single spaces, 64 hex digits.

    >>> content_hash("a  b\n") == content_hash("a b")
    True
    """
    return sha256_hex(" ".join(unicodedata.normalize("NFC", text).split()))


def locate(quote: str, cues: Iterable[Cue], chunk: Chunk) -> float | None:
    """The second at which a quote out of a chunk is said; None where the transcript has no times.

    The words as they stand are looked for first, then without case and punctuation. A quote that
    is not found has the chunk's own start.

    Args:
        quote: a sentence, or a part of one, of the chunk's text.
        cues: the source's cues; those outside the chunk do no harm.
        chunk: the chunk that the quote is from.

    >>> cues = [Cue("One. Two starts", 0.0, 3.0), Cue("here.", 3.0, 4.0)]
    >>> locate("Two starts here.", cues, Chunk(0, "One. Two starts here.", "", 5, 0.0, 4.0))
    1.0
    """
    if chunk.start_s is None:
        return None
    said = turns(_during(cues, chunk))
    words, folded = " ".join(quote.split()), _folded(quote)[0]
    if not folded:
        return chunk.start_s
    found = chain(
        (second for turn in said for second in _seconds(words, turn.text, None, turn, chunk.start_s)),
        (second for turn in said for second in _seconds(folded, *_folded(turn.text), turn, chunk.start_s)),
    )
    return next(found, chunk.start_s)


def _during(cues: Iterable[Cue], chunk: Chunk) -> Iterator[Cue]:
    """The cues that a part of the chunk may lie in."""
    start_s, end_s = chunk.start_s or 0.0, chunk.end_s
    for cue in cues:
        is_before = cue.end_s is not None and cue.end_s < start_s
        is_after = cue.start_s is not None and end_s is not None and cue.start_s > end_s
        if not is_before and not is_after:
            yield cue


def _seconds(
    wanted: str, text: str, origins: list[int] | None, turn: Turn, not_before_s: float
) -> Iterator[float]:
    """Where the words are said in a turn's text or in its folded form, from the chunk's start on."""
    at = text.find(wanted)
    while at >= 0:
        second = turn.second_at(at if origins is None else origins[at])
        # The same words may stand in a cue's first part already, before the chunk begins.
        if second is not None and second >= not_before_s - 0.01:
            yield second
        at = text.find(wanted, at + 1)


def _folded(text: str) -> tuple[str, list[int]]:
    """Letters and digits only, case folded, and for each the place it came from."""
    pairs = [
        (folded, origin)
        for origin, character in enumerate(text)
        if not _NOT_WORDS.match(character)
        for folded in character.casefold()
    ]
    return "".join(folded for folded, _ in pairs), [origin for _, origin in pairs]


def _sections(transcript: Transcript) -> Iterator[tuple[str | None, list[Sentence]]]:
    """The sentences of each chapter with its title; None before the first."""
    told = _chaptered(sentences_of(transcript.cues), transcript.chapters)
    for _, section in groupby(told, key=lambda pair: pair[0]):
        pairs = list(section)
        number = pairs[0][0]
        title = transcript.chapters[number].title if number >= 0 else None
        yield title, [sentence for _, sentence in pairs]


def _chaptered(sentences: Iterable[Sentence], chapters: Sequence[Chapter]) -> Iterator[tuple[int, Sentence]]:
    """Each sentence with the number of the chapter that it begins in; -1 before the first."""
    number = -1
    for sentence in sentences:
        while number + 1 < len(chapters) and _has_begun(chapters[number + 1], sentence):
            number += 1
        yield number, sentence


def _has_begun(chapter: Chapter, sentence: Sentence) -> bool:
    if chapter.first_cue is not None:
        return sentence.cue >= chapter.first_cue
    # Seconds of sentences are rounded to hundredths.
    return (
        chapter.start_s is not None
        and sentence.start_s is not None
        and sentence.start_s >= chapter.start_s - 0.01
    )


def _worths(
    sentences: Sequence[Sentence], rule: CuttingRule, embed: Callable[[Sequence[str]], Vectors] | None
) -> Gaps:
    """What a cut behind each sentence is worth."""
    texts = [sentence.text for sentence in sentences]
    worths = np.array([rule.steady_worth * _draw(text) for text in texts])
    speakers = [sentence.speaker for sentence in sentences]
    worths[:-1] += rule.turn_worth * np.array([a != b for a, b in pairwise(speakers)])
    if rule.topic_worth:
        worths += rule.topic_worth * topic_changes(_topic_vectors(texts, rule, embed))
    return worths


def _topic_vectors(
    texts: Sequence[str], rule: CuttingRule, embed: Callable[[Sequence[str]], Vectors] | None
) -> Vectors:
    if rule.topics_by == "terms":
        return term_vectors(texts)
    if embed is None:
        raise ValueError("topics by vectors need an embedder")
    return embed(texts)


def _draw(text: str) -> float:
    """A number in [0, 1) that the sentence itself decides, so that cuts stay where they are after an edit.

    Few are near 1: cuts are drawn to a few gaps and left free elsewhere.
    """
    share: float = (zlib.crc32(text.encode()) / 2**32) ** 4
    return share


def _overlapping(n_tokens: Sequence[int], start: int, overlap_tokens: int) -> int:
    """Where a chunk begins that repeats whole sentences of the chunk before."""
    total = 0
    while start > 0 and total + n_tokens[start - 1] <= overlap_tokens:
        start -= 1
        total += n_tokens[start]
    return start


def _chunk(
    index: int, sentences: Sequence[Sentence], chapter: str | None, count_tokens: Callable[[str], int]
) -> Chunk:
    text = " ".join(sentence.text for sentence in sentences)
    speakers = dict.fromkeys(sentence.speaker for sentence in sentences if sentence.speaker)
    return Chunk(
        index=index,
        text=text,
        content_hash=content_hash(text),
        n_tokens=count_tokens(text),
        start_s=sentences[0].start_s,
        end_s=sentences[-1].end_s,
        speakers=tuple(speakers),
        chapter=chapter,
    )
