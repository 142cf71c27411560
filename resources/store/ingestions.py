"""Rows of the ingestion queue: what is asked for, and what feeds name."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb

from rejoinder.corpus.feeds import Feed
from rejoinder.ids import PersonId
from rejoinder.text.public_urls import public_url
from resources.postgres import Transaction

Origin = Literal["file", "inbox", "upload", "url", "feed", "api"]


@dataclass(frozen=True, slots=True)
class Request:
    """One input to be read: either its bytes are kept under raw_key, or it is to be fetched from url.

    name is what the source will be known by, place where a file came from; the rest is what the way it came says of it;
    addresses are all the transcripts that a feed offers for it, the best first.
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
    addresses: tuple[dict[str, str | None], ...] = ()


def enqueue(tx: Transaction, project_id: int, request: Request, person_id: PersonId | None = None) -> int:
    """Make a request wait, in the caller's transaction; the id of its row. The same name waits once."""
    values = {field.name: getattr(request, field.name) for field in fields(Request)}
    values["addresses"] = Jsonb(list(request.addresses)) if request.addresses else None
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


def leave_items(tx: Transaction, feed_id: int, n_left: int) -> None:
    """Remember how many items wait for the next look; until none does, the feed is fetched whole."""
    tx.execute("leave_items", id=feed_id, n_left=n_left)


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


def enqueue_items(
    tx: Transaction, project_id: int, feed_id: int, requests: Iterable[Request], *, at_most: int
) -> tuple[int, int]:
    """Make those items of a feed wait that are new or have another transcript now: how many, and how many were left.

    New ones come first, then those that were read longest ago: items that change at every look starve no others.
    A mere key in an address is no change, as many servers sign each answer anew; it is kept for the next try.
    """
    known = {row["name"]: row for row in tx.rows("items_of_feed", feed_id=feed_id)}
    new, changed = list[Request](), list[tuple[datetime, Request]]()
    for request in requests:
        row = known.get(request.name)
        if row is None:
            new.append(request)
        elif _is_as_it_was(row, request):
            _renew(tx, row, request)
        else:
            changed.append((row["updated_at"], request))
    due = new + [request for _, request in sorted(changed, key=lambda pair: pair[0])]
    for request in due[:at_most]:
        enqueue(tx, project_id, request)
    return min(len(due), at_most), max(len(due) - at_most, 0)


def _is_as_it_was(row: dict[str, Any], request: Request) -> bool:
    """Whether the feed still offers what was tried of an item: the transcript at hand and the better ones."""
    tried, offered = _tried(row), [address["url"] for address in request.addresses]
    has_more = row["outcome"] == "quarantined" and row["addresses"] and len(offered) > len(tried)
    return not has_more and _shown(*tried, row["chapters_url"]) == _shown(
        *offered[: len(tried)], request.chapters_url
    )


def _tried(row: dict[str, Any]) -> list[str]:
    """The addresses of an item up to the one at hand, the best first."""
    urls = [address["url"] for address in row["addresses"] or ()]
    return urls[: urls.index(row["url"]) + 1] if row["url"] in urls else [row["url"]]


def _renew(tx: Transaction, row: dict[str, Any], request: Request) -> None:
    at_hand = request.addresses[len(_tried(row)) - 1]["url"]
    addresses = list(request.addresses)
    if (row["url"], row["chapters_url"], row["addresses"]) != (at_hand, request.chapters_url, addresses):
        tx.execute(
            "renew_addresses", id=row["id"], url=at_hand, chapters_url=request.chapters_url,
            addresses=Jsonb(addresses),
        )  # fmt: skip


def _shown(*addresses: str | None) -> list[str]:
    return [public_url(address or "") for address in addresses]
