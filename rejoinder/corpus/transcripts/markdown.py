r"""Markdown: ``**Ada:** words``, paragraphs that go on, and inline ``\[mm:ss\]`` stamps."""

import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import regex

from rejoinder.corpus.transcripts.pieces import clean, is_name, speaker_name
from rejoinder.corpus.transcripts.times import CLOCK, clock_seconds, in_order
from rejoinder.corpus.values import Chapter, Cue, Transcript

_SPEAKER = regex.compile(r"^\*\*(?P<name>[^*\n]{1,80}?)(?::\s*\*\*|\*\*\s*:)\s*(?P<text>.*)$", regex.DOTALL)
_LABEL_LINE = regex.compile(r"(?m)^\*\*(?P<name>[^*\n]{1,80}?)(?::\s*\*\*|\*\*\s*:)")
_MIN_LABELLED_SHARE = 0.2
_STAMP = regex.compile(rf"\\?\[(?P<clock>{CLOCK})\\?\]")
_INAUDIBLE = regex.compile(r"\\?\[(?:[^\[\]\\]|\\(?!\]))*\p{L}(?:[^\[\]\\]|\\(?!\]))*\\?\](?!\()")
_LINK = regex.compile(r"!?\[(?P<text>[^\[\]]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)")
_HEADING = regex.compile(r"^#{1,6}\s+(?P<text>.+?)\s*#*$")
_RULE = regex.compile(r"^(?:-{3,}|\*{3,}|_{3,})$")
_EMPHASIS = regex.compile(r"(?<![\\\w*_])([*_]{1,3})(?=\S)(.+?)(?<=[^\s\\])\1(?![\w*_])")
_ESCAPE = regex.compile(r"\\([\\`*_{}\[\]()#+.!~>|-])")
_USUAL_CHARACTERS_PER_S = 15.0


def looks_like_markdown(text: str) -> bool:
    """Whether many paragraphs begin with a speaker in bold; a ``**Note:**`` here and there is none."""
    names = Counter(str(clean(found["name"])) for found in _LABEL_LINE.finditer(text))
    n_labels = sum(n for name, n in names.items() if is_name(name))
    n_paragraphs = len(regex.findall(r"\n[^\S\n]*\n\s*\S", text)) + 1
    return n_labels > 0 and (n_labels >= _MIN_LABELLED_SHARE * n_paragraphs or len(_STAMP.findall(text)) > 2)


def parse_markdown(text: str) -> Transcript:
    """A Markdown transcript; its headings but the first, the title, are chapters.

    Stamps stand only here and there, so the times between two of them are interpolated by
    characters, those behind the last go on at the file's own pace. Without any stamp: None.
    """
    cues: list[Cue] = []
    headings: list[Chapter] = []
    for found in _pieces([piece.strip() for piece in regex.split(r"\n\s*\n", text)]):
        if isinstance(found, Cue):
            cues.append(found)
        else:
            headings.append(Chapter(found, None, len(cues)))
    has_title = bool(headings) and headings[0].first_cue == 0
    title = headings[0].title if has_title else ""
    chapters = tuple(headings[1:] if has_title else headings)
    return Transcript(title, "markdown", tuple(_timed(cues)), chapters=chapters)


def _pieces(paragraphs: list[str]) -> Iterator[Cue | str]:
    """The cues, and between them the headings."""
    speaker: str | None = None
    for paragraph in paragraphs:
        if heading := _HEADING.match(paragraph):
            yield _plain(heading["text"])
        if heading or _RULE.match(paragraph):
            continue
        match = _SPEAKER.match(paragraph)
        speaker = speaker_name(match["name"]) if match else speaker
        pieces = _STAMP.split(match["text"] if match else paragraph)
        for stamp, words in zip([None, *pieces[1::2]], pieces[::2], strict=True):
            if stamp or words.strip():
                yield Cue(_plain(words), clock_seconds(stamp) if stamp else None, None, speaker)


def _plain(text: str) -> str:
    """Markdown's marks taken off: links keep their text, ``[unintelligible 12:01]`` goes."""
    text = _LINK.sub(lambda match: str(match["text"]), text)
    text = _EMPHASIS.sub(r"\2", _INAUDIBLE.sub(" ", text))
    return clean(_ESCAPE.sub(r"\1", text))


def _timed(cues: list[Cue]) -> Iterator[Cue]:
    """Give every cue a start, by its place among the characters between two stamps."""
    starts = in_order([cue.start_s for cue in cues])
    positions = _positions(cues)
    known = [
        (position, start) for position, start in zip(positions, starts, strict=True) if start is not None
    ]
    if not known:
        yield from cues
        return
    # What stands before the first stamp was said after the recording began.
    known = known if known[0][0] == 0 else [(0, 0.0), *known]
    pace = _characters_per_s(known)
    following = 0
    for cue, position in zip(cues, positions, strict=True):
        while following < len(known) and known[following][0] <= position:
            following += 1
        start_s = _interpolated(position, known, following, pace)
        yield replace(cue, start_s=round(start_s, 1))


def _positions(cues: list[Cue]) -> list[int]:
    positions, position = [], 0
    for cue in cues:
        positions.append(position)
        position += len(cue.text) + 1
    return positions


def _characters_per_s(known: list[tuple[int, float]]) -> float:
    """The file's usual pace: the median over the stretches between stamps."""
    paces = [
        (after[0] - before[0]) / (after[1] - before[1])
        for before, after in pairwise(known)
        if after[1] > before[1] and after[0] > before[0]
    ]
    return statistics.median(paces) if paces else _USUAL_CHARACTERS_PER_S


def _interpolated(position: int, known: list[tuple[int, float]], following: int, pace: float) -> float:
    """The time at a position; ``known[following]`` is the first stamp behind it."""
    before = known[max(following - 1, 0)]
    if following == len(known):
        return before[1] + (position - before[0]) / pace
    after = known[following]
    share = (position - before[0]) / max(after[0] - before[0], 1)
    return before[1] + share * (after[1] - before[1])
