"""Podcast and news feeds, RSS 2.0, RSS 1.0 and Atom: which sources they name."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import regex
from lxml import etree

from rejoinder.corpus.documents.blocks import as_utc
from rejoinder.corpus.transcripts.decoding import decode_text
from rejoinder.corpus.transcripts.html_page import looks_like_html
from rejoinder.corpus.transcripts.pieces import clean
from rejoinder.errors import InputUnreadable
from rejoinder.text.language_codes import language_code
from rejoinder.text.public_urls import public_url

LARGEST_FEED_BYTES = 32 * 2**20
MAX_ITEMS = 20_000
_MAX_TITLE_CHARS = 500
_XML = "{http://www.w3.org/XML/1998/namespace}"
_ROOTS = ("rss", "rdf", "feed")
_DECLARATION = regex.compile(r"\A\s*<\?xml[^>]{0,300}\?>")
# How far text may stand before the first element: some servers send blank lines or comments first.
_FIRST_ELEMENT = regex.compile(r"<(?![?!])")


@dataclass(frozen=True, slots=True)
class TranscriptLink:
    """A transcript of an episode: its address, and what the feed says of it.

    media_type is lower case without parameters, language an ISO 639-1 code; is_captions says that the feed calls
    it captions, which have times for sure.
    """

    url: str
    media_type: str | None = None
    language: str | None = None
    is_captions: bool = False


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An episode or an article.

    guid is what the feed calls it, else its address; url is its page, enclosure_url its recording; published_at is
    an aware UTC time. All addresses are absolute, of HTTP or HTTPS.
    """

    title: str
    guid: str
    url: str | None = None
    published_at: datetime | None = None
    transcripts: tuple[TranscriptLink, ...] = ()
    chapters_url: str | None = None
    enclosure_url: str | None = None
    enclosure_type: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed with its items in the feed's order; notes say what was odd about it."""

    title: str
    items: tuple[FeedItem, ...]
    url: str | None = None
    language: str | None = None
    notes: tuple[str, ...] = ()


def parse_feed(data: bytes, *, url: str) -> Feed:
    """Read a feed, whatever type its server said it has; one that breaks off gives its whole items.

    No entity is expanded, no DTD and nothing else is fetched.

    Args:
        data: the feed's bytes.
        url: where it came from: relative addresses are completed with it.

    Raises:
        InputUnreadable: it is no feed; the message says what it is.
    """
    if len(data) > LARGEST_FEED_BYTES:
        raise InputUnreadable(f"a feed of more than {LARGEST_FEED_BYTES // 2**20} MiB")
    root, notes = _root(data)
    base = _base(root, url)
    channel = next((element for element in root if _name(element) == "channel"), root)
    language = language_code(_words(channel, "language") or root.get(_XML + "lang"))
    entries = [element for element in root.iter() if _name(element) in ("item", "entry")]
    if len(entries) > MAX_ITEMS:
        notes.append(f"only the first {MAX_ITEMS:,} of its {len(entries):,} items are read")
    items = tuple(
        item for entry in entries[:MAX_ITEMS] if (item := _item(entry, base=base, language=language))
    )
    return Feed(
        _words(channel, "title")[:_MAX_TITLE_CHARS], items, _page(channel, base), language, tuple(notes)
    )


def _root(data: bytes) -> tuple[Any, list[str]]:
    """The feed's root element, and whether it had to be mended."""
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        encoding="utf-8",
    )
    # Decoded by us: what a feed says of its encoding is wrong too often.
    text = _DECLARATION.sub("", decode_text(data)).lstrip()
    first = _FIRST_ELEMENT.search(text)
    try:
        root = etree.fromstring(text[first.start() if first else 0 :].encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError) as error:
        raise InputUnreadable(f"not a feed: {error}") from error
    if root is None or _name(root) not in _ROOTS:
        _refuse(text, root)
    return root, ["the feed is broken or breaks off: read as far as possible"] if len(
        parser.error_log
    ) else []


