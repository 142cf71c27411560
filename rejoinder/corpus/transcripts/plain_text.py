"""Plain text: a time and perhaps a name at the head of a line or paragraph, or no times at all."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import regex

from rejoinder.corpus.transcripts.pieces import clean, speaker_labels, speaker_name, split_label
from rejoinder.corpus.transcripts.times import CLOCK, clock_seconds, in_order
from rejoinder.corpus.values import Chapter, Cue, Transcript

_NAME = r"(?P<name>[\p{Lu}\d][\p{L}\p{M}\d.'’_ -]{0,60}?)"
# "00:01:02 words", "[1:02] words", "(1:02) - words", "[00:00:01:02]" alone on its line
_TIME_FIRST = regex.compile(
    rf"^[\[(]?(?P<clock>{CLOCK})[\])]?(?:\s*[-–—>|]+\s*|\s+|$)(?:{CLOCK}\s+)?(?P<text>.*)$"
)
# "Ada Lovelace (00:15):", "Ada (00:00:15) - words", "Ada [0:15] words", "Ada  0:15" alone on its line
_NAME_FIRST = regex.compile(
    rf"^{_NAME}\s*(?:[\[(](?P<clock>{CLOCK})[\])]\s*[-–—:]*|\s(?P<clock>{CLOCK})\s*:?$)\s*(?P<text>.*)$"
)
# Spacelog marks terms and times inside the words: "[glossary:SPS]", "[glossary:P11|Program 11]".
_MARKED = regex.compile(r"\[(?:glossary|time):(?P<term>[^\[\]|]{1,60})(?:\|(?P<other>[^\[\]]{1,60}))?\]")
_METADATA = regex.compile(r"^_\w+\s*:")
_HEADING = regex.compile(r"^#{1,6}\s+(?P<title>.{1,200}?)\s*#*$")
# Three times at the heads of lines, of which most go forward, are no coincidence.
_MIN_TIMED_LINES = 3
_MIN_LABELLED_SHARE = 0.3


class _Head(NamedTuple):
    """What the head of a line says: a time, a name, or both, and the words behind it."""

    start_s: float | None
    speaker: str | None
    text: str


def is_spoken(lines: Iterable[str]) -> bool:
    """Whether lines are a transcript's: times that go forward at their heads, or speakers' names.

    >>> is_spoken(["0:01 One.", "0:05 Two.", "0:09 Three."]), is_spoken(["Prose at 9:30.", "", "More."])
    (True, False)
    """
    filled = [stripped for line in lines if (stripped := line.strip())]
    starts = [head.start_s for line in filled if (head := _timed_head(line)) and head.start_s is not None]
    n_forward = sum(known is not None for known in in_order(starts))
    if 2 * n_forward > len(starts) >= _MIN_TIMED_LINES or len(filled) == n_forward > 0:
        return True
    labels = speaker_labels(filled)
    named = [found for line in filled if (found := split_label(line, labels).speaker)]
    # People speak more than once; "Source:" and "Licence:" head one line each.
    return len(named) > len(set(named)) and len(named) >= _MIN_LABELLED_SHARE * len(filled)


def parse_plain_text(text: str) -> Transcript:
    """Plain text with ``mm:ss`` or ``hh:mm:ss`` at its lines, or without times (times None).

    Lines without a head belong to the cue before; without times a blank line ends a cue. A line that
    begins as a Markdown heading is a chapter.
    """
    lines = [line.strip() for line in text.split("\n") if not _METADATA.match(line)]
    heads = [_timed_head(line) for line in lines]
    labels = speaker_labels([head.text if head else line for head, line in zip(heads, lines, strict=True)])
    is_timed = any(head is not None for head in heads)
    cues: list[Cue] = []
    chapters: list[Chapter] = []
    for found in _pieces(lines, heads, labels, blank_ends=not is_timed):
        if isinstance(found, Cue):
            cues.append(found)
        else:
            chapters.append(Chapter(clean(found), None, len(cues)))
    return Transcript("", "text", tuple(cues), chapters=tuple(chapters))


def _shown(words: list[str]) -> str:
    return clean(_MARKED.sub(lambda mark: mark["other"] or mark["term"], " ".join(words)))


def _timed_head(line: str) -> _Head | None:
    match = _TIME_FIRST.match(line) or _NAME_FIRST.match(line)
    start_s = clock_seconds(match["clock"]) if match else None
    if match is None or start_s is None:
        return None
    name = match.groupdict().get("name")
    return _Head(start_s, speaker_name(name) if name else None, match["text"])


def _pieces(
    lines: list[str], heads: list[_Head | None], labels: frozenset[str], *, blank_ends: bool
) -> Iterator[Cue | str]:
    """The cues, and between them the headings."""
    start_s: float | None = None
    speaker: str | None = None
    words: list[str] = []
    for line, timed in zip(lines, heads, strict=True):
        heading = _HEADING.match(line)
        label, rest = split_label(timed.text if timed else line, labels)
        if (timed or label or heading or (blank_ends and not line)) and words:
            yield Cue(_shown(words), start_s, None, speaker)
            words = []
        if heading:
            yield heading["title"]
            continue
        start_s = timed.start_s if timed else start_s
        speaker = label or (timed.speaker if timed else None) or speaker
        words.extend([rest] if rest else [])
    if words:
        yield Cue(_shown(words), start_s, None, speaker)
