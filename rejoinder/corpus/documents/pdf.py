"""PDF files by pypdf: paragraphs over line and page breaks, without the lines that stand on every page."""

import io
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import regex
from pypdf import PdfReader
from pypdf.errors import DependencyError, PyPdfError

from rejoinder.corpus.documents.blocks import Block, Properties, as_transcript
from rejoinder.corpus.transcripts.pieces import clean, counted
from rejoinder.corpus.values import Transcript
from rejoinder.errors import InputUnreadable

MAX_PAGES = 5000
# What pypdf lets out over files that are not as they should be, beside its own errors.
_BROKEN = (
    PyPdfError, DependencyError, ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError,
    OSError, RecursionError, NotImplementedError,
)  # fmt: skip
# How many lines at a page's head and foot can belong to every page, and on what share of the pages.
_EDGE_LINES = 2
_MIN_SHARE_OF_PAGES = 0.6
_MIN_PAGES = 3
_DIGITS = regex.compile(r"\d+")
_PAGE_NUMBER = regex.compile(r"(?i)^\W*(?:page|seite|p\.)?\s*\d{1,4}\s*(?:(?:/|of|von|de)\s*\d{1,4})?\W*$")
_HYPHEN = regex.compile(r"(?<=\p{Ll})[-\u00ad\u2010]$")
_ENDS = regex.compile(r"[.!?…:;。！？]['\"”’)\]]*$")
_BULLET = regex.compile(r"^\s*(?:[•◦▪‣*–-]|\(?\d{1,2}[.)])\s+")
# A line much shorter than the usual ends its paragraph.
_SHORT_LINE_SHARE = 0.75


def parse_pdf(data: bytes) -> Transcript:
    """A PDF file: paragraphs, chapters from its outline.

    Raises:
        InputUnreadable: it needs a password, holds pictures of pages only, is broken or too long.
    """
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = _opened(data)
        pages = [page.extract_text() for page in reader.pages]
        outline, properties = _outline(reader), _properties(reader)
    except _BROKEN as error:
        raise InputUnreadable(f"broken PDF: {error or type(error).__name__}") from error
    n_empty = sum(not page.strip() for page in pages)
    if n_empty == len(pages):
        raise InputUnreadable(
            f"no text on its {counted(len(pages), 'page')}: scanned, so it needs text recognition (OCR) first"
        )
    lines, furniture = _without_furniture([page.split("\n") for page in pages])
    notes = [f"lines repeated on each page left out: {', '.join(furniture)}"] if furniture else []
    if n_empty:
        notes.append(f"{counted(n_empty, 'page')} without text passed over (pictures or scans)")
    return as_transcript("pdf", _blocks(lines, outline), properties, notes)


def _opened(data: bytes) -> PdfReader:
    reader = PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise InputUnreadable("encrypted: save it without its password first")
    if len(reader.pages) > MAX_PAGES:
        raise InputUnreadable(f"more than {MAX_PAGES:,} pages")
    return reader


def _properties(reader: PdfReader) -> Properties:
    about = reader.metadata
    root: Any = reader.trailer["/Root"]
    language = str(root.get("/Lang")) if isinstance(root.get("/Lang"), str) else None
    if about is None:
        return Properties(language=language)
    created = _created(about)
    return Properties(_shown(about.title), _shown(about.author) or None, language, None, created)


def _created(about: Any) -> str | None:
    try:
        return about.creation_date.isoformat() if about.creation_date else None
    except ValueError:
        return None


def _shown(value: object) -> str:
    # Word processors put the file's name where no title was given.
    text = clean(value) if isinstance(value, str) else ""
    return "" if text.casefold().endswith((".doc", ".docx", ".odt", ".tex", ".dvi")) else text


def _outline(reader: PdfReader) -> dict[int, list[tuple[str, int]]]:
    """Titles and levels of the outline's entries, by page."""
    found: dict[int, list[tuple[str, int]]] = {}
    waiting: list[tuple[Any, int]] = [(entry, 1) for entry in reversed(reader.outline)]
    while waiting:
        entry, level = waiting.pop()
        if isinstance(entry, list):
            waiting += [(inner, level + 1) for inner in reversed(entry)]
        elif (page := reader.get_destination_page_number(entry)) is not None and clean(str(entry.title)):
            found.setdefault(page, []).append((clean(str(entry.title)), min(level, 6)))
    return found


def _without_furniture(pages: Sequence[list[str]]) -> tuple[list[list[str]], list[str]]:
    """The pages' lines without running heads, feet and page numbers; and those, once each."""
    filled = [[line.rstrip() for line in page] for page in pages]
    edges = [_edges(page) for page in filled]
    n_pages = sum(any(line.strip() for line in page) for page in filled)
    counts = Counter(_key(page[i]) for page, places in zip(filled, edges, strict=True) for i in places)
    usual = {
        key
        for key, n in counts.items()
        if n_pages >= _MIN_PAGES and n >= _MIN_SHARE_OF_PAGES * n_pages and key
    }
    kept, furniture = [], dict[str, None]()
    for page, places in zip(filled, edges, strict=True):
        out = {i for i in places if _key(page[i]) in usual or _PAGE_NUMBER.match(page[i])}
        furniture.update({page[i].strip(): None for i in out if not _PAGE_NUMBER.match(page[i])})
        kept.append([line for i, line in enumerate(page) if i not in out])
    return kept, list(furniture)[:3]


def _edges(page: Sequence[str]) -> list[int]:
    places = [i for i, line in enumerate(page) if line.strip()]
    return sorted({*places[:_EDGE_LINES], *places[-_EDGE_LINES:]})


def _key(line: str) -> str:
    return _DIGITS.sub("0", " ".join(line.split()).casefold())


def _blocks(pages: Sequence[list[str]], outline: dict[int, list[tuple[str, int]]]) -> Iterator[Block]:
    """Paragraphs and headings; a paragraph goes on over a page's end unless it ended there."""
    usual = _usual_length(pages)
    held = ""
    for number, lines in enumerate(pages):
        titles = list(outline.get(number, ()))
        unseen = [title for title in titles if not any(_heading(line, [title]) for line in lines)]
        if unseen:
            yield Block(held)
            held = ""
            yield from (Block(*title) for title in unseen)
        for line in lines:
            heading = _heading(line, titles)
            if heading or not line.strip() or _BULLET.match(line):
                yield Block(held)
                held = ""
            if heading:
                titles.remove(heading)
                yield Block(*heading)
                continue
            held = _joined(held, line.strip())
            if _ends_paragraph(line, usual):
                yield Block(held)
                held = ""
    yield Block(held)


def _heading(line: str, titles: Sequence[tuple[str, int]]) -> tuple[str, int] | None:
    shown = _bare(line)
    return next((title for title in titles if shown and _bare(title[0]) == shown), None)


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalpha())


def _usual_length(pages: Sequence[list[str]]) -> int:
    lengths = sorted(len(line.strip()) for page in pages for line in page if line.strip())
    return lengths[len(lengths) * 3 // 4] if lengths else 0


def _ends_paragraph(line: str, usual: int) -> bool:
    return len(line.strip()) < _SHORT_LINE_SHARE * usual and _ENDS.search(line.strip()) is not None


def _joined(held: str, line: str) -> str:
    if held and _HYPHEN.search(held) and line[:1].islower():
        return held[:-1] + line
    return f"{held} {line}".strip()
