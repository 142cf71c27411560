"""The two steps of an input on its way to a source: fetch what has an address, extract what was said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rejoinder.corpus.values import Transcript
from rejoinder.errors import InputUnreadable, LeaseLost
from rejoinder.text.public_urls import public_url
from resources.fetching import Fetcher, Validators
from resources.objects import ObjectStore, hash_of
from resources.postgres import Transaction
from resources.store.sources import NewSource, quarantine, save_source

# Name, bytes and stated type of an input to what was said in it; raises InputUnreadable.
Extract = Callable[[str, bytes, str | None], Transcript]


@dataclass(frozen=True, slots=True)
class Refused:
    """An input that cannot be used, why, and its bytes as far as they came."""

    reason: str
    data: bytes = b""
    raw_key: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """An input whose bytes are in the object store now."""

    raw_key: str
    media_type: str | None


@dataclass(frozen=True, slots=True)
class Fetching:
    """Fetches what an address gives and keeps its bytes."""

    fetcher: Fetcher
    objects: ObjectStore
    name: str = "fetch"
    table: str = "ingestion"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[dict[str, Any]]:
        """Rows of the queue."""
        return _load(tx, ids)

    def work(self, items: Sequence[dict[str, Any]]) -> list[Kept | Refused]:
        """Fetch each; trouble that passes is raised, so that it is tried again."""
        return [self._fetch(item) for item in items]

    def _fetch(self, item: dict[str, Any]) -> Kept | Refused:
        try:
            fetched = self.fetcher.fetch(item["url"], Validators())
        except InputUnreadable as error:
            return Refused(str(error))
        return Kept(self.objects.put(fetched.data or b""), fetched.media_type)

    def save(self, tx: Transaction, item: dict[str, Any], result: Kept | Refused, worker: int) -> str:
        """Hand it on to be read."""
        if isinstance(result, Refused):
            return _refuse(tx, item, result, worker)
        done = tx.rows(
            "keep_fetched", id=item["id"], raw_key=result.raw_key, media_type=result.media_type,
            chapters_key=None, note=None, worker=worker,
        )  # fmt: skip
        if not done:
            raise _lost(item)
        return "fetched"


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

    def work(self, items: Sequence[dict[str, Any]]) -> list[Transcript | Refused]:
        """Read each; what cannot be read is a result, not a failure."""
        return [self._read(item) for item in items]

    def _read(self, item: dict[str, Any]) -> Transcript | Refused:
        data = b""
        try:
            data = self.objects.get(item["raw_key"])
            return self.extract(_file_name(item), data, item["media_type"])
        except InputUnreadable as error:
            return Refused(str(error), data, item["raw_key"])

    def save(self, tx: Transaction, item: dict[str, Any], result: Transcript | Refused, worker: int) -> str:
        """Save the source, or the reason why there is none."""
        if isinstance(result, Refused):
            return _refuse(tx, item, result, worker)
        saved = save_source(tx, _source(item, result), is_forced=item["is_forced"])
        tx.execute("close_quarantine", kind="source", name=item["name"])
        _finish(tx, item, saved.outcome, "; ".join(result.notes) or None, worker, saved.id)
        return saved.outcome


def _source(item: dict[str, Any], transcript: Transcript) -> NewSource:
    address = item["page_url"] or transcript.url or item["url"]
    return NewSource(
        project_id=item["project_id"],
        name=item["name"],
        transcript=transcript,
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
    """Out of the queue and into quarantine: trying again would give the same."""
    quarantine(tx, item["name"], refused.reason, refused.data, refused.raw_key)
    _finish(tx, item, "quarantined", refused.reason, worker)
    return "quarantined"


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
