"""WebVTT (webvtt-py) and SRT (pysubs2): cues with a first and a last second."""

import warnings
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pysubs2
import regex
import webvtt
from webvtt.errors import MalformedCaptionError, MalformedFileError

from rejoinder.corpus.transcripts.pieces import clean, counted, speaker_labels, speaker_name, split_label
from rejoinder.corpus.transcripts.times import clock_seconds
from rejoinder.corpus.values import Chapter, Cue, Transcript
from rejoinder.errors import InputUnreadable
from rejoinder.text.language_codes import language_code

_VOICE = regex.compile(r"<v(?:\.[^\s>]*)?\s+([^>\n]+)>|</v>")
_LANGUAGE = regex.compile(r"(?i)^language:\s*([a-z]{2,3}(?:-[A-Za-z0-9]+)*)\s*$")
_HEADER_DASH = " -–—:\t"
_CHAPTERS_KIND = regex.compile(r"(?i)^kind:\s*chapters\s*$")
_MARK = regex.compile(r"(?im)^NOTE[^\S\n]+chapter\b[^\S\n]*[:\-–—]?[^\S\n]*(?P<title>[^\n]{1,200})$")
_FIRST_TIME = regex.compile(r"(?m)^[^\S\n]*(?P<clock>(?:\d+:)?\d{1,2}:\d{1,2}[.,]\d{1,3})[^\S\n]*-->")
# Live captions roll throughout; a line that happens to come twice is no sign of it.
_MIN_ROLLED_SHARE = 0.3
_FILLED_LINE = regex.compile(r"(?m)^[^\S\n]*\S")
_MIN_TIMES_SHARE = 0.1
_ARROW = regex.compile(r"(?m)^[^\S\n]*(?:\d+:)?\d{1,2}:\d{1,2}[.,]\d{1,3}[^\S\n]*-->")


def has_cue_times(text: str) -> bool:
    """Whether the text's lines are to a good part cues' times, ``... --> ...``; a page about captions has few."""
    n_times = len(_ARROW.findall(text))
    return n_times > 0 and n_times >= _MIN_TIMES_SHARE * len(_FILLED_LINE.findall(text))


def parse_webvtt(text: str) -> Transcript:
    """A WebVTT file, with voice tags (``<v Ada>``; a tag holds until the next one) or without.

    A file that lost its header is read too; malformed blocks are passed over.

    Raises:
        InputUnreadable: the file is not WebVTT.
    """
    text = text.lstrip()
    if not text.startswith("WEBVTT"):
        text = "WEBVTT\n\n" + text
    try:
        file = webvtt.from_string(text)
    except (MalformedFileError, MalformedCaptionError, ValueError) as error:
        raise InputUnreadable(f"broken WebVTT: {error}") from error
    if any(_CHAPTERS_KIND.match(line) for line in file.metadata):
        raise InputUnreadable("a list of chapters, not a transcript: name it as the chapters of its episode")
    blocks, notes = unrolled([caption.raw_text for caption in file.captions])
    cues = tuple(_voiced(file.captions, blocks))
    languages = (language_code(found[1]) for line in file.metadata if (found := _LANGUAGE.match(line)))
    title = clean(file.header_text).strip(_HEADER_DASH)
    n_lost = len(_ARROW.findall(text)) - len(file.captions)
    if n_lost > 0:
        notes = [*notes, f"{counted(n_lost, 'broken cue')} could not be read"]
    return Transcript(
        title, "webvtt", _labelled(cues), next(languages, None), _marked(text), notes=tuple(notes)
    )


def _marked(text: str) -> tuple[Chapter, ...]:
    """Chapters that comments tell, ``NOTE Chapter: Title``; each begins with the next cue."""
    found = ((clean(mark["title"]), _FIRST_TIME.search(text, mark.end())) for mark in _MARK.finditer(text))
    return tuple(
        Chapter(title, clock_seconds(following["clock"])) for title, following in found if following and title
    )


def _voiced(captions: list[webvtt.Caption], blocks: list[str]) -> Iterator[Cue]:
    speaker: str | None = None
    for caption, block in zip(captions, blocks, strict=True):
        start_s = caption.start_time.in_milliseconds() / 1000
        end_s = caption.end_time.in_milliseconds() / 1000
        parts = _VOICE.split(block)
        for name, words in zip([None, *parts[1::2]], parts[::2], strict=True):
            speaker = (speaker_name(name) if name else None) or speaker
            if words.strip():
                yield Cue(clean(words), start_s, end_s, speaker)


def parse_srt(text: str) -> Transcript:
    """A SubRip file; ``Name:`` at the beginning of a cue holds until the next name.

    Raises:
        InputUnreadable: the file is not SubRip.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = pysubs2.SSAFile.from_string(text, format_="srt")
    except (pysubs2.exceptions.Pysubs2Error, ValueError, OverflowError) as error:
        raise InputUnreadable(f"broken SRT: {error}") from error
    blocks, notes = unrolled([event.plaintext for event in file])
    cues = tuple(
        Cue(clean(block), event.start / 1000, event.end / 1000)
        for event, block in zip(file, blocks, strict=True)
    )
    return Transcript("", "srt", _labelled(cues), notes=tuple(notes))


def unrolled(blocks: Sequence[str]) -> tuple[list[str], list[str]]:
    r"""Captions that roll, each beginning with the lines of the one before, without those lines; and a note.

    >>> unrolled(["one", "one\ntwo", "two\nthree"])[0]
    ['one', 'two', 'three']
    """
    lines = [[clean(line) for line in block.split("\n") if line.strip()] for block in blocks]
    rolled = [_n_rolled(before, after) for before, after in pairwise(lines)]
    # A caption that says the same and no more is a repeat, which is no sign of rolling.
    n_rolled = sum(0 < n < len(after) for n, after in zip(rolled, lines[1:], strict=True))
    if n_rolled < max(2, _MIN_ROLLED_SHARE * len(blocks)):
        return list(blocks), []
    kept = [
        "\n".join([line for line in block.split("\n") if line.strip()][n:])
        for block, n in zip(blocks, [0, *rolled], strict=True)
    ]
    return kept, [f"lines that {counted(n_rolled, 'rolling caption')} repeated left out"]


def _n_rolled(before: list[str], after: list[str]) -> int:
    """How many lines at the beginning of a caption are the last of the one before."""
    longest = min(len(before), len(after))
    return next((n for n in range(longest, 0, -1) if before[-n:] == after[:n]), 0)


def _labelled(cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Speakers from labels in the text, where no voice tag names any."""
    if any(cue.speaker for cue in cues):
        return cues
    labels = speaker_labels([cue.text for cue in cues])
    labelled, speaker = [], None
    for cue in cues:
        found, words = split_label(cue.text, labels)
        speaker = found or speaker
        labelled.append(Cue(words, cue.start_s, cue.end_s, speaker))
    return tuple(labelled)
