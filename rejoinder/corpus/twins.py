"""Twins: the same episode in two files, told by the words, and which of the two to keep.

A source's signature is a bottom-k sketch of its runs of three words. How much of the smaller source is in the
larger is estimated from two sketches; episodes of one show share openings and adverts, but not a third of their
runs. Documents quote each other and what was said: without seconds on both sides, two are twins only where most of the
larger one is in the other.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

import regex

from rejoinder.corpus.values import Cue, Transcript

MAX_HASHES = 512
# Below so few runs of words two sources are alike by chance ("Thanks for watching!").
MIN_SHINGLES = 8
# Measured: pairs of different episodes share at most 0.16 of the smaller one, twins at least 0.42 (docs/sources.md).
MIN_SHARED = 0.3
MIN_SHARED_OF_SHORT = 0.4
_SHORT_SHINGLES = 300
# Of the larger one's runs, where one of the two has no seconds, and where both have none.
MIN_SHARED_BESIDE_DOCUMENT = 0.4
MIN_SHARED_OF_DOCUMENTS = 0.7
# An excerpt is no twin; a run of a recogniser that got stuck half-way still is.
_MAX_SIZE_RATIO = 6.0
_FULLER = 1.25
# Scripts without spaces between words count a word per character.
_WORD = regex.compile(r"\p{Han}|\p{Hiragana}|\p{Katakana}|\p{Thai}|[\p{L}\p{M}\p{N}]+")
_APOSTROPHE = regex.compile(r"['’]")
_FILLERS = frozenset(("um", "uh", "er", "ah", "hmm", "mm"))


@dataclass(frozen=True, slots=True)
class Signature:
    """What a source's words are known by.

    n_shingles is how many different runs of three words it has, >= 0; hashes are the smallest of their 63-bit
    hashes in ascending order, at most MAX_HASHES of them. has_times says that it was spoken to a clock.
    """

    n_shingles: int
    hashes: tuple[int, ...]
    has_times: bool = True


class Worth(NamedTuple):
    """What makes one of two twins the better one."""

    has_times: bool
    has_speakers: bool
    n_words: int


def signature(cues: Iterable[Cue]) -> Signature:
    """The signature of a source's words; case, punctuation and how the words are cut into cues don't count.

    Source: Broder, "On the resemblance and containment of documents", 1997.

    >>> one = signature([Cue("Heat pumps, they said, are cheap.")])
    >>> one == signature([Cue("heat pumps they"), Cue("said are cheap")]), one.n_shingles
    (True, 4)
    """
    cues = list(cues)
    text = " ".join(cue.text for cue in cues)
    folded = _APOSTROPHE.sub("", unicodedata.normalize("NFKC", text).casefold())
    words = [word for word in _WORD.findall(folded) if word not in _FILLERS]
    shingles = {" ".join(run) for run in zip(words, words[1:], words[2:], strict=False)}
    has_times = any(cue.start_s or cue.end_s for cue in cues)
    return Signature(len(shingles), tuple(sorted(map(_hash, shingles))[:MAX_HASHES]), has_times)


def shared(first: Signature, second: Signature) -> float:
    """The estimated share, in [0, 1], of the smaller source's runs of words that the other has too.

    The standard error is about 0.03 near the threshold for sources of alike size; below MAX_HASHES runs it is exact.
    """
    smaller = min(first.n_shingles, second.n_shingles)
    if not smaller:
        return 0.0
    union = sorted({*first.hashes, *second.hashes})[:MAX_HASHES]
    resemblance = len(set(first.hashes) & set(second.hashes) & set(union)) / len(union)
    common = resemblance / (1 + resemblance) * (first.n_shingles + second.n_shingles)
    return min(common / smaller, 1.0)


def are_twins(first: Signature, second: Signature) -> bool:
    """Whether two sources are the same episode, or the same document.

    >>> are_twins(Signature(9, tuple(range(9))), Signature(9, tuple(range(1, 10))))
    True
    """
    smaller, larger = sorted((first.n_shingles, second.n_shingles))
    if smaller < MIN_SHINGLES or larger > _MAX_SIZE_RATIO * smaller:
        return False
    found = shared(first, second)
    if found < (MIN_SHARED_OF_SHORT if smaller < _SHORT_SHINGLES else MIN_SHARED):
        return False
    return found * smaller / larger >= _least_of_the_larger(first, second)


def _least_of_the_larger(first: Signature, second: Signature) -> float:
    """What share of the larger one has to be in the other: an article that quotes is mostly its own words."""
    if first.has_times and second.has_times:
        return 0.0
    return MIN_SHARED_BESIDE_DOCUMENT if first.has_times or second.has_times else MIN_SHARED_OF_DOCUMENTS


def worth(transcript: Transcript) -> Worth:
    """What a source offers beside its twin: times and speakers on most cues, and words."""
    cues = transcript.cues
    n_timed = sum(cue.start_s is not None for cue in cues)
    n_voiced = sum(cue.speaker is not None for cue in cues)
    # Many cues with one and the same second have no times that are of use.
    is_moving = any(before.start_s != after.start_s for before, after in pairwise(cues)) or len(cues) == 1
    n_words = sum(len(_WORD.findall(cue.text)) for cue in cues)
    return Worth(is_moving and 2 * n_timed > len(cues), 2 * n_voiced > len(cues), n_words)


def is_better(first: Worth, second: Worth) -> bool:
    """Whether the first of two twins is the one to keep: much fuller, else timed, else with speakers, else longer.

    >>> is_better(Worth(True, False, 9000), Worth(False, True, 9500))
    True
    >>> is_better(Worth(True, True, 2000), Worth(True, False, 9000))
    False
    """
    if first.n_words > _FULLER * second.n_words or second.n_words > _FULLER * first.n_words:
        return first.n_words > second.n_words
    return first > second


def _hash(shingle: str) -> int:
    # 63 bits, as PostgreSQL's bigint has no unsigned kind.
    return int.from_bytes(blake2b(shingle.encode(), digest_size=8).digest(), "big") >> 1
