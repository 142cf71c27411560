"""What a person changed in a draft: diffs as values for display, and how much was changed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from rapidfuzz.distance import Levenshtein

ChangeKind = Literal["same", "removed", "added"]

_WORDS_AND_GAPS = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class DiffSpan:
    """A run of text that was kept, removed or added; never empty."""

    kind: ChangeKind
    text: str


def word_diff(before: str, after: str) -> tuple[DiffSpan, ...]:
    """The change from one text to another, word by word, in reading order.

    The same and removed spans joined give ``before``; the same and added ones give ``after``.
    Where words were replaced, the removed span comes before the added one.

    >>> [(s.kind, s.text) for s in word_diff("It is big.", "It was big.")]
    [('same', 'It '), ('removed', 'is'), ('added', 'was'), ('same', ' big.')]
    """
    old, new = _WORDS_AND_GAPS.findall(before), _WORDS_AND_GAPS.findall(after)
    return tuple(_spans(old, new))


def _spans(old: list[str], new: list[str]) -> Iterator[DiffSpan]:
    # autojunk would treat frequent words of a long text as noise and blur its diff.
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield DiffSpan("same", "".join(old[i1:i2]))
            continue
        if i2 > i1:
            yield DiffSpan("removed", "".join(old[i1:i2]))
        if j2 > j1:
            yield DiffSpan("added", "".join(new[j1:j2]))


def edit_distance_share(before: str, after: str) -> float:
    """How much was changed: Levenshtein distance over the longer length, in [0, 1].

    0 means equal, 1 that no character stayed in place; two empty texts are equal.
    Source: Levenshtein 1966, as computed by rapidfuzz.

    >>> edit_distance_share("cat", "cut")
    0.3333333333333333
    """
    return Levenshtein.normalized_distance(before, after)
