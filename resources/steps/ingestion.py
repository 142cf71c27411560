"""The two steps of an input on its way to a source: fetch what has an address, extract what was said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rejoinder.corpus.feeds import LARGEST_FEED_BYTES, parse_feed
from rejoinder.corpus.transcripts.chapters import parse_chapters
from rejoinder.corpus.twins import Signature, signature
from rejoinder.corpus.values import Chapter, Transcript
from rejoinder.errors import InputUnreadable, LeaseLost
from rejoinder.text.public_urls import public_url
from resources.fetching import Fetched, Fetcher, FetchFailed, Validators
from resources.objects import BytesLost, ObjectStore, hash_of
from resources.postgres import Transaction
from resources.steps.feed_items import item_requests, looks_like_feed
from resources.steps.twins import find_twins, hold_twins
from resources.store.ingestions import LookedAtFeed, enqueue_items, leave_items, save_feed
from resources.store.sources import NewSource, quarantine, save_source

# What became of an input that is fetched once more: from its next address, or because its kept bytes are gone.
SENT_BACK = "sent back"
FETCHED_ANEW = "its raw bytes were gone or damaged and were fetched anew"
ITEMS_AT_ONCE = 500
# Name, bytes and stated type of an input to what was said in it; raises InputUnreadable.
Extract = Callable[[str, bytes, str | None], Transcript]


@dataclass(frozen=True, slots=True)
class Refused:
    """An input that cannot be used, why, and its bytes as far as they came; is_lost: not so when they were kept."""

    reason: str
    data: bytes = b""
    raw_key: str | None = None
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """An input whose bytes are in the object store now."""

    raw_key: str
    media_type: str | None
    chapters_key: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The server says that a feed is as it was."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was said, and the chapters that came beside it."""

    transcript: Transcript
    signature: Signature
    chapters: tuple[Chapter, ...] = ()
    notes: tuple[str, ...] = ()


FetchResult = Kept | Refused | Unchanged | LookedAtFeed


