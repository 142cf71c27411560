"""Chapters of a recording, as files beside it tell them: Podcasting 2.0's JSON and WebVTT of kind chapters."""

import json
from collections.abc import Iterable
from typing import Any

import regex

from rejoinder.corpus.transcripts.decoding import decode_text
from rejoinder.corpus.transcripts.pieces import clean
from rejoinder.corpus.transcripts.times import as_seconds, clock_seconds
from rejoinder.corpus.values import Chapter
from rejoinder.errors import InputUnreadable

_MAX_TITLE_CHARS = 300
_VTT_CHAPTER = regex.compile(r"(?m)^[^\S\n]*(?P<clock>[\d:.]{5,20}+)[^\S\n]*-->[^\n]*\n(?P<title>[^\n]+)")


def parse_chapters(data: bytes) -> tuple[Chapter, ...]:
    """The chapters of a file, in order of their seconds; those hidden from the list of contents are left out.

    Raises:
        InputUnreadable: the file is neither Podcasting 2.0 JSON nor WebVTT, or has no chapter in it.

    Source: the podcast namespace's "JSON Chapters Format", version 1.2; WebVTT, "chapter text tracks".

    >>> parse_chapters(b'{"version": "1.2.0", "chapters": [{"startTime": 168, "title": "Hearing Aids"}]}')
    (Chapter(title='Hearing Aids', start_s=168.0, first_cue=None),)
    """
    text = decode_text(data)
    found = _of_vtt(text) if text.lstrip().startswith("WEBVTT") else chapters_of(_document(text))
    if not found:
        raise InputUnreadable("no chapters in it")
    return found


def chapters_of(document: Any) -> tuple[Chapter, ...]:
    """The chapters in a JSON document; none where it has no list of them.

    >>> chapters_of({"chapters": [{"startTime": 9, "title": "B"}, {"startTime": 0}, {"title": "C"}]})
    (Chapter(title='B', start_s=9.0, first_cue=None),)
    """
    entries = document.get("chapters") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return ()
    return _in_order(_chapter(entry) for entry in entries if isinstance(entry, dict))


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputUnreadable(f"broken JSON: {error}") from error


def _chapter(entry: dict[str, Any]) -> Chapter | None:
    starts = (as_seconds(entry.get(name)) for name in ("startTime", "start", "start_s"))
    start_s = next((second for second in starts if second is not None), None)
    title = entry.get("title")
    # The format's "toc": false marks a chapter that only changes the picture.
    if start_s is None or not isinstance(title, str) or entry.get("toc") is False:
        return None
    return Chapter(clean(title)[:_MAX_TITLE_CHARS], start_s)


def _of_vtt(text: str) -> tuple[Chapter, ...]:
    return _in_order(
        Chapter(clean(found["title"])[:_MAX_TITLE_CHARS], start_s)
        for found in _VTT_CHAPTER.finditer(text)
        if (start_s := clock_seconds(found["clock"])) is not None
    )


def _in_order(chapters: Iterable[Chapter | None]) -> tuple[Chapter, ...]:
    titled = [chapter for chapter in chapters if chapter and chapter.title]
    return tuple(sorted(titled, key=lambda chapter: chapter.start_s or 0.0))
