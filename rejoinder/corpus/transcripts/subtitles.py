"""WebVTT (webvtt-py) and SRT (pysubs2): cues with a first and a last second."""

import warnings
from collections.abc import Iterator

import pysubs2
import regex
import webvtt
from webvtt.errors import MalformedCaptionError, MalformedFileError

from rejoinder.corpus.transcripts.pieces import clean, speaker_labels, speaker_name, split_label
from rejoinder.corpus.values import Cue, Transcript
from rejoinder.errors import InputUnreadable

_VOICE = regex.compile(r"<v(?:\.[^\s>]*)?\s+([^>\n]+)>|</v>")
_LANGUAGE = regex.compile(r"(?i)^language:\s*([a-z]{2,3}(?:-[A-Za-z0-9]+)*)\s*$")
_HEADER_DASH = " -–—:\t"
_ARROW = regex.compile(r"(?m)^[^\S\n]*(?:\d+:)?\d{1,2}:\d{1,2}[.,]\d{1,3}[^\S\n]*-->")


def has_cue_times(text: str) -> bool:
    """Whether a line of the text is a cue's times, ``... --> ...``."""
    return _ARROW.search(text) is not None


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
    cues = tuple(_voiced(file.captions))
    languages = (found[1] for line in file.metadata if (found := _LANGUAGE.match(line)))
    title = clean(file.header_text).strip(_HEADER_DASH)
    return Transcript(title, "webvtt", _labelled(cues), next(languages, None))


def _voiced(captions: list[webvtt.Caption]) -> Iterator[Cue]:
    speaker: str | None = None
    for caption in captions:
        start_s = caption.start_time.in_milliseconds() / 1000
        end_s = caption.end_time.in_milliseconds() / 1000
        parts = _VOICE.split(caption.raw_text)
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
    cues = tuple(Cue(clean(event.plaintext), event.start / 1000, event.end / 1000) for event in file)
    return Transcript("", "srt", _labelled(cues))


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
