"""Which passages say what a better one says already, by their words and by their vectors.

Words find copies: a transcript in two formats, a read-out notice, an overlap of chunks. Vectors find the same
statement in slightly other words; they are blind to figures, so two passages with other figures are both kept.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from rejoinder.corpus.values import Passage
from rejoinder.llm.ports import Vectors
from rejoinder.text.near_duplicates import comparable

_FIGURE = regex.compile(r"\d+(?:[.,]\d+)*")
SHINGLE_WORDS = 3


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """When one passage repeats another.

    words: share of the shorter passage's three-word runs that stand in the other, in (0, 1].
    cosine: between the two vectors, in (0, 1].
    """

    words: float = 0.80
    cosine: float = 0.97


def without_near_duplicates(
    passages: Sequence[Passage], vectors: Vectors, *, rule: DuplicateRule
) -> list[int]:
    """Positions of the passages to keep: of those that repeat each other, the first.

    Args:
        passages: best first.
        vectors: shape (len(passages), dim), float32, rows of unit length.
        rule: when one repeats another.

    Raises:
        ValueError: passages and vectors differ in number.

    Source: containment of word shingles, Broder, "On the resemblance and containment of documents", 1997.
    """
    if len(passages) != len(vectors):
        raise ValueError(f"{len(passages)} passages for {len(vectors)} vectors")
    figures = [set(_FIGURE.findall(passage.text)) for passage in passages]
    near = (vectors @ vectors.T >= rule.cosine).tolist()
    copies = _Copies(rule.words)
    kept: list[int] = []
    for i, passage in enumerate(passages):
        shingles = _shingles(passage.text)
        is_near = any(near[i][j] and figures[i] == figures[j] for j in kept)
        if not is_near and not copies.has(shingles):
            kept.append(i)
            copies.add(shingles)
    return kept


class _Copies:
    """Texts by their shingles: only those that share one with a new text are compared with it."""

    def __init__(self, least: float) -> None:
        self._least = least
        self._sizes: list[int] = []
        self._with: dict[str, list[int]] = {}

    def has(self, shingles: frozenset[str]) -> bool:
        """Whether one of the texts has so much of these, or these so much of it."""
        shared = Counter(text for shingle in shingles for text in self._with.get(shingle, ()))
        return any(n >= self._least * min(len(shingles), self._sizes[text]) for text, n in shared.items())

    def add(self, shingles: frozenset[str]) -> None:
        """Remember a text."""
        for shingle in shingles:
            self._with.setdefault(shingle, []).append(len(self._sizes))
        self._sizes.append(len(shingles))


def containment(first: frozenset[str], second: frozenset[str]) -> float:
    """Share of the smaller set that the other one holds, in [0, 1]; 0 where one is empty.

    >>> containment(frozenset("abcd"), frozenset("bcdefg"))
    0.75
    """
    smaller = min(len(first), len(second))
    return len(first & second) / smaller if smaller else 0.0


def _shingles(text: str) -> frozenset[str]:
    words = comparable(text).split()
    runs = max(1, len(words) - SHINGLE_WORDS + 1) if words else 0
    return frozenset(" ".join(words[i : i + SHINGLE_WORDS]) for i in range(runs))
