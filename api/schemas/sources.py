"""Shapes of sources, feeds and what went wrong with either."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from api.schemas.forms import STORABLE, Asked, Shape
from resources.commands.sources import Again
from resources.store.inputs import InputStep, StepState

RetriedStep = Literal["fetch", "extract", "chunk", "embed_chunks", "keywords", "summarise"]
EPISODE: dict[str, JsonValue] = {
    "id": 12,
    "name": "compost.vtt",
    "title": "Composting without the smell",
    "standing": "ready",
    "step": "ready",
    "status": "completed",
    "attempts": 0,
    "language": "en",
    "format": "webvtt",
    "duration_s": 1394.0,
    "notes": [],
    "changed_at": "2026-11-05T09:12:44Z",
    "n_cues": 143,
    "n_chunks": 21,
    "n_embedded": 21,
}


class Enqueued(Shape):
    """What became of an input on its way into the queue."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"id": 12, "name": "compost.vtt", "outcome": "waiting"}}
    )

    id: int | None = Field(
        description="Its number; GET /sources/{id} says how far it is. None: never asked for by name."
    )
    name: str = Field(description="What it is known by; the same name again is the same source.")
    outcome: Literal["waiting", "unchanged"] = Field(
        description="waiting: it will be read; unchanged: its source has this very content."
    )
    told_apart_from: str | None = Field(
        None, description="The name that was asked for, where another input has it: one from another place."
    )


class FromUrl(Asked):
    """An address of a transcript, a page or a feed."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"url": "https://pod.example/episodes/12.vtt"}}
    )

    url: Annotated[str, StringConstraints(min_length=8, max_length=2_048), STORABLE]


class Source(Shape):
    """A source or an input, and where it stands."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": EPISODE})

    id: int | None = Field(validation_alias="ingestion_id", serialization_alias="id")
    name: str
    title: str | None
    standing: str = Field(description="ready, twin, quarantined, pending, processing, failed or dead.")
    step: str = Field(description="Where it stands: fetch, extract, chunk, embed, keywords, ready.")
    status: str
    attempts: int = Field(description="Tries of this step that failed.")
    reason: str | None = Field(description="Why it needs a person, if it does.")
    origin: str | None
    url: str | None
    format: str | None
    language: str | None
    duration_s: float | None
    published_at: datetime | None
    notes: list[str] = Field(description="What was cleaned while it was read.")
    changed_at: datetime
    twin_name: str | None = Field(description="The source that says the same and is searched in its place.")
    n_cues: int
    n_chunks: int
    n_embedded: int = Field(description="Chunks with a vector in the index that searches read.")


class Sources(Shape):
    """A part of the list of sources."""

    sources: list[Source]
    total: int = Field(description="How many there are in all.")
    limit: int
    offset: int


class Step(Shape):
    """How far one step is."""

    step: InputStep
    state: StepState
    attempts: int
    reason: str | None


class Chapter(Shape):
    """A chapter's title and second."""

    title: str
    start_s: float | None


class Contents(Shape):
    """What is known of a source that was read."""

    summary: str | None
    keywords: list[str]
    speakers: list[str]
    chapters: list[Chapter]
    twins: list[str] = Field(description="Titles of the sources that say the same.")


class SourceDetail(Shape):
    """One input: its steps, and what was read. A feed is no source itself: its episodes are."""

    id: int
    name: str
    is_feed: bool
    outcome: str | None = Field(
        description="new, changed, unchanged, quarantined or feed; None while it waits."
    )
    steps: list[Step]
    source: Source | None
    contents: Contents | None


class Process(Asked):
    """Which step to do again, and with it those that come after."""

    step: Again = "extract"


class Accepted(Shape):
    """What will be done."""

    id: int
    name: str
    step: Again


class Feed(Shape):
    """A feed, when it was looked at, and what it holds."""

    id: int
    name: str
    title: str | None
    is_followed: bool
    n_items: int
    n_without_transcript: int
    n_left: int = Field(description="Episodes left for the next look; see ingestion.feed_items.")
    checked_at: datetime | None
    next_at: datetime
    status: str | None
    last_error: str | None


class Feeds(Shape):
    """Every feed of the project."""

    feeds: list[Feed]


class Follow(Asked):
    """Whether a feed is looked at again."""

    is_followed: bool


class DeadLetter(Shape):
    """An input that was given up at a step."""

    input_id: int
    name: str
    step: str
    reason: str
    created_at: datetime


class DeadLetters(Shape):
    """What was given up, the latest first."""

    dead_letters: list[DeadLetter]


class SetAside(Shape):
    """An input that could not be read."""

    id: int
    name: str
    reason: str
    since_at: datetime


class Quarantine(Shape):
    """What could not be read, the latest first."""

    quarantined: list[SetAside]


class Retry(Asked):
    """Which step's dead and failed inputs are tried again at once."""

    step: RetriedStep


class Retried(Shape):
    """How many came back to life, and how many no longer wait."""

    revived: int
    hurried: int


class Health(Shape):
    """Whether the server is there, or can do its work."""

    status: Literal["ok"]
    migrations: dict[str, Any] | None = None
