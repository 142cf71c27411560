"""Sources as rows: facts, cues and chapters of what was read, and what could not be read."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from rejoinder.corpus.twins import Signature
from rejoinder.corpus.values import Chapter, Transcript
from resources.postgres import Transaction

Outcome = Literal["new", "changed", "unchanged"]
EXCERPT_BYTES = 300
DEFAULT_CREATOR = "creator"
DEFAULT_PROJECT = "main"


def default_project(tx: Transaction) -> int:
    """The project that everything belongs to unless it is said otherwise, made where there is none."""
    creator_id = tx.value("ensure_creator", name=DEFAULT_CREATOR)
    return int(tx.value("ensure_project", creator_id=creator_id, name=DEFAULT_PROJECT))


@dataclass(frozen=True, slots=True)
class NewSource:
    """What was read under a name, and where its raw bytes are.

    title, language, url and published_at are what the way it came says of it (a feed's item, say); an address is one
    that may be shown.
    """

    project_id: int
    name: str
    transcript: Transcript
    content_hash: str
    raw_key: str
    title: str | None = None
    language: str | None = None
    url: str | None = None
    published_at: datetime | None = None
    chapters: tuple[Chapter, ...] = ()
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class SavedSource:
    """A source's row, and what became of it."""

    id: int
    outcome: Outcome


def save_source(tx: Transaction, new: NewSource, *, is_forced: bool = False) -> SavedSource:
    """Save a source with its cues and chapters; where the content is known only its facts, unless it is forced."""
    known = tx.row("find_source", project_id=new.project_id, name=new.name)
    if known and known["content_hash"] == new.content_hash and not is_forced:
        tx.execute(
            "update_source_facts", id=known["id"], title=new.title, url=new.url,
            published_at=new.published_at, raw_key=new.raw_key,
        )  # fmt: skip
        return SavedSource(known["id"], "unchanged")
    source_id = int(tx.value("upsert_source", **_facts(new)))
    _replace_cues(tx, source_id, new.transcript)
    _replace_chapters(tx, source_id, new.transcript.chapters or new.chapters)
    return SavedSource(source_id, "changed" if known else "new")


def _facts(new: NewSource) -> dict[str, Any]:
    read = new.transcript
    return {
        "project_id": new.project_id,
        "name": new.name,
        "title": new.title or read.title,
        "url": new.url,
        "format": read.format,
        "language": read.language or new.language,
        "content_hash": new.content_hash,
        "duration_s": max((c.end_s or c.start_s or 0.0 for c in read.cues), default=None),
        "published_at": new.published_at or read.published_at,
        "raw_key": new.raw_key,
        "notes": list(read.notes),
        "signature": list(new.signature.hashes) if new.signature else None,
        "n_shingles": new.signature.n_shingles if new.signature else None,
    }


def _replace_cues(tx: Transaction, source_id: int, transcript: Transcript) -> None:
    tx.execute("delete_cues", source_id=source_id)
    rows = [
        {
            "source_id": source_id,
            "position": position,
            "start_s": cue.start_s,
            "end_s": cue.end_s,
            "speaker": cue.speaker,
            "text": cue.text,
        }
        for position, cue in enumerate(transcript.cues)
    ]
    tx.execute_many("insert_cue", rows)


def _replace_chapters(tx: Transaction, source_id: int, chapters: tuple[Chapter, ...]) -> None:
    tx.execute("delete_chapters", source_id=source_id)
    rows = [
        {
            "source_id": source_id,
            "position": position,
            "title": chapter.title,
            "start_s": chapter.start_s,
            "first_cue": chapter.first_cue,
        }
        for position, chapter in enumerate(chapters)
    ]
    tx.execute_many("insert_chapter", rows)


def quarantine(tx: Transaction, name: str, reason: str, data: bytes, raw_key: str | None) -> None:
    """Keep what could not be read in sight, with its reason, how it begins and where its bytes are."""
    tx.execute(
        "quarantine_source",
        name=name,
        reason=reason,
        content_hash=hashlib.sha256(data or reason.encode()).hexdigest(),
        excerpt=data[:EXCERPT_BYTES].decode("utf-8", errors="replace").replace("\x00", "�"),
        raw_key=raw_key,
    )
