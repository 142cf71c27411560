"""How alike two short texts are word for word, links and case aside."""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import regex
from rapidfuzz import fuzz, process

from rejoinder.text.links import without_links

_NOT_WORDS = regex.compile(r"[^\p{L}\p{N}\p{M}\p{Extended_Pictographic}@#]+")


class Match(NamedTuple):
    """The most similar of several texts: its position and its similarity in [0, 1]."""

    position: int
    similarity: float


def similarity(first: str, second: str) -> float:
    """Share of characters that two texts have in common in order, in [0, 1]; 1 = the same words.

    Links, case, punctuation and white space don't count. Two texts of nothing but those compare
    as they are.

    Source: normalised Indel similarity (longest common subsequence), rapidfuzz ``fuzz.ratio``.

    >>> similarity("Read this: https://t.co/a", "read THIS https://t.co/b!")
    1.0
    """
    one, other = comparable(first), comparable(second)
    if not one and not other:
        return float(first.strip() == second.strip())
    return fuzz.ratio(one, other) / 100


def most_similar(text: str, others: Sequence[str]) -> Match | None:
    """The most similar of the other texts; None when there are none.

    >>> most_similar("Good point!", ["Bad idea", "good point"])
    Match(position=1, similarity=1.0)
    """
    if not others:
        return None
    wanted = comparable(text)
    if not wanted:
        return max((Match(i, similarity(text, other)) for i, other in enumerate(others)), key=lambda m: m[1])
    found = process.extractOne(wanted, [comparable(other) for other in others], scorer=fuzz.ratio)
    return Match(found[2], found[1] / 100)


def comparable(text: str) -> str:
    """The text as it is compared: no links, folded, words separated by single spaces."""
    folded = unicodedata.normalize("NFKC", without_links(text)).casefold()
    return _NOT_WORDS.sub(" ", folded).strip()
