"""The way in: a file's name and bytes to a transcript, its format told from its content."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePath

import regex

from rejoinder.corpus.transcripts.decoding import decode_text
from rejoinder.corpus.transcripts.html_page import looks_like_html, parse_html
from rejoinder.corpus.transcripts.json_segments import looks_like_json, parse_json
from rejoinder.corpus.transcripts.markdown import looks_like_markdown, parse_markdown
from rejoinder.corpus.transcripts.pieces import has_speech
from rejoinder.corpus.transcripts.plain_text import parse_plain_text
from rejoinder.corpus.transcripts.subtitles import has_cue_times, parse_srt, parse_webvtt
from rejoinder.corpus.transcripts.times import in_order
from rejoinder.corpus.values import Cue, Transcript
from rejoinder.errors import InputUnreadable

_SRT_TIMES = regex.compile(r"(?m)^[^\S\n]*\d+:\d{1,2}:\d{1,2},\d{1,3}[^\S\n]*-->")
_EXTENSIONS = regex.compile(
    r"(?i)(?:\.(?:vtt|srt|txt|md|markdown|json|html?|mp3|mp4|m4a|wav|words|transcript|whisper|en|en-us))+$"
)
_NOT_PRINTABLE = regex.compile(r"[\p{Cc}\p{Cn}\p{Co}\ufffd--[\t\n\x0b\x0c]]", regex.VERSION1)
_MAX_UNPRINTABLE_SHARE = 0.05


def parse_transcript(name: str, data: bytes) -> Transcript:
    """Read one transcript file of any shape that this package knows.

    The format is told from the content, so a wrong extension does no harm; encodings are detected.
    A file that breaks off keeps what can be read. Starts never decrease; a cue without an end
    takes the start of the next.

    Args:
        name: the file's name; the title where the content has none.
        data: the file's bytes.

    Raises:
        InputUnreadable: nothing can be read; the message is the reason.

    >>> parse_transcript("talk.txt", b"0:01 Hello there.").cues
    (Cue(text='Hello there.', start_s=1.0, end_s=None, speaker=None),)
    """
    text = decode_text(data)
    if len(_NOT_PRINTABLE.findall(text)) > len(text) * _MAX_UNPRINTABLE_SHARE:
        raise InputUnreadable("the file is not text: too many characters that can't be printed")
    parsed = _parser_for(text)(text)
    spoken = [cue for cue in parsed.cues if has_speech(cue.text)]
    if not spoken:
        raise InputUnreadable("no speech in it" if parsed.cues else "no cue could be read")
    return replace(parsed, title=parsed.title or title_from_name(name), cues=tuple(_in_time(spoken)))


def title_from_name(name: str) -> str:
    """A file's name as a title: no folder, no extension, words apart.

    >>> title_from_name("shows/10-tools-for-thought.vtt")
    '10 tools for thought'
    """
    stem = _EXTENSIONS.sub("", PurePath(name.replace("\\", "/")).name)
    words = regex.sub(r"[\s_-]+", " ", stem).strip() or "untitled"
    return words[0].upper() + words[1:]


def _parser_for(text: str) -> Callable[[str], Transcript]:
    """The parser for what the text looks like."""
    if text.lstrip().startswith("WEBVTT"):
        return parse_webvtt
    if looks_like_json(text):
        return parse_json
    if has_cue_times(text):
        return parse_srt if _SRT_TIMES.search(text) else parse_webvtt
    if looks_like_html(text):
        return parse_html
    return parse_markdown if looks_like_markdown(text) else parse_plain_text


def _in_time(cues: list[Cue]) -> Iterator[Cue]:
    """Starts in order, ends never before starts, the second of two identical cues left out."""
    starts = in_order([cue.start_s for cue in cues])
    latest: float | None = None
    next_starts = _next_known(starts)
    for position, (cue, start_s) in enumerate(zip(cues, starts, strict=True)):
        latest = start_s = latest if start_s is None else start_s
        if position and cue.text == cues[position - 1].text and len(cue.text.split()) > 3:
            continue
        end_s = cue.end_s if cue.end_s is not None else next_starts[position]
        is_backward = start_s is None or end_s is None or end_s < start_s
        yield replace(cue, start_s=start_s, end_s=start_s if is_backward and end_s is not None else end_s)


def _next_known(starts: list[float | None]) -> list[float | None]:
    """For each position the first start behind it that is known."""
    following: list[float | None] = []
    upcoming: float | None = None
    for start_s in reversed(starts):
        following.append(upcoming)
        upcoming = start_s if start_s is not None else upcoming
    return following[::-1]
