"""HTML transcripts of the podcast namespace: ``<cite>Ada:</cite> <time>0:15</time> <p>words</p>``."""

from html.parser import HTMLParser

import regex

from rejoinder.corpus.transcripts.plain_text import parse_plain_text
from rejoinder.corpus.values import Transcript

_START = regex.compile(r"(?i)\s*(?:<!doctype html|<html|<head|<body|<cite|<time|<div|<p[\s>])")
_HIDDEN = ("script", "style", "head", "title")
_BLOCKS = ("p", "div", "br", "li", "h1", "h2", "h3", "section", "article", "tr")


class _Lines(HTMLParser):
    """Collects text line by line; a name and its time are written as ``Ada (0:15):``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        if tag in (*_BLOCKS, "cite"):
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            del self._inside[len(self._inside) - 1 - self._inside[::-1].index(tag) :]
        if tag in _BLOCKS:
            self.pieces.append("\n\n")

    def handle_data(self, data: str) -> None:
        if any(tag in self._inside for tag in _HIDDEN):
            return
        text = " ".join(data.split())
        if "cite" in self._inside:
            text = text.rstrip(": ")
        elif "time" in self._inside:
            text = f" ({text}): "
        self.pieces.append(text)


def looks_like_html(text: str) -> bool:
    """Whether the text begins as an HTML page or as a piece of one."""
    return _START.match(text) is not None


def is_html_transcript(text: str) -> bool:
    """Whether a page is a transcript of the podcast namespace: names in ``<cite>``, times in ``<time>``."""
    return "<cite" in text and "<time" in text


def parse_html(text: str) -> Transcript:
    """An HTML transcript, read as the plain text that it shows."""
    lines = _Lines()
    lines.feed(text)
    lines.close()
    return Transcript("", "html", parse_plain_text("".join(lines.pieces)).cues)
