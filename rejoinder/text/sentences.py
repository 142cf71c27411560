"""Where sentences end, in speech transcripts and in posts.

By rules, not a model: a terminator ends a sentence unless it belongs to an abbreviation, an
initial, a number, a domain or an ellipsis in mid-sentence. Terminators of other scripts count too.
"""

from typing import NamedTuple

import regex

from rejoinder.text.word_lists import word_set


class Span(NamedTuple):
    """A half-open span of characters."""

    start: int
    end: int


# A name or a number follows these, so they never end a sentence.
_TITLES = word_set(
    "mr mrs ms dr prof sr mt gen col sgt capt lt rep sen gov hon rev figs eqs vols nos pp cf vs viz "
    "approx e.g i.e eg ie resp esp incl excl ibid"
)
# These are abbreviations only before a number: "No. 5", "Jan. 3", but "No. We won't."
_NUMBERED = word_set("no fig eq sec vol ch p art jan feb mar apr jun jul aug sep sept oct nov dec")
# These end a sentence only where the next word is one that sentences begin with.
_AMBIGUOUS = word_set(
    "st jr inc ltd co corp llc bros u.s u.k u.n e.u d.c p.s a.m p.m ph.d b.sc m.sc b.a m.a dept univ "
    "ave blvd rd al"
)
_STARTERS = word_set(
    "the a an i i'm i've we it it's he she they but and so in this that you if when what how why there "
    "then our my now well yeah yes no for at on or as to with all is are do does can let here"
)
_CLOSERS = "\"'”’»›)\\]}」』】）＂＇*_"
_BOUNDARY = regex.compile(
    rf"(?P<stop>[.!?…]+[{_CLOSERS}]*(?=\s|$))"
    rf"|(?P<other>[。！？｡．؟۔।॥။።፧։᠃᠉]+[{_CLOSERS}]*)"
    r"|(?P<break>\s*\n\s*\n\s*|\n(?=\s*(?:[-*•>#]|\d{1,3}[.)])\s))"
)
_LAST_WORD = regex.compile(r"[\p{L}\p{N}.]+$")
_FIRST_WORD = regex.compile(r"[\p{L}\p{N}'’]+")
_LOWER_START = regex.compile(r"[\"'“‘«(\[*_]*\p{Ll}")


def split_sentences(text: str) -> list[str]:
    """The text's sentences in order, stripped, none empty; no character but white space is lost.

    >>> split_sentences("Dr. Smith paid 3.5 dollars. See example.com. 'Why?' he said... then left.")
    ['Dr. Smith paid 3.5 dollars.', 'See example.com.', "'Why?' he said... then left."]
    >>> split_sentences("これは文です。次の文。")
    ['これは文です。', '次の文。']
    """
    return [text[start:end] for start, end in sentence_spans(text)]


def sentence_spans(text: str) -> list[Span]:
    """The sentences' spans in the text, stripped of white space at both ends."""
    spans, start = [], 0
    for match in _BOUNDARY.finditer(text):
        if match["stop"] is not None and not _ends_sentence(text, start, match):
            continue
        spans.append(Span(start, match.end()))
        start = match.end()
    spans.append(Span(start, len(text)))
    return [stripped for span in spans if (stripped := _strip(text, span)).start < stripped.end]


def _strip(text: str, span: Span) -> Span:
    piece = text[span.start : span.end]
    start = span.start + len(piece) - len(piece.lstrip())
    return Span(start, max(start, span.start + len(piece.rstrip())))


def _ends_sentence(text: str, start: int, match: regex.Match[str]) -> bool:
    """Whether this run of ``.``, ``!``, ``?`` or ``…`` ends a sentence."""
    after = text[match.end() : match.end() + 40].lstrip()
    if not after:
        return True
    stop = match["stop"]
    goes_on = _LOWER_START.match(after) is not None
    if stop[0] != "." or len(stop.rstrip("\"'”’»›)]}」』】*_")) > 1:
        # "..." and "?" before a small letter go on: 'Why?' he said.
        return not goes_on
    return not goes_on and not _is_abbreviation(text, start, match.start(), after)


def _is_abbreviation(text: str, start: int, dot: int, after: str) -> bool:
    found = _LAST_WORD.search(text[max(start, dot - 20) : dot])
    if found is None:
        return dot == start
    word = found[0]
    folded = word.casefold()
    if folded in _NUMBERED:
        return after[0].isdigit()
    if folded in _AMBIGUOUS:
        return _first_word(after) not in _STARTERS
    return folded in _TITLES or _is_initial(word) or _is_list_number(text, start, dot - len(word), word)


def _first_word(text: str) -> str:
    found = _FIRST_WORD.search(text)
    return found[0].casefold().replace("’", "'") if found else ""


def _is_initial(word: str) -> bool:
    """``J.`` and ``J.R.``; the pronoun I ends sentences too often to count."""
    letters = word.split(".")
    return word != "I" and all(len(letter) == 1 and letter.isupper() for letter in letters)


def _is_list_number(text: str, start: int, word_start: int, word: str) -> bool:
    """``1. First`` at the beginning of a sentence numbers it."""
    return word.isdigit() and len(word) <= 2 and not text[start:word_start].strip()
