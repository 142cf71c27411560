"""The way in: a file's name and bytes to a transcript, its format told from its content."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath

import regex

from rejoinder.corpus.transcripts.cleaning import clean_transcript
from rejoinder.corpus.transcripts.decoding import decode
from rejoinder.corpus.transcripts.html_page import is_html_transcript, looks_like_html, parse_html
from rejoinder.corpus.transcripts.json_segments import looks_like_json, parse_json
from rejoinder.corpus.transcripts.markdown import looks_like_markdown, parse_markdown
from rejoinder.corpus.transcripts.plain_text import is_spoken, parse_plain_text
from rejoinder.corpus.transcripts.subtitles import has_cue_times, parse_srt, parse_webvtt
from rejoinder.corpus.values import Transcript
from rejoinder.errors import InputUnreadable

_SRT_TIMES = regex.compile(r"(?m)^[^\S\n]*\d+:\d{1,2}:\d{1,2},\d{1,3}[^\S\n]*-->")
_EXTENSIONS = regex.compile(
    r"(?i)(?:\.(?:vtt|srt|txt|md|markdown|json|x?html?|pdf|docx|mp3|mp4|m4a|wav|words|transcript|whisper|en|en-us))+$"
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
    text, notes = decode(data)
    refuse_unprintable(text)
    parsed = clean_transcript((transcript_parser(text) or parse_plain_text)(text))
    return replace(parsed, title=parsed.title or title_from_name(name), notes=(*notes, *parsed.notes))


def refuse_unprintable(text: str) -> None:
    """Let only text pass.

    Raises:
        InputUnreadable: it is bytes of something else that happen to decode.
    """
    if len(_NOT_PRINTABLE.findall(text)) > len(text) * _MAX_UNPRINTABLE_SHARE:
        raise InputUnreadable("the file is not text: too many characters that can't be printed")


def title_from_name(name: str) -> str:
    """A file's name as a title: no folder, no extension, words apart.

    >>> title_from_name("shows/10-tools-for-thought.vtt")
    '10 tools for thought'
    """
    stem = _EXTENSIONS.sub("", PurePath(name.replace("\\", "/")).name)
    words = regex.sub(r"[\s_-]+", " ", stem).strip() or "untitled"
    return words[0].upper() + words[1:]


def transcript_parser(text: str) -> Callable[[str], Transcript] | None:
    """The parser for a text that looks like a transcript; None for one that may be any prose."""
    if text.lstrip().startswith("WEBVTT"):
        return parse_webvtt
    if looks_like_json(text):
        return parse_json
    if has_cue_times(text):
        return parse_srt if _SRT_TIMES.search(text) else parse_webvtt
    if looks_like_html(text):
        return parse_html if is_html_transcript(text) else None
    if looks_like_markdown(text):
        return parse_markdown
    return parse_plain_text if is_spoken(text.split("\n")) else None
