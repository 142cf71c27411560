"""A feed into requests: which items have a transcript, which of several is the best, what they are known by."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import regex

from rejoinder.corpus.feeds import Feed, FeedItem, TranscriptLink
from rejoinder.ids import sha256_hex
from rejoinder.text.public_urls import has_secret, public_url
from resources.store.ingestions import Request

LONGEST_NAME = 500
# Of one item; what a feed offers beyond is not tried.
MOST_ADDRESSES = 8
_LOOKED_AT_BYTES = 4096
# What may stand before the first element: a declaration, comments, a style sheet, a document type.
_FEED = regex.compile(
    r"\A[^<]{0,200}(?:<\?(?:(?!\?>).){0,500}\?>\s*|<!--(?:(?!-->).){0,2000}-->\s*|<!DOCTYPE[^<>]{0,500}>\s*)*"
    r"<(?:rss|feed|rdf:RDF)[\s>]",
    regex.DOTALL | regex.IGNORECASE,
)
# Best first: those with times and speakers, with times, with neither.
_KINDS = ("json", "vtt", "srt", "html", "text")
_BY_MEDIA_TYPE = {
    "application/json": "json",
    "text/json": "json",
    "text/vtt": "vtt",
    "application/srt": "srt",
    "application/x-subrip": "srt",
    "text/srt": "srt",
    "text/html": "html",
    "text/plain": "text",
}
_BY_SUFFIX = {".json": "json", ".vtt": "vtt", ".srt": "srt", ".html": "html", ".htm": "html", ".txt": "text"}


def looks_like_feed(data: bytes) -> bool:
    """Whether bytes begin as RSS or Atom does, whatever their server calls them.

    >>> looks_like_feed(b'<?xml version="1.0"?><rss version="2.0">'), looks_like_feed(b"<html>")
    (True, False)
    """
    head = data[:_LOOKED_AT_BYTES].decode("latin-1").replace("\x00", "").lstrip("ï»¿þÿ")
    return _FEED.match(head) is not None


def ranked_transcripts(item: FeedItem) -> list[TranscriptLink]:
    """Every transcript of an item, the one that says most first: in the item's own language, with times and speakers.

    >>> links = (TranscriptLink("https://p.example/1.txt"), TranscriptLink("https://p.example/1.vtt", "text/vtt"))
    >>> [link.url[-3:] for link in ranked_transcripts(FeedItem("One", "1", transcripts=links))]
    ['vtt', 'txt']
    """
    return sorted(item.transcripts, key=lambda link: _rank(link, item.language))


def _rank(link: TranscriptLink, language: str | None) -> tuple[bool, int, bool]:
    is_foreign = None not in (link.language, language) and link.language != language
    suffix = PurePosixPath(urlsplit(link.url).path).suffix.lower()
    kind = _BY_MEDIA_TYPE.get(link.media_type or "") or _BY_SUFFIX.get(suffix)
    return is_foreign, _KINDS.index(kind) if kind else len(_KINDS), not link.is_captions


def item_requests(feed: Feed, *, name: str, feed_id: int) -> Iterator[Request]:
    """A request for each item with a transcript, in the feed's order; of items with one identity the first."""
    seen: set[str] = set()
    for item in feed.items:
        links, known_as = ranked_transcripts(item)[:MOST_ADDRESSES], _name(name, item.guid)
        if not links or known_as in seen:
            continue
        seen.add(known_as)
        link = links[0]
        yield Request(
            known_as,
            "feed",
            url=link.url,
            media_type=link.media_type,
            page_url=item.url,
            chapters_url=item.chapters_url,
            title=item.title,
            language=link.language or item.language,
            published_at=item.published_at,
            feed_id=feed_id,
            addresses=tuple(_address(link, item) for link in links),
        )


def _address(link: TranscriptLink, item: FeedItem) -> dict[str, str | None]:
    return {"url": link.url, "media_type": link.media_type, "language": link.language or item.language}


def _name(feed: str, guid: str) -> str:
    is_address = guid.startswith(("http://", "https://")) or ("://" in guid and has_secret(guid))
    shown = public_url(guid) if is_address else regex.sub(r"\p{C}", "", guid)
    whole = f"{feed}#{shown}"
    is_whole = shown == guid and len(whole) <= LONGEST_NAME
    return whole if is_whole else f"{whole[: LONGEST_NAME - 9]}#{sha256_hex(guid)[:8]}"
