"""Candidates for terms: every run of words that could name something, with how it is said.

What belongs here: how speech is cut into words, which runs can be names of things, and what the
words before them tell. Which candidates are keywords is decided in keywords.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import regex

from rejoinder.corpus.c_value import Run
from rejoinder.text.function_words import function_words
from rejoinder.text.terms import index_terms
from rejoinder.text.word_lists import word_set

MAX_WORDS = 4
# Inside a term these may stand: layers of abstraction, human in the loop, réseau de neurones.
_LINKS = word_set("of for in and to the de du des del di della")
# What stands before the names of things, and what stands before verbs and predicates.
_BEFORE_NOUNS = word_set(
    "a an the this that these those my your our their its his her some any every each no another many more "
    "most much of in with for from about between by on into as per through using via without across against "
    "under around like"
)
_BEFORE_OTHERS = word_set(
    "to i you we they he she who will would can could should may might must shall cannot not don't didn't "
    "doesn't won't can't couldn't wouldn't shouldn't let's please just also then never always is are was "
    "were be been being am very so too really pretty quite get gets got become became feel feels less how"
)
_PREDICATING = regex.compile(r"['’](?:m|re|ve|ll|d)$|^(?:it|that|he|she|what|there)['’]s$")
_TOKEN = regex.compile(
    r"(?P<word>[\p{L}\p{N}][\p{L}\p{N}\p{M}'’+#]*(?:[-.][\p{L}\p{N}][\p{L}\p{N}\p{M}'’+#]*)*)|\S"
)
# French and Italian write articles and pronouns onto the word: c'est, l'objet.
_ELIDING = ("fr", "it", "ca")
_ELISION = regex.compile(r"(?i)\b(?:[cdjlmnst]|qu|dell|all|un)['’]")
_CONTRACTION = regex.compile(r"['’](?!s$)|^(?:it|that|he|she|what|there|here|who|let)['’]s$")
_POSSESSIVE = regex.compile(r"['’]s?$")
_PLURAL_ACRONYM = regex.compile(r"(?<=\p{Lu}{2})s\b")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run of words, inflections taken together.

    stems is its identity; term is how it is mostly written inside sentences; words are the term's,
    case folded and without possessives; count is how often it is said, > 0; before_noun and
    before_other count the times that a word stands before it that stands before names of things
    (the, of) or before others (they, will), together at most count; in_name counts the times that it
    is part of a longer name, capital beside capital (Deputy Baker), at most count.
    """

    stems: Run
    term: str
    words: Run
    count: int
    before_noun: int
    before_other: int
    in_name: int


@dataclass(slots=True)
class _Tally:
    spellings: Counter[str] = field(default_factory=Counter)
    first_spellings: Counter[str] = field(default_factory=Counter)
    before_noun: int = 0
    before_other: int = 0
    in_name: int = 0


def candidates_in(sentences: Iterable[str], language: str = "en") -> dict[Run, Candidate]:
    """Every run of 1 to 4 words that neither begins nor ends with a function word, by its stems.

    Args:
        sentences: what is said, a sentence each; a run never crosses punctuation.
        language: an ISO 639-1 code, for the function words.

    >>> found = candidates_in(["The heat pump hums.", "Buy heat pumps, not a heater"])
    >>> found["heat", "pump"].count, found["heat", "pump"].term, ("pump", "heater") in found
    (2, 'heat pump', False)
    """
    binding = function_words(language)
    stem_of = _Stems()
    tallies: defaultdict[Run, _Tally] = defaultdict(_Tally)
    for sentence in sentences:
        text = _ELISION.sub(" ", sentence) if language in _ELIDING else sentence
        tokens = [found["word"] for found in _TOKEN.finditer(text)]
        for begin, end in _runs(tokens, binding):
            words = [token for token in tokens[begin:end] if token is not None]
            stems = tuple(stem_of[word] for word in words)
            if len(set(stems)) == len(stems):
                _count(tallies[stems], words, tokens[begin - 1] if begin else None, is_first=begin == 0)
                tallies[stems].in_name += _is_in_name(tokens, begin, end)
    return {stems: _candidate(stems, tally) for stems, tally in tallies.items()}


class _Stems(dict[str, str]):
    """Stems of words, each worked out once."""

    def __missing__(self, word: str) -> str:
        stemmed = " ".join(index_terms(_PLURAL_ACRONYM.sub("", word)))
        self[word] = stemmed or word.casefold()
        return self[word]


def _runs(tokens: Sequence[str | None], binding: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Half-open spans of the runs; None among the tokens is punctuation, which no run crosses."""
    names = [token is not None and _can_name(token, binding) for token in tokens]
    for begin in (i for i, is_name in enumerate(names) if is_name):
        for end in range(begin + 1, min(begin + MAX_WORDS, len(tokens)) + 1):
            last = tokens[end - 1]
            if names[end - 1]:
                yield begin, end
            elif last is None or last.casefold() not in _LINKS:
                break


def _can_name(word: str, binding: frozenset[str]) -> bool:
    folded = word.casefold()
    if _CONTRACTION.search(folded) or not any(map(str.isalpha, folded)):
        return False
    bare = _POSSESSIVE.sub("", folded)
    return len(bare) > 1 and bare not in binding


def _count(tally: _Tally, words: Sequence[str], before: str | None, *, is_first: bool) -> None:
    spellings = tally.first_spellings if is_first else tally.spellings
    spellings[_POSSESSIVE.sub("", " ".join(words))] += 1
    company = (before or "").casefold().replace("’", "'")
    tally.before_noun += company in _BEFORE_NOUNS
    tally.before_other += company in _BEFORE_OTHERS or _PREDICATING.search(company) is not None


def _is_in_name(tokens: Sequence[str | None], begin: int, end: int) -> bool:
    """Whether the run begins or ends beside another word with a capital, itself with capitals there."""
    # A sentence's first word has its capital from there.
    before = begin > 1 and _is_capital(tokens[begin - 1]) and _is_capital(tokens[begin])
    after = begin > 0 and end < len(tokens) and _is_capital(tokens[end]) and _is_capital(tokens[end - 1])
    return before or after


def _is_capital(word: str | None) -> bool:
    return word is not None and word[0].isupper() and word.replace("’", "'").split("'")[0] != "I"


def _candidate(stems: Run, tally: _Tally) -> Candidate:
    # The first word of a sentence has its capital from there.
    term = (tally.spellings or tally.first_spellings).most_common(1)[0][0]
    words = tuple(_POSSESSIVE.sub("", word) for word in _PLURAL_ACRONYM.sub("", term).casefold().split())
    count = tally.spellings.total() + tally.first_spellings.total()
    return Candidate(stems, term, words, count, tally.before_noun, tally.before_other, tally.in_name)
