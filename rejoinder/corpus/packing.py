"""Sentences packed into chunks: how long ones are broken, and where a run of them is cut."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

import regex

from rejoinder.corpus.speech import Sentence

# WordPiece takes a word over 100 characters for one unknown token (max_input_chars_per_word).
_WORD_PIECE = regex.compile(r"\S{1,100}")
_WORD = regex.compile(r"\S+")
_KNOWN_WORDS = 50_000


def word_counter(count_tokens: Callable[[str], int]) -> Callable[[str], int]:
    """Tokens of a text as the sum over its words, each word counted once by the model's tokenizer.

    Talk repeats its words, so the tokenizer is asked far less often than once per sentence, and never
    with a long text. A word over 100 characters counts in pieces.
    """
    count_word = lru_cache(_KNOWN_WORDS)(count_tokens)
    return lambda text: sum(count_word(piece[0]) for piece in _WORD_PIECE.finditer(text))


def fitting(
    sentences: Iterable[Sentence], count: Callable[[str], int], max_tokens: int
) -> Iterator[tuple[Sentence, int]]:
    """The sentences with their tokens; those over the limit in pieces, cut between words."""
    for sentence in sentences:
        n_tokens = count(sentence.text)
        if n_tokens <= max_tokens:
            yield sentence, n_tokens
        else:
            for start, end, n_piece in _pieces(sentence.text, count, max_tokens):
                yield sentence.part(start, end), n_piece


def segment(n_tokens: Sequence[int], gaps: Sequence[float], max_tokens: int) -> list[range]:
    """Cut a run of sentences into ranges that fill the limit well and end where a gap invites it.

    The cheapest cuts of all are found by dynamic programming over the sentences; a range costs the square
    of the share that it leaves empty, less what the gap behind it is worth. An edit changes the cuts
    nearby, since the best ways before and behind it meet again at the next inviting gap.

    Args:
        n_tokens: tokens of each sentence, none over the limit.
        gaps: what a cut behind each sentence is worth; 0 is neutral, 1 outweighs an empty chunk.
        max_tokens: the most tokens of a range, > 0.

    >>> segment([40, 40, 40, 40], [0, 0, 0, 0], 100)
    [range(0, 2), range(2, 4)]
    >>> segment([40, 40, 40], [0.5, 0, 0], 100)
    [range(0, 1), range(1, 3)]
    """
    costs, origins = [0.0], [0]
    for end in range(1, len(n_tokens) + 1):
        found = _cheapest(costs, n_tokens, end, max_tokens)
        costs.append(found[0] - gaps[end - 1])
        origins.append(found[1])
    return _walked_back(origins)


def _cheapest(
    costs: Sequence[float], n_tokens: Sequence[int], end: int, max_tokens: int
) -> tuple[float, int]:
    """The least cost of all that ends at ``end``, and where its last range starts."""
    best, origin, total = math.inf, end - 1, 0
    for start in range(end - 1, -1, -1):
        total += n_tokens[start]
        if total > max_tokens and start < end - 1:
            break
        empty = 1 - total / max_tokens
        cost = costs[start] + empty * empty
        if cost < best:
            best, origin = cost, start
    return best, origin


def _walked_back(origins: Sequence[int]) -> list[range]:
    ranges = []
    end = len(origins) - 1
    while end > 0:
        ranges.append(range(origins[end], end))
        end = origins[end]
    return ranges[::-1]


def _pieces(text: str, count: Callable[[str], int], max_tokens: int) -> Iterator[tuple[int, int, int]]:
    """Spans of a long sentence with their tokens, cut between words, none over the limit."""
    start, total, last = 0, 0, 0
    for word_start, word_end, n_tokens in _words(text, count, max_tokens):
        if total and total + n_tokens > max_tokens:
            yield start, last, total
            start, total = word_start, 0
        total += n_tokens
        last = word_end
    yield start, last, total


def _words(text: str, count: Callable[[str], int], max_tokens: int) -> Iterator[tuple[int, int, int]]:
    """The words' spans with their tokens; a word over the limit is broken until its parts fit."""
    for word in _WORD.finditer(text):
        n_tokens = count(word[0])
        if n_tokens <= max_tokens:
            yield *word.span(), n_tokens
        else:
            for piece in _WORD_PIECE.finditer(text, *word.span()):
                yield from _halves(text, *piece.span(), count, max_tokens)


def _halves(
    text: str, start: int, end: int, count: Callable[[str], int], max_tokens: int
) -> Iterator[tuple[int, int, int]]:
    """A part of a word, halved until it fits or is a single character."""
    n_tokens = count(text[start:end])
    if n_tokens <= max_tokens or end - start == 1:
        yield start, end, n_tokens
    else:
        middle = (start + end) // 2
        yield from _halves(text, start, middle, count, max_tokens)
        yield from _halves(text, middle, end, count, max_tokens)
