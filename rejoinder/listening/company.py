"""Which of a corpus's keywords to listen for, and which of them only in the company of another.

A name of one word finds much that means something else ("Muse" is a band), and so does a word that a few
sources share. So it counts only in a post that also has another term of the sources that it comes from. A
phrase, a word of one source ("compost") and a name that nothing else is called by need no company, and
neither does what the corpus is about as a whole: a word that a good share of its sources have among their
keywords ("Python") is listened for alone, and before all else.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rejoinder.listening.grammatical_number import other_number

MOST_COMPANY = 8
# With these, a term and its company fit into one query of X.
_LONGEST_COMPANY = 40
_LONGEST_WORD = 25
# What one source says is its own subject, not the corpus's.
_FEWEST_SOURCES = 2
# Names that mean one thing: PostgreSQL, WP-CLI, C++, numpy2; not AI, Docker or Vite.
_DISTINCT = re.compile(r".*[a-z][A-Z]|.*[A-Z]{2}[a-z]{2}|\w*\d|.*[-+#/.]\w|.*[+#]$|[A-Z]{5,}s?$")


@dataclass(frozen=True, slots=True)
class CorpusTerm:
    """A keyword with the sources that it is a keyword of."""

    term: str
    sources: frozenset[int]


@dataclass(frozen=True, slots=True)
class Subject:
    """What the corpus is about as a whole: terms of at least so large a share of its sources, and of two.

    n_sources is how many sources the corpus has; share is in [0, 1], and with 0 every term is of the subject.
    """

    n_sources: int
    share: float

    def holds(self, one: CorpusTerm) -> bool:
        """Whether a term is of the subject.

        >>> python = CorpusTerm("Python", frozenset({1, 2, 3}))
        >>> [Subject(10, share).holds(python) for share in (0, 0.3, 0.31)]
        [True, True, False]
        """
        least = max(_FEWEST_SOURCES, self.share * self.n_sources - 1e-9) if self.share > 0 else 0
        return len(one.sources) >= least


def subject_first(ranked: Iterable[CorpusTerm], subject: Subject) -> list[CorpusTerm]:
    """The words that the corpus is about before all other terms; the order is kept among both."""
    return sorted(ranked, key=lambda one: " " in one.term.strip() or not subject.holds(one))


def worth_listening(ranked: Iterable[CorpusTerm], *, limit: int, subject: Subject) -> list[CorpusTerm]:
    """The terms to listen for, best first: none twice in another number, none inside a shorter one.

    X finds a phrase inside any longer one, so a longer one adds nothing, unless the shorter needs company.

    Args:
        ranked: terms, best first.
        limit: the most terms, > 0.
        subject: what the corpus is about; see `needs_company`.
    """
    chosen: dict[str, CorpusTerm] = {}
    for one in ranked:
        forms = {form.casefold() for form in (one.term, *other_number(one.term))}
        if len(chosen) < limit and not any(_says(other, forms, subject) for other in chosen.values()):
            chosen[one.term] = one
    return list(chosen.values())


def company_of(
    terms: Iterable[CorpusTerm], known: Sequence[CorpusTerm], *, subject: Subject
) -> Mapping[str, tuple[str, ...]]:
    """For each term that needs company, up to eight others of its sources; none where there are none.

    Args:
        terms: what is listened for.
        known: every term that may keep them company.
        subject: what the corpus is about.

    >>> muse, tools = CorpusTerm("Muse", frozenset({1})), CorpusTerm("tools for thought", frozenset({1}))
    >>> terms = [muse, tools, CorpusTerm("PostgreSQL", frozenset({2}))]
    >>> company_of(terms, [muse, tools], subject=Subject(2, 0.2))
    {'Muse': ('tools for thought',)}
    """
    found = {one.term: _company(one, known) for one in terms if needs_company(one, subject)}
    return {term: company for term, company in found.items() if company}


def needs_company(one: CorpusTerm, subject: Subject) -> bool:
    """Whether a term alone would find too much: one word that the corpus is not about, a name or shared by sources.

    >>> terms = ("Muse", "LLMs", "heat pump", "PostgreSQL", "WP-CLI", "OWASP", "compost")
    >>> [needs_company(CorpusTerm(term, frozenset({1})), Subject(10, 0.2)) for term in terms]
    [True, True, False, False, False, False, False]
    >>> shared = CorpusTerm("compost", frozenset({1, 2}))
    >>> needs_company(shared, Subject(20, 0.2)), needs_company(shared, Subject(10, 0.2))
    (True, False)
    """
    if " " in one.term.strip() or len(one.term) > _LONGEST_WORD or _DISTINCT.match(one.term):
        return False
    if subject.holds(one):
        return False
    return not one.term.islower() or len(one.sources) > 1


def _company(one: CorpusTerm, known: Sequence[CorpusTerm]) -> tuple[str, ...]:
    word = one.term.casefold()
    near = [
        other
        for other in known
        if len(other.term) <= _LONGEST_COMPANY
        and one.sources & other.sources
        and word not in other.term.casefold()
        and other.term.casefold() not in word
    ]
    # What many sources say, and in few words, is likely to be in the same post.
    near.sort(key=lambda other: (-len(other.sources), len(other.term.split())))
    return tuple(other.term for other in near[:MOST_COMPANY])


def _says(chosen: CorpusTerm, forms: set[str], subject: Subject) -> bool:
    """Whether a chosen term says already what one of the forms says."""
    known = chosen.term.casefold()
    if known in forms:
        return True
    return not needs_company(chosen, subject) and any(f" {known} " in f" {form} " for form in forms)