@dataclass(frozen=True, slots=True)
class Fetching:
    """Fetches what an address gives: a source's bytes are kept, a feed's items are made to wait."""

    fetcher: Fetcher
    objects: ObjectStore
    feed_interval_s: float
    largest_feed_bytes: int = LARGEST_FEED_BYTES
    items_at_once: int = ITEMS_AT_ONCE
    name: str = "fetch"
    table: str = "ingestion"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[dict[str, Any]]:
        """Rows of the queue."""
        return _load(tx, ids)

    def work(self, items: Sequence[dict[str, Any]]) -> list[FetchResult]:
        """Fetch each; trouble that passes is raised, so that it is tried again."""
        return [self._fetch(item) for item in items]

    def _fetch(self, item: dict[str, Any]) -> FetchResult:
        validators = Validators(item["etag"], item["last_modified"])
        try:
            fetched = self.fetcher.fetch(item["url"], validators)
        except InputUnreadable as error:
            return Refused(str(error))
        if fetched.data is None:
            return Unchanged() if item["feed_id"] else Refused("the server sent nothing, as if it were known")
        if item["feed_id"] or looks_like_feed(fetched.data):
            # Feeds that name feeds, or themselves, would multiply without end.
            if item["origin"] == "feed":
                return Refused("a feed, where a feed named a transcript", fetched.data)
            return self._read_feed(item, fetched, fetched.data)
        return self._keep(item, fetched, fetched.data)

    def _read_feed(self, item: dict[str, Any], fetched: Fetched, data: bytes) -> LookedAtFeed | Refused:
        if len(data) > self.largest_feed_bytes:
            return Refused(f"a feed larger than {self.largest_feed_bytes // 2**20} MiB")
        try:
            feed = parse_feed(data, url=fetched.url)
        except InputUnreadable as error:
            return Refused(str(error), data, self.objects.put(data))
        seen = fetched.validators
        return LookedAtFeed(
            item["name"], item["url"], feed, seen.etag, seen.last_modified, self.feed_interval_s
        )

    def _keep(self, item: dict[str, Any], fetched: Fetched, data: bytes) -> Kept:
        raw_key = self.objects.put(data)
        media_type = fetched.media_type or item["media_type"]
        before = item["note"]
        if not item["chapters_url"]:
            return Kept(raw_key, media_type, note=before)
        try:
            chapters = self.fetcher.fetch(item["chapters_url"])
        except (InputUnreadable, FetchFailed) as error:
            return Kept(raw_key, media_type, note=_joined(before, f"without chapters: {error}"))
        return Kept(raw_key, media_type, self.objects.put(chapters.data or b""), before)

    def save(self, tx: Transaction, item: dict[str, Any], result: FetchResult, worker: int) -> str:
        """Hand a source's bytes on to be read; a feed is done with once its items wait."""
        match result:
            case Refused():
                return _refuse(tx, item, result, worker)
            case Kept():
                return self._save_kept(tx, item, result, worker)
            case LookedAtFeed():
                return self._save_feed(tx, item, result, worker)
        tx.execute("feed_is_unchanged", id=item["feed_id"], interval_s=self.feed_interval_s)
        _finish(tx, item, "feed", "unchanged", worker)
        return "unchanged"

    def _save_kept(self, tx: Transaction, item: dict[str, Any], kept: Kept, worker: int) -> str:
        done = tx.rows(
            "keep_fetched", id=item["id"], raw_key=kept.raw_key, media_type=kept.media_type,
            chapters_key=kept.chapters_key, note=kept.note, worker=worker,
        )  # fmt: skip
        if not done:
            raise _lost(item)
        return "fetched"

    def _save_feed(self, tx: Transaction, item: dict[str, Any], seen: LookedAtFeed, worker: int) -> str:
        feed_id = save_feed(tx, item["project_id"], seen)
        requests = item_requests(seen.feed, name=seen.name, feed_id=feed_id)
        n_waiting, n_left = enqueue_items(
            tx, item["project_id"], feed_id, requests, at_most=self.items_at_once
        )
        leave_items(tx, feed_id, n_left)
        tx.execute("close_quarantine", kind="source", name=item["name"])
        notes = [f"{n_waiting} of {len(seen.feed.items)} items new or changed", *seen.feed.notes]
        if n_left:
            notes.append(f"{n_left} more left for the next look (ingestion.feed_items at a time)")
        _finish(tx, item, "feed", "; ".join(notes), worker)
        return "feed"


@dataclass(frozen=True, slots=True)
class Extracting:
    """Reads what was said out of the kept bytes, and saves it as a source."""

    objects: ObjectStore
    extract: Extract
    name: str = "extract"
    table: str = "ingestion"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[dict[str, Any]]:
        """Rows of the queue."""
        return _load(tx, ids)

    def work(self, items: Sequence[dict[str, Any]]) -> list[Read | Refused]:
        """Read each; what cannot be read is a result, not a failure."""
        return [self._read(item) for item in items]

    def _read(self, item: dict[str, Any]) -> Read | Refused:
        data = b""
        try:
            data = self.objects.get(item["raw_key"])
            transcript = self.extract(_file_name(item), data, item["media_type"])
        except InputUnreadable as error:
            return Refused(str(error), data, item["raw_key"], isinstance(error, BytesLost))
        known_by = signature(transcript.cues)
        before = (item["note"],) if item["note"] else ()
        if not item["chapters_key"]:
            return Read(transcript, known_by, notes=(*before, *transcript.notes))
        try:
            chapters = parse_chapters(self.objects.get(item["chapters_key"]))
        except InputUnreadable as error:
            return Read(
                transcript, known_by, notes=(*before, *transcript.notes, f"without chapters: {error}")
            )
        return Read(transcript, known_by, chapters, (*before, *transcript.notes))

    def save(self, tx: Transaction, item: dict[str, Any], result: Read | Refused, worker: int) -> str:
        """Save the source, or the reason why there is none."""
        if isinstance(result, Refused):
            return _refuse(tx, item, result, worker)
        hold_twins(tx, item["project_id"])
        saved = save_source(tx, _source(item, result), is_forced=item["is_forced"])
        if saved.outcome != "unchanged":
            find_twins(tx, item["project_id"], saved.id, result.signature)
        tx.execute("close_quarantine", kind="source", name=item["name"])
        _finish(tx, item, saved.outcome, "; ".join(result.notes) or None, worker, saved.id)
        return saved.outcome


