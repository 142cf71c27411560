"""Plain text: a time and perhaps a name at the head of a line or paragraph, or no times at all."""

from collections.abc import Iterator
from typing import NamedTuple

import regex

from rejoinder.corpus.transcripts.pieces import clean, speaker_labels, speaker_name, split_label
from rejoinder.corpus.transcripts.times import CLOCK, clock_seconds
from rejoinder.corpus.values import Cue, Transcript

_NAME = r"(?P<name>[\p{Lu}\d][\p{L}\p{M}\d.'’_ -]{0,60}?)"
# "00:01:02 words", "[1:02] words", "(1:02) - words", "[00:00:01:02]" alone on its line
_TIME_FIRST = regex.compile(
    rf"^[\[(]?(?P<clock>{CLOCK})[\])]?(?:\s*[-–—>|]+\s*|\s+|$)(?:{CLOCK}\s+)?(?P<text>.*)$"
)
# "Ada Lovelace (00:15):", "Ada (00:00:15) - words", "Ada [0:15] words", "Ada  0:15" alone on its line
_NAME_FIRST = regex.compile(
    rf"^{_NAME}\s*(?:[\[(](?P<clock>{CLOCK})[\])]\s*[-–—:]*|\s(?P<clock>{CLOCK})\s*:?$)\s*(?P<text>.*)$"
)
_METADATA = regex.compile(r"^_\w+\s*:")


class _Head(NamedTuple):
    """What the head of a line says: a time, a name, or both, and the words behind it."""

    start_s: float | None
    speaker: str | None
    text: str


def parse_plain_text(text: str) -> Transcript:
    """Plain text with ``mm:ss`` or ``hh:mm:ss`` at its lines, or without times (times None).

    Lines without a head belong to the cue before; without times a blank line ends a cue.
    """
    lines = [line.strip() for line in text.split("\n") if not _METADATA.match(line)]
    heads = [_timed_head(line) for line in lines]
    labels = speaker_labels([head.text if head else line for head, line in zip(heads, lines, strict=True)])
    is_timed = any(head is not None for head in heads)
    cues = _cues(lines, heads, labels, blank_ends=not is_timed)
    return Transcript("", "text", tuple(cues))


def _timed_head(line: str) -> _Head | None:
    match = _TIME_FIRST.match(line) or _NAME_FIRST.match(line)
    start_s = clock_seconds(match["clock"]) if match else None
    if match is None or start_s is None:
        return None
    name = match.groupdict().get("name")
    return _Head(start_s, speaker_name(name) if name else None, match["text"])


def _cues(
    lines: list[str], heads: list[_Head | None], labels: frozenset[str], *, blank_ends: bool
) -> Iterator[Cue]:
    start_s: float | None = None
    speaker: str | None = None
    words: list[str] = []
    for line, timed in zip(lines, heads, strict=True):
        label, rest = split_label(timed.text if timed else line, labels)
        if (timed or label or (blank_ends and not line)) and words:
            yield Cue(clean(" ".join(words)), start_s, None, speaker)
            words = []
        start_s = timed.start_s if timed else start_s
        speaker = label or (timed.speaker if timed else None) or speaker
        words.extend([rest] if rest else [])
    if words:
        yield Cue(clean(" ".join(words)), start_s, None, speaker)
