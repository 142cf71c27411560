"""How long a text is for a platform, and how long it may be.

X counts by weight (twitter-text configuration 3: NFC first; a link is 23, an emoji sequence 2,
Latin and most European scripts 1 a character, the rest 2). The others count characters.
"""

import unicodedata
from collections.abc import Callable
from typing import NamedTuple

import regex

from rejoinder.text.links import find_links

X_LIMIT = 280
REDDIT_LIMIT = 10_000
# The most characters of a post, a comment and a message; read 2026-11 in the vendors' and tools' documentation:
# docs.ayrshare.com (LinkedIn posts), docs.publora.com (its comments), discord-api-docs resources/webhook.
LINKEDIN_LIMIT, LINKEDIN_COMMENT_LIMIT, DISCORD_LIMIT = 3_000, 1_250, 2_000
LINK_WEIGHT = 23
EMOJI_WEIGHT = 2

_INVALID = regex.compile("[\ufffe\ufeff\uffff]")
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


def is_valid_on_x(text: str) -> bool:
    """Whether X takes a text as an ordinary post: not empty, at most 280, and without U+FFFE, U+FEFF or U+FFFF.

    Source: twitter-text ``parseTweet`` and its invalid characters.

    >>> is_valid_on_x("Hi"), is_valid_on_x(""), is_valid_on_x("a" * 281), is_valid_on_x(chr(0xFFFF))
    (True, False, False, False)
    """
    return bool(text) and weighted_length(text) <= X_LIMIT and not _INVALID.search(text)


def length_limit(platform: str) -> LengthLimit:
    """The limit of ``x`` (280, weighted), ``reddit`` (10,000 characters), or one of `PLATFORM_LIMITS`.

    A platform of another package gets X's number in plain characters, which fits nearly everywhere; its adapter
    refuses what is too long for it.

    >>> length_limit("forum").limit
    280
    """
    return PLATFORM_LIMITS.get(platform, LengthLimit(X_LIMIT, len))


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
    "linkedin": LengthLimit(LINKEDIN_LIMIT, len),
    "linkedin_comment": LengthLimit(LINKEDIN_COMMENT_LIMIT, len),
    "discord": LengthLimit(DISCORD_LIMIT, len),
}
