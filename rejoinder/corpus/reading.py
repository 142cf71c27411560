"""The way in for every source: bytes to a transcript, what they are told from themselves."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from importlib import import_module

import regex

from rejoinder.corpus.source_language import detect_language
from rejoinder.corpus.transcripts.cleaning import clean_transcript
from rejoinder.corpus.transcripts.decoding import decode
from rejoinder.corpus.transcripts.html_page import looks_like_html
from rejoinder.corpus.transcripts.plain_text import parse_plain_text
from rejoinder.corpus.transcripts.read import refuse_unprintable, title_from_name, transcript_parser
from rejoinder.corpus.values import Transcript
from rejoinder.errors import InputUnreadable

_PDF_WITHIN_BYTES = 1024
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_XML = regex.compile(
    r"\A\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--(?:(?!-->).){0,2000}-->\s*)*<(?P<root>[\w:.-]+)", regex.DOTALL
)
_FEED_ROOTS = ("rss", "feed", "rdf:RDF")
_MARKDOWN_NAME = regex.compile(r"(?i)\.(?:md|markdown|mdx)$")


class Kind(StrEnum):
    """What a file is, as far as it matters for reading it."""

    PDF = "pdf"
    DOCX = "docx"
    HTML = "html"
    TEXT = "text"


def read_source(name: str, data: bytes, *, media_type: str | None = None) -> Transcript:
    """Read one source of any kind: a transcript in any shape, a web page, Markdown, PDF or Word.

    What it is is told from the bytes; the name and the media type only decide between Markdown and plain
    prose. Files may lie about their kind, break off or be damaged: what can be read is, and notes say what
    was cleaned. A hostile file can take long or much memory, so call this in a process that may be ended.

    Args:
        name: the file's name; the title where the content has none.
        data: the file's bytes.
        media_type: what a server said it is, for instance ``text/markdown; charset=utf-8``.

    Raises:
        InputUnreadable: nothing can be read; the message is the reason.

    >>> read_source("talk.pdf", b"0:01 Ada: Hello there.").cues
    (Cue(text='Hello there.', start_s=1.0, end_s=None, speaker='Ada'),)
    """
    parsed = _parse(name, data, media_type)
    language = parsed.language or detect_language(parsed.cues)
    return replace(parsed, title=parsed.title or title_from_name(name), language=language)


def load_parser(kind: Kind) -> None:
    """Load what reads this kind, so that a broken installation shows before any file is looked at.

    Raises:
        ImportError: a library is missing or broken.
    """
    modules = {
        Kind.PDF: ("rejoinder.corpus.documents.pdf",),
        Kind.DOCX: ("rejoinder.corpus.documents.docx", "mammoth"),
        Kind.HTML: ("rejoinder.corpus.documents.html", "trafilatura"),
        Kind.TEXT: ("rejoinder.corpus.documents.markdown",),
    }
    for name in modules[kind]:
        import_module(name)


def kind_of(data: bytes) -> Kind:
    """What the bytes are, by their first ones.

    Raises:
        InputUnreadable: an archive or an old Word file that can't be read.

    >>> kind_of(b"%PDF-1.7"), kind_of(b"WEBVTT")
    (<Kind.PDF: 'pdf'>, <Kind.TEXT: 'text'>)
    """
    head = data[:_PDF_WITHIN_BYTES]
    if b"%PDF-" in head and not head.lstrip()[:1].isalpha():
        return Kind.PDF
    if head.startswith(_OLE):
        raise InputUnreadable("an old or an encrypted Office file: save it as DOCX without a password first")
    if head.startswith(_ZIP):
        return _kind_of_archive(data)
    is_page = looks_like_html(head.decode("latin-1").replace("\x00", "").lstrip("ï»¿þÿ"))
    return Kind.HTML if is_page else Kind.TEXT


def _kind_of_archive(data: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise InputUnreadable(f"a broken archive: {error}") from error
    if "[Content_Types].xml" in names and any(name.startswith("word/") for name in names):
        return Kind.DOCX
    raise InputUnreadable("an archive that is no Word document: unpack it and give the files in it")


def _parse(name: str, data: bytes, media_type: str | None) -> Transcript:
    kind = kind_of(data)
    if kind is Kind.PDF:
        from rejoinder.corpus.documents.pdf import parse_pdf

        return clean_transcript(parse_pdf(data))
    if kind is Kind.DOCX:
        from rejoinder.corpus.documents.docx import parse_docx

        return clean_transcript(parse_docx(data))
    text, notes = decode(data)
    refuse_unprintable(text)
    is_named_markdown = "markdown" in (media_type or "") or _MARKDOWN_NAME.search(name) is not None
    parsed = clean_transcript(_text_parser(text, is_named_markdown=is_named_markdown)(text))
    return replace(parsed, notes=(*notes, *parsed.notes))


def _text_parser(text: str, *, is_named_markdown: bool) -> Callable[[str], Transcript]:
    """The parser for what a text looks like.

    Raises:
        InputUnreadable: it is XML that is no source.
    """
    from rejoinder.corpus.documents.html import parse_page
    from rejoinder.corpus.documents.markdown import looks_like_document, parse_document

    if parser := transcript_parser(text):
        return parser
    if looks_like_html(text):
        return parse_page
    if found := _XML.match(text):
        _refuse_xml(found["root"])
    if is_named_markdown or looks_like_document(text):
        return parse_document
    return parse_plain_text


def _refuse_xml(root: str) -> None:
    if root in _FEED_ROOTS:
        raise InputUnreadable("a feed, not a source: its episodes are read when it is given as a feed")
    raise InputUnreadable(f"XML of a kind that isn't known (<{root}>)")
