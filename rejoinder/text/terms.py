"""The terms that lexical search (BM25) works on."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

import regex
import snowballstemmer

from rejoinder.text.links import without_links
from rejoinder.text.word_lists import word_set

# Lucene's English stop words (org.apache.lucene.analysis.en.EnglishAnalyzer) and the rest of the
# function words that a question to a transcript is full of.
STOP_WORDS = word_set(
    "a about above after again all also am an and any are as at be because been before being below "
    "between both but by can could did do does doing don down during each few for from further had has "
    "have having he her here hers him his how i if in into is it its itself just me more most my no nor "
    "not now of off on once only or other our ours out over own same she should so some such than that "
    "the their theirs them then there these they this those through to too under until up very was we "
    "were what when where which while who whom why will with would you your yours"
)
# Raise it when the same source gives other terms than before, or other words to embed: what was indexed with an older
# one is cut and indexed again.
TERMS_VERSION = 3

# Snowball's algorithms by ISO 639-1 code.
_STEMMERS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil",
    "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_WORD = regex.compile(r"[\p{L}\p{N}\p{M}]+(?:['’][\p{L}\p{M}]+)*(?:[+#]+(?!\w))?")
# The same words where a text has no letters but these: read in less than half the time.
_PLAIN = re.compile(r"[\x00-\x7f‘’“”–—]*")
_PLAIN_WORD = re.compile(r"[a-z0-9]+(?:['’][a-z]+)*(?:[+#]+(?!\w))?")
_POSSESSIVE = regex.compile(r"['’](?:s|re|ve|ll|d|m|t)$")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]+")


def stemmer_of(language: str | None) -> str | None:
    """The Snowball algorithm for an ISO 639-1 code, English where no language is known; None where there is none.

    >>> stemmer_of("pt-BR"), stemmer_of(None), stemmer_of("ja")
    ('portuguese', 'english', None)
    """
    return (
        "english" if language is None else _STEMMERS.get(language.casefold().replace("_", "-").split("-")[0])
    )


def query_terms(text: str, languages: Iterable[str | None]) -> list[str]:
    """The distinct terms of a query as texts in any of these languages (ISO 639-1) have them, sorted.

    >>> query_terms("running Katzen", ["en", "de"])
    ['katz', 'katzen', 'run', 'running']
    """
    return sorted(
        {term for name in {stemmer_of(code) for code in languages} for term in index_terms(text, name)}
    )


def index_terms(text: str, language: str | None = "english") -> list[str]:
    """The terms of a text in order, repeats kept: links and stop words out, folded, stemmed.

    Scripts without spaces give pairs of characters (as Lucene's CJKBigramFilter does).

    Args:
        text: any text.
        language: a Snowball algorithm, for example ``english`` or ``german``, or None for words as
            they are written; stop words are only taken out of English.

    Raises:
        ValueError: Snowball has no such algorithm.

    >>> index_terms("The runners’ shoes are RUNNING in C++ at https://x.com/a")
    ['runner', 'shoe', 'run', 'c++']
    """
    if language is not None and language not in snowballstemmer.algorithms():
        raise ValueError(f"no stemmer for language {language!r}")
    folded = unicodedata.normalize("NFKC", without_links(text)).casefold()
    words = _PLAIN_WORD if _PLAIN.fullmatch(folded) else _WORD
    return [term for word in words.findall(folded) for term in _terms_of(word, language)]


@lru_cache(maxsize=200_000)
def _terms_of(word: str, language: str | None) -> tuple[str, ...]:
    # Kept, because texts use the same words again and again and looking one up is all that then remains.
    stop_words = STOP_WORDS if language == "english" else frozenset[str]()
    kept = (piece for piece in _pieces(word) if piece not in stop_words)
    return tuple(kept if language is None else (_stem(language, piece) for piece in kept))


def _pieces(word: str) -> Iterator[str]:
    """A word without its possessive; unspaced scripts in overlapping pairs."""
    word = _POSSESSIVE.sub("", word)
    position = 0
    for run in _UNSPACED.finditer(word):
        yield from filter(None, [word[position : run.start()]])
        yield from _pairs(run[0])
        position = run.end()
    yield from filter(None, [word[position:]])


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def _stem(language: str, word: str) -> str:
    # A stemmer keeps state while it works, so each miss makes its own: safe across threads.
    return str(snowballstemmer.stemmer(language).stemWord(word))
