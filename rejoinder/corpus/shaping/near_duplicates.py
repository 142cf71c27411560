"""Which passages say what a better one says already, by their words and by their vectors.

Words find copies: a transcript in two formats, a read-out notice, an overlap of chunks. Vectors find the same
statement in slightly other words; they are blind to figures, so two passages with other figures are both kept.
"""

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
    shingles = [_shingles(passage.text) for passage in passages]
    figures = [set(_FIGURE.findall(passage.text)) for passage in passages]
    near = (vectors @ vectors.T >= rule.cosine).tolist()
    kept: list[int] = []
    for i in range(len(passages)):
        repeats = any(
            containment(shingles[i], shingles[j]) >= rule.words or (near[i][j] and figures[i] == figures[j])
            for j in kept
        )
        if not repeats:
            kept.append(i)
    return kept


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
