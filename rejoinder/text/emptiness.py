"""Whether there is anything in a post that could be answered."""

import regex

from rejoinder.text.links import without_links

_WORDS = regex.compile(r"[\p{L}\p{N}]")
_EMOJI = regex.compile(r"\p{Extended_Pictographic}|\p{Regional_Indicator}|[#*0-9]\ufe0f?\u20e3")
_HANDLES = regex.compile(r"(?<![\p{L}\p{N}_])(?:[@＠][A-Za-z0-9_]+|/?u/[A-Za-z0-9_-]+)")
_HASHTAGS = regex.compile(r"[#＃][\p{L}\p{N}\p{M}_]+")
_KEYCAPS = regex.compile(r"[#*0-9]\ufe0f?\u20e3")
_INVISIBLE = regex.compile(r"[\s\p{Cf}\p{Cc}\p{Zs}\u2800\u3164\u115f\u1160\uffa0]+")


def readable_reason(text: str) -> str | None:
    """Why a post can't be answered at all, or None when there is something to read.

    >>> readable_reason("https://example.com/a"), readable_reason("😀 🎉"), readable_reason("ok?")
    ('only a link', 'only emoji', None)
    """
    if not _INVISIBLE.sub("", text):
        return "empty"
    rest = without_links(text)
    if _has_words(_HASHTAGS.sub(" ", _HANDLES.sub(" ", rest))):
        return None
    return _what_there_is(text, rest)


def _has_words(text: str) -> bool:
    return _WORDS.search(_KEYCAPS.sub(" ", text)) is not None


def _what_there_is(text: str, rest: str) -> str:
    """The most telling of the things that are not words."""
    kinds = {
        "a link": rest != text,
        "mentions": _HANDLES.search(rest) is not None,
        "hashtags": _HASHTAGS.search(_HANDLES.sub(" ", rest)) is not None,
        "emoji": _EMOJI.search(rest) is not None,
    }
    present = [kind for kind, is_present in kinds.items() if is_present]
    return "only " + " and ".join(present) if present else "only punctuation"
