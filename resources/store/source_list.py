"""Sources as people see them: the list with where each stands, the page of one, the feeds that are followed."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, get_args

from resources.postgres import Transaction

Show = Literal["all", "ready", "under way", "trouble", "twins"]
SHOWS: tuple[Show, ...] = get_args(Show)
KEYWORDS, SPEAKERS, FIRST_CUES = 30, 12, 4


@dataclass(frozen=True, slots=True)
class SourceFilter:
    """Which sources, and which part of the list; ingestion_id is one row of the queue."""

    show: Show = "all"
    search: str | None = None
    ingestion_id: int | None = None
    top: int = 50
    skip: int = 0


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One name that was asked for or read, and where it stands.

    source_id is None until it has been read once; last_error belongs to the step it stands at.
    """

    name: str
    source_id: int | None
    ingestion_id: int | None
    step: str
    status: str
    last_error: str | None
    attempts: int
    outcome: str | None
    note: str | None
    origin: str | None
    title: str | None
    url: str | None
    format: str | None
    language: str | None
    duration_s: float | None
    published_at: datetime | None
    notes: tuple[str, ...]
    changed_at: datetime
    twin_name: str | None
    twin_title: str | None
    n_cues: int
    n_chunks: int
    n_embedded: int

    @property
    def standing(self) -> str:
        """Where it stands, in one word that people know.

        A twin is finished but is not searched itself.
        """
        if self.twin_name:
            return "twin"
        if self.outcome == "quarantined" and self.source_id is None:
            return "quarantined"
        return "ready" if self.step == "ready" else self.status

    @property
    def reason(self) -> str | None:
        """Why it needs a person, if it does."""
        if self.status in {"failed", "dead"}:
            return self.last_error
        return self.note if self.outcome == "quarantined" else None


@dataclass(frozen=True, slots=True)
class SourceList:
    """A part of the list, and how many there are in all."""

    rows: tuple[SourceRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class SourcePage:
    """What is known of one source beside its row; chapters are titles with their second, if they have one."""

    summary: str | None
    keywords: tuple[str, ...]
    speakers: tuple[tuple[str, int], ...]
    chapters: tuple[tuple[str, float | None], ...]
    begins: tuple[tuple[str, float | None, str | None], ...]
    twins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed, when it was looked at, and what it holds."""

    id: int
    name: str
    title: str | None
    is_followed: bool
    n_items: int
    n_without_transcript: int
    checked_at: datetime | None
    next_at: datetime
    status: str | None
    last_error: str | None
    n_left: int = 0


def list_sources(tx: Transaction, project_id: int, wanted: SourceFilter | None = None) -> SourceList:
    """Sources and inputs of a project, the latest changed first."""
    wanted = wanted or SourceFilter()
    search = f"%{_as_it_is(wanted.search)}%" if wanted.search else None
    rows = tx.rows(
        "list_sources",
        project_id=project_id,
        search=search,
        ingestion_id=wanted.ingestion_id,
        show=wanted.show,
        top=wanted.top,
        skip=wanted.skip,
    )
    return SourceList(tuple(map(_row, rows)), rows[0]["total"] if rows else 0)


def _as_it_is(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _row(row: dict[str, Any]) -> SourceRow:
    values = {field.name: row[field.name] for field in fields(SourceRow)}
    return SourceRow(**{**values, "notes": tuple(values["notes"])})


def load_source_page(tx: Transaction, source_id: int) -> SourcePage:
    """What is known of one source."""
    keywords = tx.rows("source_keywords", source_id=source_id, top=KEYWORDS)
    speakers = tx.rows("source_speakers", source_id=source_id, top=SPEAKERS)
    begins = tx.rows("source_begins", source_id=source_id, top=FIRST_CUES)
    return SourcePage(
        summary=tx.value("source_summary", source_id=source_id),
        keywords=tuple(row["term"] for row in keywords),
        speakers=tuple((row["speaker"], row["n"]) for row in speakers),
        chapters=tuple(
            (row["title"], row["start_s"]) for row in tx.rows("load_chapters", source_id=source_id)
        ),
        begins=tuple((row["text"], row["start_s"], row["speaker"]) for row in begins),
        twins=tuple(row["title"] for row in tx.rows("names_of_twins", source_id=source_id)),
    )


def list_feeds(tx: Transaction, project_id: int) -> tuple[FeedRow, ...]:
    """Every feed of a project, those that are no longer followed too."""
    return tuple(FeedRow(**row) for row in tx.rows("list_feeds", project_id=project_id))
