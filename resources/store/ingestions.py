"""Rows of the ingestion queue: what is asked for, and what feeds name."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

from rejoinder.corpus.feeds import Feed
from rejoinder.ids import PersonId
from rejoinder.text.public_urls import public_url
from resources.postgres import Transaction

Origin = Literal["file", "inbox", "upload", "url", "feed", "api"]


@dataclass(frozen=True, slots=True)
class Request:
    """One input to be read: either its bytes are kept under raw_key, or it is to be fetched from url.

    name is what the source will be known by, place where a file came from; the rest is what the way it came says of it.
    """

    name: str
    origin: Origin
    place: str | None = None
    url: str | None = None
    raw_key: str | None = None
    media_type: str | None = None
    page_url: str | None = None
    chapters_url: str | None = None
    title: str | None = None
    language: str | None = None
    published_at: datetime | None = None
    feed_id: int | None = None
    priority: int = 0


def enqueue(tx: Transaction, project_id: int, request: Request, person_id: PersonId | None = None) -> int:
    """Make a request wait, in the caller's transaction; the id of its row. The same name waits once."""
    values = {field.name: getattr(request, field.name) for field in fields(Request)}
    return int(tx.value("enqueue_ingestion", project_id=project_id, person_id=person_id, **values))


@dataclass(frozen=True, slots=True)
class LookedAtFeed:
    """A feed as it was fetched: the name it is known by, its whole address, what its server said of its age."""

    name: str
    url: str
    feed: Feed
    etag: str | None
    last_modified: str | None
    interval_s: float


def save_feed(tx: Transaction, project_id: int, seen: LookedAtFeed) -> int:
    """Remember a feed, so that it is looked at again; its id."""
    feed = seen.feed
    return int(
        tx.value(
            "follow_feed",
            project_id=project_id,
            name=seen.name,
            url=seen.url,
            title=feed.title or None,
            language=feed.language,
            etag=seen.etag,
            last_modified=seen.last_modified,
            n_items=len(feed.items),
            n_without_transcript=sum(not item.transcripts for item in feed.items),
            interval_s=seen.interval_s,
        )
    )


def enqueue_items(tx: Transaction, project_id: int, feed_id: int, requests: Iterable[Request]) -> int:
    """Make those items of a feed wait that are new or have another transcript now; how many.

    A mere key in an address is no change, as many servers sign each answer anew; it is kept for the next try.
    """
    known = {row["name"]: row for row in tx.rows("items_of_feed", feed_id=feed_id)}
    n_waiting = 0
    for request in requests:
        row = known.get(request.name)
        if row is None or _shown(row["url"], row["chapters_url"]) != _shown(
            request.url, request.chapters_url
        ):
            enqueue(tx, project_id, request)
            n_waiting += 1
        elif (row["url"], row["chapters_url"]) != (request.url, request.chapters_url):
            tx.execute("renew_addresses", id=row["id"], url=request.url, chapters_url=request.chapters_url)
    return n_waiting


def _shown(*addresses: str | None) -> list[str]:
    return [public_url(address or "") for address in addresses]