def _refuse(text: str, root: Any) -> None:
    if looks_like_html(text) or (root is not None and _name(root) == "html"):
        raise InputUnreadable("a web page, not a feed: look there for the feed's own address")
    raise InputUnreadable("not a feed: neither RSS nor Atom")


def _item(entry: Any, *, base: str, language: str | None) -> FeedItem | None:
    base = urljoin(base, entry.get(_XML + "base") or "")
    page, enclosure = _page(entry, base), _enclosure(entry)
    recording = None if enclosure is None else _absolute(base, enclosure.get("url") or enclosure.get("href"))
    guid = _words(entry, "guid", "id") or page or recording
    if not guid:
        return None
    return FeedItem(
        title=_words(entry, "title")[:_MAX_TITLE_CHARS] or (public_url(guid) if "://" in guid else guid),
        guid=guid,
        url=page or (_absolute(base, guid) if guid.startswith(("http:", "https:")) else None),
        published_at=_time(_words(entry, "pubdate", "published", "date", "updated", "issued")),
        transcripts=tuple(_transcripts(entry, base, language)),
        chapters_url=_first_address(entry, "chapters", base),
        enclosure_url=recording,
        enclosure_type=None if enclosure is None else _media_type(enclosure.get("type")),
        language=language_code(_words(entry, "language") or entry.get(_XML + "lang")) or language,
    )


def _transcripts(entry: Any, base: str, language: str | None) -> Iterator[TranscriptLink]:
    seen: set[str] = set()
    for element in _children(entry, "transcript"):
        url = _absolute(base, element.get("url"))
        if url is None or url in seen:
            continue
        seen.add(url)
        said = language_code(element.get("language")) or language
        is_captions = (element.get("rel") or "").casefold() == "captions"
        yield TranscriptLink(url, _media_type(element.get("type")), said, is_captions)


def _first_address(entry: Any, name: str, base: str) -> str | None:
    found = (_absolute(base, child.get("url")) for child in _children(entry, name))
    return next((address for address in found if address), None)


def _enclosure(entry: Any) -> Any:
    """RSS's enclosure, or Atom's link that is one; None without any."""
    links = (link for link in _children(entry, "link") if link.get("rel") == "enclosure")
    return next(iter([*_children(entry, "enclosure"), *links]), None)


def _page(element: Any, base: str) -> str | None:
    """The address of the page: RSS writes it as text, Atom in an attribute."""
    for link in _children(element, "link"):
        if link.get("rel", "alternate") == "alternate":
            found = _absolute(base, link.get("href") or link.text)
            if found:
                return found
    return None


def _base(root: Any, url: str) -> str:
    return urljoin(url, str(root.get(_XML + "base") or ""))


def _absolute(base: str, address: str | None) -> str | None:
    """An absolute address of HTTP or HTTPS; None for anything else."""
    try:
        whole = urljoin(base, (address or "").strip())
        parts = urlsplit(whole)
    except ValueError:
        return None
    return whole if address and parts.scheme in ("http", "https") and parts.hostname else None


def _media_type(value: str | None) -> str | None:
    return (value or "").split(";")[0].strip().casefold() or None


def _time(stamp: str) -> datetime | None:
    """A time as RSS (RFC 2822) or Atom (ISO 8601) writes it, in UTC."""
    try:
        found = parsedate_to_datetime(stamp)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return as_utc(stamp)


def _words(element: Any, *names: str) -> str:
    """The text of the first child of any of the names, in the order of the names."""
    texts = (clean("".join(child.itertext())) for name in names for child in _children(element, name))
    return next((text for text in texts if text), "")


def _children(element: Any, name: str) -> list[Any]:
    return [child for child in element if _name(child) == name]


def _name(element: Any) -> str:
    """An element's name without its namespace: feeds declare those wrongly, or not at all."""
    tag: object = element.tag
    return tag.rsplit("}", 1)[-1].rsplit(":", 1)[-1].casefold() if isinstance(tag, str) else ""
