"""Singular and plural of English terms, as far as they are regular."""

import re

_Rules = tuple[tuple[re.Pattern[str], str], ...]

_LAST_WORD = re.compile(r"(?<![^\W_])(?:[a-z]{3,}|[A-Z]{2,}s?)$")
# Endings of words that are no plural, that have none of their own, or that bend otherwise:
# class, bus, analysis, testing, leaves.
_UNCOUNTED = re.compile(r"(?:ss|us|is|ing|ics|ed|ly|ves|data|software|hardware)$")
# Here the last word is not the one that is counted: layers of abstraction.
_LINK = re.compile(r"\s(?:of|for|in|to|the|and)\s")
_PLURALS: _Rules = (
    (re.compile(r"([^aeiou])ies$"), r"\1y"),
    (re.compile(r"(sh|[^aeo]ch|each|oach|x|ss|zz)es$"), r"\1"),
    (re.compile(r"s$"), ""),
)
_SINGULARS: _Rules = (
    (re.compile(r"([^aeiou])y$"), r"\1ies"),
    (re.compile(r"(sh|ch|x|s|z)$"), r"\1es"),
    (re.compile(r"$"), "s"),
)


def other_number(term: str) -> tuple[str, ...]:
    """The plural of a term in the singular, and the singular of one in the plural.

    Only the last word bends. Empty for names, other scripts and endings that tell nothing.
    Irregular plurals are left alone: a wrong guess would be listened for ("leaves", "leave").

    >>> other_number("phone charger"), other_number("grass clippings"), other_number("LLMs")
    (('phone chargers',), ('grass clipping',), ('LLM',))
    >>> other_number("PostgreSQL"), other_number("litres of water"), other_number("battery")
    ((), (), ('batteries',))
    """
    found = _LAST_WORD.search(term)
    if found is None or _UNCOUNTED.search(term) or _LINK.search(term):
        return ()
    rules = _PLURALS if term.endswith("s") else _SINGULARS
    if found[0].rstrip("s").isupper():
        rules = rules[-1:]
    return (next(pattern.sub(other, term, count=1) for pattern, other in rules if pattern.search(term)),)
