"""How long a text is for a platform, and how to make it fit.

X counts by weight (twitter-text configuration 3: NFC first; a link is 23, an emoji sequence 2,
Latin and most European scripts 1 a character, the rest 2). Reddit counts characters.
"""

import unicodedata
from collections.abc import Callable
from typing import NamedTuple

import regex

from rejoinder.text.links import find_links
from rejoinder.text.sentences import split_sentences

X_LIMIT = 280
REDDIT_LIMIT = 10_000
LINK_WEIGHT = 23
EMOJI_WEIGHT = 2

_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_PART = r"\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
# A bare ©, ®, ™ or ♟ is text until the variation selector says otherwise.
_EMOJI = regex.compile(
    r"\p{Regional_Indicator}{2}|[#*0-9]\ufe0f?\u20e3"
    rf"|(?![©®™♟](?!\ufe0f))(?!.\ufe0e){_PART}(?:\u200d(?:{_PART}|[♀♂]\ufe0f?))*"
)


class LengthLimit(NamedTuple):
    """A platform's limit and the measure that it is counted by."""

    limit: int
    measure: Callable[[str], int]


def weighted_length(text: str) -> int:
    """Length of a post on X; 280 is the most an ordinary post may have.

    Source: twitter-text ``parseTweet`` with config/v3.json (defaultWeight 200, scale 100,
    transformedURLLength 23, emojiParsingEnabled).

    >>> weighted_length("Hi http://test.co")
    26
    >>> weighted_length("日本語 👨‍👩‍👧‍👦")
    9
    """
    normal = unicodedata.normalize("NFC", text)
    total, position = 0, 0
    for start, end in find_links(normal):
        total += _plain_weight(normal[position:start]) + LINK_WEIGHT
        position = end
    return total + _plain_weight(normal[position:])


def fits(text: str, platform: str) -> bool:
    """Whether the text is within the platform's limit.

    Raises:
        ValueError: no limit is known for this platform.

    >>> fits("x" * 281, "x"), fits("x" * 281, "reddit")
    (False, True)
    """
    limit, measure = length_limit(platform)
    return measure(text) <= limit


def length_limit(platform: str) -> LengthLimit:
    """The limit of ``x`` (280, weighted) or ``reddit`` (10,000 characters).

    Raises:
        ValueError: no limit is known for this platform.
    """
    if platform not in PLATFORM_LIMITS:
        raise ValueError(f"no length limit is known for platform {platform!r}")
    return PLATFORM_LIMITS[platform]


def trim_to(text: str, limit: int, measure: Callable[[str], int] = weighted_length) -> str:
    """The longest beginning of the text, in whole sentences, that fits.

    When not even the first sentence fits it is cut after a word and ends in an ellipsis; when not
    even a word fits, within the word. The result is never longer than ``limit``, and empty when
    nothing fits.

    >>> trim_to("One fact. Another fact. A third.", 25)
    'One fact. Another fact.'
    >>> trim_to("A sentence that is too long", 15)
    'A sentence…'
    """
    text = text.strip()
    if measure(text) <= limit:
        return text
    whole = _longest_fitting(_sentence_ends(text), text, limit, measure, "")
    if whole:
        return whole
    by_word = _longest_fitting(_word_ends(text), text, limit, measure, "…")
    return by_word or _longest_fitting(list(range(1, len(text))), text, limit, measure, "…")


def _longest_fitting(
    ends: list[int], text: str, limit: int, measure: Callable[[str], int], closing: str
) -> str:
    """Binary search over growing beginnings; the last steps go back where a longer one weighs less."""
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if measure(_beginning(text, ends[middle], closing)) <= limit:
            low = middle + 1
        else:
            high = middle
    for end in reversed(ends[:low]):
        cut = _beginning(text, end, closing)
        if measure(cut) <= limit:
            return cut
    return ""


def _beginning(text: str, end: int, closing: str) -> str:
    cut = text[:end].rstrip()
    return cut.rstrip(",;:-–— ") + closing if closing else cut


def _sentence_ends(text: str) -> list[int]:
    ends, position = [], 0
    for sentence in split_sentences(text):
        position = text.index(sentence, position) + len(sentence)
        ends.append(position)
    return ends[:-1]


def _word_ends(text: str) -> list[int]:
    return [match.start() for match in regex.finditer(r"\s+", text)]


def _plain_weight(text: str) -> int:
    total, position = 0, 0
    for match in _EMOJI.finditer(text):
        total += sum(map(_character_weight, text[position : match.start()])) + EMOJI_WEIGHT
        position = match.end()
    return total + sum(map(_character_weight, text[position:]))


def _character_weight(character: str) -> int:
    code = ord(character)
    return 1 if any(first <= code <= last for first, last in _LIGHT) else 2


PLATFORM_LIMITS = {
    "x": LengthLimit(X_LIMIT, weighted_length),
    "reddit": LengthLimit(REDDIT_LIMIT, len),
}
