"""Which of a corpus's keywords to listen for, and which of them only in the company of another.

A name of one word finds much that means something else ("Muse" is a band), an acronym or a word that many
sources share finds everything that anybody says ("AI"). So it counts only in a post that also has another
term of the sources that it comes from. A phrase, a word of one source ("compost") and a name that nothing
else is called by need no company.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rejoinder.listening.grammatical_number import other_number

MOST_COMPANY = 8
# With these, a term and its company fit into one query of X.
_LONGEST_COMPANY = 40
_LONGEST_WORD = 25
# Names that mean one thing: PostgreSQL, WP-CLI, C++, numpy2; not AI, Docker or Vite.
_DISTINCT = re.compile(r".*[a-z][A-Z]|.*[A-Z]{2}[a-z]{2}|\w*\d|.*[-+#/.]\w|.*[+#]$|[A-Z]{5,}s?$")


@dataclass(frozen=True, slots=True)
class CorpusTerm:
    """A keyword with the sources that it is a keyword of."""

    term: str
    sources: frozenset[int]


def worth_listening(ranked: Iterable[CorpusTerm], *, limit: int) -> list[CorpusTerm]:
    """The terms to listen for, best first: none twice in another number, none inside a shorter one.

    X finds a phrase inside any longer one, so a longer one adds nothing, unless the shorter needs company.

    Args:
        ranked: terms, best first.
        limit: the most terms, > 0.
    """
    chosen: dict[str, CorpusTerm] = {}
    for one in ranked:
        forms = {form.casefold() for form in (one.term, *other_number(one.term))}
        if len(chosen) < limit and not any(_says(other, forms) for other in chosen.values()):
            chosen[one.term] = one
    return list(chosen.values())


def company_of(terms: Iterable[CorpusTerm], known: Sequence[CorpusTerm]) -> Mapping[str, tuple[str, ...]]:
    """For each term that needs company, up to eight others of its sources; none where there are none.

    Args:
        terms: what is listened for.
        known: every term that may keep them company.

    >>> muse, tools = CorpusTerm("Muse", frozenset({1})), CorpusTerm("tools for thought", frozenset({1}))
    >>> company_of([muse, tools, CorpusTerm("PostgreSQL", frozenset({2}))], [muse, tools])
    {'Muse': ('tools for thought',)}
    """
    found = {one.term: _company(one, known) for one in terms if needs_company(one)}
    return {term: company for term, company in found.items() if company}


def needs_company(one: CorpusTerm) -> bool:
    """Whether a term alone would find too much: one word, and a name or acronym, or shared by several sources.

    >>> terms = ("Muse", "LLMs", "heat pump", "PostgreSQL", "WP-CLI", "OWASP", "compost")
    >>> [needs_company(CorpusTerm(term, frozenset({1}))) for term in terms]
    [True, True, False, False, False, False, False]
    >>> needs_company(CorpusTerm("compost", frozenset({1, 2})))
    True
    """
    if " " in one.term.strip() or len(one.term) > _LONGEST_WORD or _DISTINCT.match(one.term):
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


def _says(chosen: CorpusTerm, forms: set[str]) -> bool:
    """Whether a chosen term says already what one of the forms says."""
    known = chosen.term.casefold()
    if known in forms:
        return True
    return not needs_company(chosen) and any(f" {known} " in f" {form} " for form in forms)
