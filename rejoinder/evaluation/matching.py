"""Whether a text says what a key phrase says, and whether it names figures or names that its source lacks.

What belongs here: comparing texts without a model. Words are folded and stemmed, figures are read whatever their
writing ("1,200", "1.200", "twelve"), so a paraphrase that keeps the key words counts and another figure does not.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import regex
import snowballstemmer

from rejoinder.text.sentences import split_sentences
from rejoinder.text.terms import stemmer_of

# So many other words may stand among those of a phrase.
SLACK = 8
_TOKEN = regex.compile(r"\d+(?:[.,:]\d+)+|\d+|\p{L}[\p{L}\p{M}]*(?:['’]\p{L}+)*")
_GROUPED = regex.compile(r"\d{1,3}(?:[.,]\d{3})+")
_NAME = regex.compile(r"(?<=[\p{L}\p{N},;:]\s)[\"“'(]?(\p{Lu}[\p{L}]{2,})")
_PERCENT = regex.compile(r"(?i)\s*%|\bper cent\b|\bprozent\b|\bpor ciento\b")
# Nouns have capitals in German, so a capital there makes no name.
_NAMES_HAVE_CAPITALS = ("en", "es")
_ROUND = frozenset(str(ten) for ten in range(20, 100, 10))
_SINGLE = frozenset("123456789")
_UNITS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
    "siebzehn achtzehn neunzehn",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve",
}
_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
}


def says(text: str, phrases: Iterable[str], *, language: str = "en") -> bool:
    """Whether one sentence of the text has all words of one of the phrases near each other, in any order.

    Args:
        text: what was written.
        phrases: ways to say the same thing; each of key words, without articles.
        language: ISO 639-1 code, for stems and number words.

    >>> says("The tank was drained after 40 minutes.", ["drain tank", "empty tank"])
    True
    >>> says("It took forty minutes.", ["40 minutes"]), says("It took 400 minutes.", ["40 minutes"])
    (True, False)
    """
    sentences = [tokens(sentence, language) for sentence in split_sentences(text)]
    wanted = [tokens(phrase, language) for phrase in phrases]
    return any(_is_near(sentence, phrase) for phrase in wanted for sentence in sentences if phrase)


def tokens(text: str, language: str = "en") -> list[str]:
    """The words of a text as they are compared: folded, stemmed, figures in one writing.

    >>> tokens("Two of 1,200 pumps lost 12.5 % in three thousand days")
    ['2', 'of', '1200', 'pump', 'lost', '12.5', 'percent', 'in', '3000', 'day']
    """
    folded = unicodedata.normalize("NFKC", _PERCENT.sub(" percent", text)).casefold()
    return _joined_numbers([_token(found, language) for found in _TOKEN.findall(folded)])


def figures(text: str, language: str = "en") -> set[str]:
    """The figures that a text names, in one writing; a bare "one" is no figure.

    >>> sorted(figures("Three of 1.200, at 4:30, in twenty-five days; no one knew"))
    ['1200', '25', '3', '4:30']
    """
    named = {found for found in tokens(text, language) if found[0].isdigit()}
    return named if "1" in _TOKEN.findall(text) else named - {"1"}


def invented_figures(text: str, sources: Iterable[str], language: str = "en") -> list[str]:
    """Figures of the text that none of its sources names, in order of their size as text."""
    known = {figure for source in sources for figure in figures(source, language)}
    return sorted(figures(text, language) - known)


def invented_names(text: str, sources: Iterable[str], language: str = "en") -> list[str]:
    """Words with a capital inside a sentence that none of the sources has; none where nouns have capitals.

    >>> invented_names("We met Paul in the Garden.", ["The garden was open."])
    ['Paul']
    """
    if language not in _NAMES_HAVE_CAPITALS:
        return []
    known = {token for source in sources for token in tokens(source, language)}
    inside = [found for sentence in split_sentences(text) for found in _NAME.findall(sentence)]
    return [name for name in dict.fromkeys(inside) if not set(tokens(name, language)) <= known]


def _is_near(sentence: Sequence[str], phrase: Sequence[str]) -> bool:
    width, wanted = len(phrase) + SLACK, set(phrase)
    return any(token in wanted and wanted <= set(sentence[i : i + width]) for i, token in enumerate(sentence))


# In all three languages at once: none of these words means anything else in another.
_SCALES = {
    "hundred": 100, "hundert": 100, "cien": 100, "thousand": 1000, "tausend": 1000, "mil": 1000, "million": 1_000_000,
}  # fmt: skip


@lru_cache(maxsize=50_000)
def _token(word: str, language: str) -> str:
    if word[0].isdigit():
        return _one_writing(word)
    number = _number_words(language).get(word)
    if number is not None:
        return str(number)
    if word in _SCALES:
        return word
    name = stemmer_of(language)
    return str(snowballstemmer.stemmer(name).stemWord(word)) if name else word


def _one_writing(figure: str) -> str:
    if _GROUPED.fullmatch(figure):
        return figure.replace(",", "").replace(".", "")
    return figure.replace(",", ".")


def _joined_numbers(found: Sequence[str]) -> list[str]:
    """Numbers of several words as one: twenty-five, three thousand."""
    joined: list[str] = []
    for word in found:
        before = joined[-1] if joined else ""
        if word in _SCALES:
            counted = before.isdigit() and int(before) < _SCALES[word]
            value = _SCALES[word] * (int(joined.pop()) if counted else 1)
            joined.append(str(value))
        elif before in _ROUND and word in _SINGLE:
            joined[-1] = str(int(before) + int(word))
        else:
            joined.append(word)
    return joined


@lru_cache(maxsize=8)
def _number_words(language: str) -> dict[str, int]:
    units = {word: i for i, word in enumerate(_UNITS.get(language, "").casefold().split())}
    return units | {word: 10 * (i + 2) for i, word in enumerate(_TENS.get(language, "").casefold().split())}
