"""What the shapes share: cleaning of cue text, and speaker labels at the beginning of a line."""

import html
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import regex

from rejoinder.text.word_lists import word_set


class Labelled(NamedTuple):
    """A text without the label that it began with."""

    speaker: str | None
    text: str


# One to four capitalised words before a colon: "Travis: When you ...", ">> Dr. Ada B.: Yes."
_LABEL = regex.compile(
    r"(?:(?:>>|[-–—])\s*)?(?P<name>\p{Lu}[\p{L}\p{M}\d.'’_-]{0,30}+(?: [\p{Lu}\d][\p{L}\p{M}\d.'’_-]{0,30}+){0,3})"
    r":(?:\s+|$)"
)
_NOT_SPEAKERS = word_set(
    "note warning example question answer update edit tip hint summary title music http https so and but "
    "yes no fact today intro outro links transcript chapter episode host guest date kind language"
)
_TAG = regex.compile(r"</?[A-Za-z][^<>\n]{0,200}>|<\d[\d:.]*>|\{\\[^{}\n]*\}")
# JSON can write both and PostgreSQL can keep neither.
_NUL_OR_SURROGATE = regex.compile(r"[\x00\p{Cs}]")
_SPACE = regex.compile(r"[\s\u200b\u2060\ufeff]+")
_WORD = regex.compile(r"[\p{L}\p{N}]")
_SOUND = regex.compile(r"\[[^\[\]]*\]|\([^()]*\)|\*[^*]*\*|♪[^♪]*♪?")


def clean(text: str) -> str:
    r"""One line of plain text: tags and what is no character out, entities resolved, white space single.

    >>> clean("<i>Q&amp;A</i>  with\nAda")
    'Q&A with Ada'
    """
    return _SPACE.sub(" ", _NUL_OR_SURROGATE.sub("", html.unescape(_TAG.sub("", text)))).strip()


def speaker_name(name: str) -> str | None:
    """A speaker's name as it is shown; a bare number is given the word before it.

    >>> speaker_name(" Ada "), speaker_name("0"), speaker_name("")
    ('Ada', 'Speaker 0', None)
    """
    shown = clean(name).rstrip(":").strip()
    return f"Speaker {shown}" if shown.isdigit() else shown or None


def counted(n: int, noun: str) -> str:
    """A number with its noun, as notes have it.

    >>> counted(1, "cue"), counted(1200, "cue")
    ('1 cue', '1,200 cues')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def has_speech(text: str) -> bool:
    """Whether something is said: ``*music*``, ``[laughs]`` and ``...`` are sounds.

    >>> has_speech("[Music] ♪"), has_speech("(laughs) Right.")
    (False, True)
    """
    return _WORD.search(_SOUND.sub(" ", text)) is not None


def speaker_labels(lines: Iterable[str]) -> frozenset[str]:
    """The names that label speakers in a file: at its first line, at two lines or more, or at any.

    Any name counts where half of the lines have one. A single ``Python: it's great`` in mid-text
    is no speaker.
    """
    names = [match["name"] if (match := _LABEL.match(line)) else None for line in lines if line]
    counts = Counter(name for name in names if name is not None)
    is_usual = 2 * counts.total() >= len(names)
    labels = {name for name, count in counts.items() if count > 1 or is_usual or name == names[0]}
    return frozenset(filter(is_name, labels))


def is_name(label: str) -> bool:
    """Whether a label can be a speaker's; ``Note`` and ``Chapter 2`` can't."""
    return label.casefold().rstrip(" 0123456789.") not in _NOT_SPEAKERS


def split_label(text: str, labels: frozenset[str]) -> Labelled:
    """The text without its speaker's label, where it begins with one of ``labels``.

    >>> split_label("Ada: Hello.", frozenset({"Ada"}))
    Labelled(speaker='Ada', text='Hello.')
    """
    match = _LABEL.match(text)
    if match is None or match["name"] not in labels:
        return Labelled(None, text)
    return Labelled(match["name"], text[match.end() :])
