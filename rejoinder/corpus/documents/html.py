"""Web pages: the article without what stands around it, by trafilatura; what the page says of itself."""

from collections.abc import Iterator
from typing import Any

import regex
from lxml import etree
from lxml import html as lxml_html

from rejoinder.corpus.documents.blocks import Block, Properties, as_transcript, left_out
from rejoinder.corpus.values import Transcript
from rejoinder.errors import InputUnreadable
from rejoinder.text.word_lists import word_set

_HIDDEN = (
    "script", "style", "noscript", "template", "svg", "iframe", "object", "nav", "footer", "form", "head", "pre",
    "aside", "button", "select", "textarea",
)  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INLINE = word_set(
    "a abbr b bdi bdo cite code data del dfn em font i ins kbd label mark q s samp small span strong sub sup "
    "time tt u var wbr"
)
_PUBLISHED = (
    "//meta[@property='article:published_time']/@content",
    "//meta[@itemprop='datePublished']/@content",
    "//*[@itemprop='datePublished']/@datetime",
    "//meta[@name='date' or @name='pubdate' or @name='dcterms.date' or @name='DC.date']/@content",
    "//article//time[@datetime][1]/@datetime",
)
_LANGUAGES = (
    "/html/@lang",
    "/html/@*[local-name()='lang']",
    "//meta[@http-equiv='content-language']/@content",
)
_CANONICAL = ("//link[@rel='canonical']/@href", "//meta[@property='og:url']/@content")
_NOT_OF_XML = regex.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ABSOLUTE = regex.compile(r"(?i)^https?://[^\s/]+")
_DATE_PUBLISHED = regex.compile(r'"datePublished"\s*:\s*"([^"\\\s]{4,40})"')
# trafilatura takes dates up to today unless it is told otherwise; the domain has no clock.
_DATES = {"extensive_search": False, "original_date": True, "max_date": "2100-01-01"}
# The extractor is made for articles; where it finds next to nothing a page is taken as it stands.
_MIN_ARTICLE_CHARS = 100


def parse_page(text: str) -> Transcript:
    """A web page: the words of its article, headings as chapters; scripts, styles, menus and code are out.

    Raises:
        InputUnreadable: the page shows no text.
    """
    tree = parse_tree(text)
    article = _article(text)
    blocks = [] if article is None or article.body is None else list(_article_blocks(article.body))
    if sum(len(block.text) for block in blocks) < _MIN_ARTICLE_CHARS:
        blocks = list(shown_blocks(tree))
    notes = left_out(int(tree.xpath("count(//pre)")), "code block")
    return as_transcript("html_document", blocks, _properties(tree, article, text), notes)


def parse_tree(text: str) -> Any:
    """A page as a tree of lxml, without comments; nothing that it names is fetched.

    Raises:
        InputUnreadable: there is no page in the text.
    """
    parser = lxml_html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        return lxml_html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise InputUnreadable(f"broken HTML: {error}") from error


def _article(text: str) -> Any:
    """What trafilatura makes of the page; None where it makes nothing."""
    from trafilatura import bare_extraction

    try:
        return bare_extraction(
            text, with_metadata=True, include_comments=False, date_extraction_params=_DATES
        )
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError, etree.LxmlError):
        # It means to raise nothing and does on odd trees; what the page shows is still there.
        return None


def _article_blocks(body: Any) -> Iterator[Block]:
    """The extractor's own elements: heads, paragraphs, lists, tables, quotes; blocks of code are passed over."""
    for element in body:
        if element.tag == "head":
            yield Block(_text(element), _HEADINGS.get(element.get("rend", ""), 2))
        elif element.tag == "table":
            yield from (Block(", ".join(_cells(row))) for row in element.iter("row"))
        elif element.tag in ("list", "quote") and len(element):
            yield Block(element.text or "")
            yield from _article_blocks(element)
        elif element.tag != "code":
            yield Block(_text(element))
        if element.tail and element.tail.strip():
            yield Block(element.tail)


def _cells(row: Any) -> list[str]:
    return [text for cell in row.iter("cell") if (text := _text(cell).strip())]


def _text(element: Any) -> str:
    return "".join(element.itertext())


def shown_blocks(tree: Any) -> Iterator[Block]:
    """All that a page shows, a block for each element that begins a new line and for each row of a table.

    Args:
        tree: of lxml; hidden elements are taken out of it.
    """
    etree.strip_elements(tree, *_HIDDEN, with_tail=False)
    for row in list(tree.iter("tr")):
        cells = [words for cell in row.iter("td", "th") if (words := " ".join(_text(cell).split()))]
        tail = row.tail
        row.clear()
        row.text, row.tail = _storable(", ".join(cells)), _storable(tail or "")
    pieces: list[str] = []
    level = 0
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        if element.tag not in _INLINE:
            yield Block("".join(pieces), level)
            pieces = []
            level = _HEADINGS.get(element.tag, 0) if event == "start" else 0
        pieces.append((element.text if event == "start" else element.tail) or "")


def _storable(text: str) -> str:
    """The text without what lxml reads but does not write: control characters and non-characters of XML 1.0."""
    return _NOT_OF_XML.sub("", text)


def _properties(tree: Any, article: Any, text: str) -> Properties:
    found = {name: getattr(article, name, None) for name in ("title", "author", "date")}
    in_data = _DATE_PUBLISHED.search(text)
    return Properties(
        title=_title(tree, found["title"] or ""),
        author=", ".join(name.strip() for name in (found["author"] or "").split(";") if name.strip()) or None,
        language=_first(tree, _LANGUAGES),
        url=next((url for url in _all(tree, _CANONICAL) if _ABSOLUTE.match(url)), None),
        published=_first(tree, _PUBLISHED) or (in_data[1] if in_data else None) or found["date"],
    )


def _title(tree: Any, found: str) -> str:
    """The extractor's title where the page's own has it; else it took a heading of something else."""
    own = " ".join((tree.findtext(".//title") or "").split())
    return found if found and (not own or found.casefold() in own.casefold()) else own


def _first(tree: Any, paths: tuple[str, ...]) -> str | None:
    return next(_all(tree, paths), None)


def _all(tree: Any, paths: tuple[str, ...]) -> Iterator[str]:
    return (str(value).strip() for path in paths for value in tree.xpath(path) if str(value).strip())