def _source(item: dict[str, Any], read: Read) -> NewSource:
    address = item["page_url"] or read.transcript.url or item["url"]
    return NewSource(
        project_id=item["project_id"],
        name=item["name"],
        transcript=replace(read.transcript, notes=read.notes),
        chapters=read.chapters,
        signature=read.signature,
        content_hash=hash_of(item["raw_key"]),
        raw_key=item["raw_key"],
        title=item["title"],
        language=item["language"],
        url=public_url(address) if address else None,
        published_at=item["published_at"],
    )


def _file_name(item: dict[str, Any]) -> str:
    """What stands for a file's name where the content has no title."""
    shown = public_url(item["url"]) if item["url"] else item["name"]
    return item["title"] or shown.rstrip("/")


def _load(tx: Transaction, ids: Sequence[int]) -> list[dict[str, Any]]:
    rows = {row["id"]: row for row in tx.rows("load_ingestions", ids=list(ids))}
    return [rows[i] for i in ids]


def _refuse(tx: Transaction, item: dict[str, Any], refused: Refused, worker: int) -> str:
    """Out of the queue and into quarantine: trying again would give the same; unless there is another address.

    Bytes that were lost here are asked for once more where they came from.
    """
    if refused.is_lost and item["url"] and FETCHED_ANEW not in (item["note"] or ""):
        return _send_back(tx, item, item, FETCHED_ANEW, worker)
    if (other := _next_address(item)) is not None:
        shown = public_url(item["url"])
        reason = refused.reason.removeprefix(f"{shown}: ")
        return _send_back(tx, item, other, f"passed over {shown}: {reason}", worker)
    quarantine(tx, item["name"], refused.reason, refused.data, refused.raw_key)
    _finish(tx, item, "quarantined", _joined(refused.reason, item["note"]), worker)
    return "quarantined"


def _send_back(tx: Transaction, item: dict[str, Any], link: dict[str, Any], why: str, worker: int) -> str:
    """Have an input fetched from a link, its note told why."""
    to = {name: link[name] for name in ("url", "media_type", "language")}
    if not tx.rows("fetch_from", id=item["id"], note=_joined(item["note"], why), worker=worker, **to):
        raise _lost(item)
    return SENT_BACK


def _joined(*notes: str | None) -> str:
    return "; ".join(filter(None, notes))


def _next_address(item: dict[str, Any]) -> dict[str, Any] | None:
    """What the feed offers after the transcript at hand: its address, media type and language."""
    addresses: list[dict[str, Any]] = item["addresses"] or []
    urls = [address["url"] for address in addresses]
    place = urls.index(item["url"]) + 1 if item["url"] in urls else len(urls)
    return addresses[place] if place < len(addresses) else None


def _finish(
    tx: Transaction,
    item: dict[str, Any],
    outcome: str,
    note: str | None,
    worker: int,
    source_id: int | None = None,
) -> None:
    done = tx.rows(
        "finish_ingestion", id=item["id"], outcome=outcome, note=note, source_id=source_id, worker=worker
    )
    if not done:
        raise _lost(item)


def _lost(item: dict[str, Any]) -> LeaseLost:
    return LeaseLost(f"input {item['id']} is held by another worker, or was asked for again")
