"""What a text names that its sources do not: quotations, figures, names.

What belongs here: comparing what a model wrote with what it was given, by words alone. It finds figures and names that
were made up; whether plain words say the same as their source it cannot tell.
"""

from collections.abc import Sequence
from functools import lru_cache

import regex

from rejoinder.text.function_words import function_words
from rejoinder.text.quotations import quotations
from rejoinder.text.sentences import split_sentences
from rejoinder.text.terms import index_terms

_WORD = regex.compile(r"\d+(?:[.,:]\d+)*|\p{L}[\p{L}\p{M}]*(?:['’]\p{L}+)*")
_GROUPED = regex.compile(r"\d{1,3}(?:[.,]\d{3})+")
_POSSESSIVE = regex.compile(r"['’]s?$")
# A word with a capital that does not open its sentence.
_NAME = regex.compile(r"(?<=[\p{L}\p{N},;:)] [\"“'(]?)\p{Lu}[\p{L}\p{N}'’]+")
_CONTRACTED_I = regex.compile(r"I['’]\p{L}+")
_SINGLE = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = [
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBERS = (
    {word: value for value, word in enumerate([*_SINGLE, *_TEENS], start=1)}
    | {word: 10 * value for value, word in enumerate(_TENS, start=2)}
    | {f"{ten}-{one}": 10 * t + o for t, ten in enumerate(_TENS, 2) for o, one in enumerate(_SINGLE, 1)}
)
# "one" is as often a pronoun.
del _NUMBERS["one"]
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}
_SCALED = regex.compile(rf"(?i)\b(?P<count>\d+(?:[.,]\d+)*|an?|one) (?P<scale>{'|'.join(_SCALES)})\b")
_NUMBER_WORD = regex.compile(rf"(?i)\b(?:{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})\b")


def ungrounded(text: str, sources: Sequence[str], *, may_name: Sequence[str] = ()) -> list[str]:
    """What the text names that no source does: quotations, then figures, then names; empty where there is nothing.

    A quotation must stand in one source word for word. A figure may be written in another way ("1,200", "1200",
    "twelve"). Names are words with a capital inside a sentence; in German, which writes nouns
    so, none is looked for.

    Args:
        text: what was written.
        sources: what it was written from.
        may_name: texts whose figures and names may be repeated, but not quoted.

    >>> ungrounded("In 2024 Mara sold 1200 “old pumps”.", ["Mara said: we sold 1,200 of the older pumps."])
    ['“old pumps”', '2024']
    """
    quoted = [one for one in quotations(text) if not _stands_in(one, sources)]
    known = [*sources, *may_name]
    figured = sorted(figures(text) - {figure for one in known for figure in figures(one)})
    return [*quoted, *figured, *_foreign_names(text, known)]


def figures(text: str) -> set[str]:
    """The figures that a text names, in one writing; a word "one" is none.

    >>> sorted(figures("Twelve of 1,200, at 4:30, in twenty-five days; one of 2.5 million"))
    ['12', '1200', '25', '2500000', '4:30']
    """
    told = _NUMBER_WORD.sub(lambda found: str(_NUMBERS[found[0].lower()]), text)
    scaled = _SCALED.sub(_product, told)
    return {_one_writing(word) for word in _WORD.findall(scaled) if word[0].isdigit()}


def term_share(text: str, sources: Sequence[str]) -> float:
    """Share of the text's terms (stems without stop words) that stand in a source, in [0, 1]; 1 where it has none.

    >>> term_share("Pumps save fuel.", ["A heat pump saves money."])
    0.6666666666666666
    """
    terms = set(index_terms(text))
    known = {term for source in sources for term in index_terms(source)}
    return len(terms & known) / len(terms) if terms else 1.0


def _product(found: regex.Match[str]) -> str:
    """The figure of "2.5 million" or "a hundred"."""
    counted = float(_one_writing(found["count"])) if found["count"][0].isdigit() else 1.0
    return f"{counted * _SCALES[found['scale'].lower()]:.10g}"


def _one_writing(figure: str) -> str:
    if _GROUPED.fullmatch(figure):
        return figure.replace(",", "").replace(".", "")
    return figure.replace(",", ".")


def _stands_in(quotation: str, sources: Sequence[str]) -> bool:
    words = f" {' '.join(_words(quotation))} "
    return not words.strip() or any(words in f" {' '.join(_words(source))} " for source in sources)


def _words(text: str) -> list[str]:
    return [word.replace("’", "'") for word in _WORD.findall(text.casefold())]


def _foreign_names(text: str, sources: Sequence[str]) -> list[str]:
    if _writes_nouns_large(sources):
        return []
    known = {_bare(word) for source in sources for word in _words(source)}
    found = [name for sentence in split_sentences(text) for name in _NAME.findall(sentence)]
    names = [name for name in dict.fromkeys(found) if not _CONTRACTED_I.fullmatch(name)]
    return [name for name in names if not _lettered(name) <= known]


def _lettered(name: str) -> set[str]:
    """The parts of a name that are no figures: those are looked at as such."""
    return {_bare(word) for word in _words(name) if not word[0].isdigit()}


def _bare(word: str) -> str:
    return _POSSESSIVE.sub("", word)


def _writes_nouns_large(sources: Sequence[str]) -> bool:
    """Whether it is German, where a capital makes no name: more of its function words than of English ones."""
    words = [word for source in sources for word in _words(source)]
    return sum(word in _german() for word in words) > sum(word in function_words("en") for word in words)


@lru_cache(maxsize=1)
def _german() -> frozenset[str]:
    return function_words("de") - function_words("en")
