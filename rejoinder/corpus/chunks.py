"""Transcripts cut into chunks of whole sentences, and finding a quote's own second again."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import regex

from rejoinder.corpus.speech import Sentence, Turn, sentences_of, turns
from rejoinder.corpus.values import Chunk, Cue, Transcript
from rejoinder.ids import sha256_hex

MAX_TOKENS = 220
_NOT_WORDS = regex.compile(r"[^\p{L}\p{N}]+")


def chunk_transcript(
    transcript: Transcript, *, count_tokens: Callable[[str], int], max_tokens: int = MAX_TOKENS
) -> list[Chunk]:
    """Cut a transcript into chunks of whole sentences, as many as fit into ``max_tokens``.

    A sentence over the limit is cut between words, a word over it between characters. Nothing is
    lost: the chunks' texts joined are the sentences joined (white space aside). A chunk's seconds
    are those of its first and last sentence; its speakers stand in order of appearance.

    Args:
        transcript: any parsed transcript.
        count_tokens: the embedding model's count, without special tokens; of two texts joined by
            a space it must not be more than the sum (true of WordPiece).
        max_tokens: the most tokens of a chunk, > 0. Keep it under what the model reads.

    Raises:
        ValueError: ``max_tokens`` is not positive.
    """
    if max_tokens <= 0:
        raise ValueError("max_tokens must be positive")
    groups = _grouped(_fitting(sentences_of(transcript.cues), count_tokens, max_tokens), max_tokens)
    return [_chunk(index, group, count_tokens) for index, group in enumerate(groups)]


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


def _fitting(
    sentences: Iterable[Sentence], count_tokens: Callable[[str], int], max_tokens: int
) -> Iterator[tuple[Sentence, int]]:
    """The sentences with their tokens; those over the limit in pieces."""
    for sentence in sentences:
        n_tokens = count_tokens(sentence.text)
        if n_tokens <= max_tokens:
            yield sentence, n_tokens
        else:
            for piece, n_piece in _pieces(sentence.text, count_tokens, max_tokens):
                yield _part(sentence, *piece), n_piece


def _pieces(
    text: str, count_tokens: Callable[[str], int], max_tokens: int
) -> Iterator[tuple[tuple[int, int], int]]:
    """Spans of a long sentence with their tokens, cut between words, none over the limit."""
    start, total, last = 0, 0, 0
    for word_start, word_end, n_tokens in _word_spans(text, count_tokens, max_tokens):
        if total and total + n_tokens > max_tokens:
            yield (start, last), total
            start, total = word_start, 0
        total += n_tokens
        last = word_end
    yield (start, last), total


def _word_spans(
    text: str, count_tokens: Callable[[str], int], max_tokens: int
) -> Iterator[tuple[int, int, int]]:
    """The words' spans with their tokens; a word over the limit is halved until it fits."""
    waiting = [match.span() for match in regex.finditer(r"\S+", text)][::-1]
    while waiting:
        start, end = waiting.pop()
        n_tokens = count_tokens(text[start:end])
        if n_tokens > max_tokens and end - start > 1:
            middle = (start + end) // 2
            waiting += [(middle, end), (start, middle)]
        else:
            yield start, end, n_tokens


def _part(sentence: Sentence, start: int, end: int) -> Sentence:
    """A piece of a sentence; its seconds are interpolated by characters."""
    text = sentence.text[start:end]
    if sentence.start_s is None or sentence.end_s is None:
        return replace(sentence, text=text)
    length, duration_s = len(sentence.text), sentence.end_s - sentence.start_s
    first, last = (round(sentence.start_s + duration_s * at / length, 2) for at in (start, end))
    return Sentence(text, first, last, sentence.speaker)


def _grouped(sentences: Iterable[tuple[Sentence, int]], max_tokens: int) -> Iterator[list[Sentence]]:
    group: list[Sentence] = []
    total = 0
    for sentence, n_tokens in sentences:
        if group and total + n_tokens > max_tokens:
            yield group
            group, total = [], 0
        group.append(sentence)
        total += n_tokens
    if group:
        yield group


def _chunk(index: int, sentences: Sequence[Sentence], count_tokens: Callable[[str], int]) -> Chunk:
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
    )
