"""Quoting speech: tidy what a speaker said without changing it, and prove that nothing was changed.

What belongs here: the edits a careful journalist allows (fillers and dangling conjunctions at the edges,
a capital letter, an ellipsis where words were left out) and `is_verbatim`, which checks a quote against its
source by the same rules.
"""

import re
from collections.abc import Callable

import regex

from rejoinder.text.sentences import split_sentences
from rejoinder.text.word_lists import word_set

# Hedges such as "I think" are left alone: they make the difference between an opinion and a fact.
LEADING = regex.compile(
    r"(?i)^(?:(?:and )?then also, |(?:and|but|so|well|yeah|yep|yes|no|or|then|okay|ok|right|oh|um+|uh+|hmm+|now|like"
    r"|anyway|plus|exactly|sure|also|i mean|you know|of course|again|absolutely)"
    r"(?:,? (?=and|but|so|then|like|you|i|the|it|that|if|when|in|there|we|with|for|what|because|basically|um|uh)"
    r"|,\s+| - | -- | — | ))"
)
# These open a sentence as an adverb or pronoun only when no comma follows; then they carry meaning.
KEEPS_MEANING = regex.compile(
    r"(?i)^(?:no|now|right|like|then|exactly|sure|yes|again|also|absolutely|of course) "
)
TRAILING = regex.compile(
    r"(?i)(?:[,;]?\s+(?:you know|i mean|right|or something(?: like that)?|or whatever|and (?:all )?that|and stuff"
    r"|so|and|but|or|basically|kind of|yeah|okay|for sure))+(?=[.!…]*$)"
)
INSIDE = regex.compile(r"(?i),\s+(?:you know|um+|uh+|i mean|like|sort of|kind of),\s+(?=\p{L})")
DANGLING = word_set(
    "a an the and or but so of to in on at for with by from as that which who is are was were be it this these those "
    "if because when than then not very more most your our their its his her my we you they i he she can will would"
)
CLAUSE_END = re.compile(
    r"(?<=[a-z0-9\)])(?:[,;:] | - | — | -- | (?=(?:because|but|and|so|which|where|while|although)\b))"
)
ELLIPSIS = "…"
MIN_SHARE = 0.7


def tidy_quote(sentence: str) -> str:
    """A spoken sentence as it may be quoted: no fillers at the edges or between commas, a capital first.

    >>> tidy_quote("And so, you know, the GIL keeps it thread safe, right.")
    'The GIL keeps it thread safe.'
    """
    text = " ".join(sentence.split())
    text = INSIDE.sub(" ", text)
    while (found := LEADING.match(text)) and not KEEPS_MEANING.match(text):
        text = text[found.end() :]
    text = TRAILING.sub("", text).strip(" ,;-—")
    if text and text[-1] not in ".!?…":
        text += "."
    return text[:1].upper() + text[1:]


def shorten_quote(quote: str, limit: int, measure: Callable[[str], int]) -> str:
    """Cut a quote to a limit: after a sentence or a clause where that keeps enough, else after a word.

    Args:
        quote: tidied.
        limit: in the units of measure, > 0.
        measure: weighted or plain length.

    Returns:
        The quote itself where it fits; else its beginning, with an ellipsis unless whole sentences are
        left; empty where nothing fits.
    """
    if measure(quote) <= limit:
        return quote
    whole = _whole_sentences(quote, limit, measure)
    clauses = [found.start() for found in CLAUSE_END.finditer(quote)]
    words = [found.start() for found in re.finditer(r"\s", quote)]
    by_clause = _longest(quote, clauses, limit, measure)
    by_word = _longest(quote, words, limit, measure)
    if len(whole) >= MIN_SHARE * len(by_word):
        return whole
    return by_clause if len(by_clause) >= MIN_SHARE * len(by_word) else by_word


def is_verbatim(quote: str, source: str) -> bool:
    """Whether a quote says nothing that its source does not, up to tidying.

    Every run of words between ellipses must stand in the source in one piece, fillers aside.

    >>> is_verbatim("The GIL keeps it safe…", "And so, you know, the GIL keeps it safe, mostly.")
    True
    >>> is_verbatim("The GIL is safe.", "The GIL is not safe.")
    False
    """
    said = f" {' '.join(spoken_words(source))} "
    runs = [spoken_words(run) for run in quote.split(ELLIPSIS)]
    return any(runs) and all(f" {' '.join(run)} " in said for run in runs if run)


def spoken_words(text: str) -> list[str]:
    """The words of a text as they are compared: lower case, bare, fillers between commas left out."""
    without = INSIDE.sub(" ", " ".join(text.split()))
    return regex.findall(r"[\p{L}\p{N}]+(?:['’.\-+#/][\p{L}\p{N}]+)*", without.lower())


def _whole_sentences(quote: str, limit: int, measure: Callable[[str], int]) -> str:
    kept = ""
    for sentence in split_sentences(quote):
        longer = f"{kept} {sentence}".strip()
        if measure(longer) > limit:
            break
        kept = longer
    return kept


def _longest(quote: str, ends: list[int], limit: int, measure: Callable[[str], int]) -> str:
    for end in reversed(ends):
        cut = _without_dangling(quote[:end])
        if cut and measure(cut + ELLIPSIS) <= limit:
            return cut + ELLIPSIS
    return ""


def _without_dangling(text: str) -> str:
    words = text.split()
    while words and words[-1].lower().strip(",;:—-.") in DANGLING | {""}:
        words.pop()
    return " ".join(words).rstrip(" ,;:—-.")
