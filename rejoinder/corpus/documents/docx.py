"""Word documents (DOCX) by mammoth: headings as chapters, footnotes, no deleted text."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.parsers.expat import ExpatError

from lxml import etree

from rejoinder.corpus.documents.blocks import Block, Properties, as_transcript
from rejoinder.corpus.documents.html import parse_tree, shown_blocks
from rejoinder.corpus.values import Transcript
from rejoinder.errors import InputUnreadable

# A novel of 1,000 pages has some 10 MiB of words and marks.
LARGEST_PART_BYTES = 32 * 2**20
LARGEST_TOTAL_BYTES = 64 * 2**20
MAX_PARTS = 5000
_CORE = "docProps/core.xml"
_DC = "{http://purl.org/dc/elements/1.1/}"
_TERMS = "{http://purl.org/dc/terms/}"
_BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, ExpatError, EOFError, NotImplementedError, RuntimeError,
    ValueError, LookupError, OSError, AttributeError, TypeError, etree.LxmlError,
)  # fmt: skip
_MARKS_OF_NOTES = "//sup[a[contains(@href, 'note-')]] | //a[contains(@href, 'note-ref')]"


def parse_docx(data: bytes) -> Transcript:
    """A Word document: a cue per paragraph and row of a table, a chapter per heading.

    Raises:
        InputUnreadable: it is no Word document, is broken, or unpacks to more than a document would.
    """
    import mammoth

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _refuse_bombs(archive)
            properties = _properties(archive)
        page = mammoth.convert_to_html(
            io.BytesIO(data), convert_image=_without_pictures, include_embedded_style_map=False
        )
    except _BROKEN as error:
        raise InputUnreadable(f"broken DOCX: {error or type(error).__name__}") from error
    return as_transcript("docx", _blocks(page.value), properties)


def _refuse_bombs(archive: zipfile.ZipFile) -> None:
    """Look at what the archive holds before anything of it is read; what lies about its size stops at that size.

    Raises:
        InputUnreadable: it is too much, or carries definitions that no Word document has.
    """
    parts = archive.infolist()
    texts = [part for part in parts if part.filename.endswith((".xml", ".rels"))]
    largest = max((part.file_size for part in texts), default=0)
    total = sum(part.file_size for part in texts)
    if len(parts) > MAX_PARTS or largest > LARGEST_PART_BYTES or total > LARGEST_TOTAL_BYTES:
        raise InputUnreadable(
            f"it unpacks to {len(parts):,} parts and {total / 2**20:,.0f} MiB of text: more than a document has"
        )
    for part in texts:
        if b"<!DOCTYPE" in archive.read(part).replace(b"\x00", b""):
            raise InputUnreadable("its XML defines entities, which no Word document does")


def _without_pictures(image: Any) -> list[Any]:
    del image
    return []


def _properties(archive: zipfile.ZipFile) -> Properties:
    if _CORE not in archive.namelist():
        return Properties()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    root = etree.fromstring(archive.read(_CORE), parser)
    if root is None:
        return Properties()
    title, author, language = (_value(root, _DC + name) for name in ("title", "creator", "language"))
    return Properties(title or "", author, language, None, _value(root, _TERMS + "created"))


def _value(root: Any, name: str) -> str | None:
    return (root.findtext(name) or "").strip() or None


def _blocks(page: str) -> Iterator[Block]:
    if not page.strip():
        raise InputUnreadable("no text in it")
    tree = parse_tree(page)
    for mark in tree.xpath(_MARKS_OF_NOTES):
        mark.drop_tree()
    return shown_blocks(tree)
