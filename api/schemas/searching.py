"""Shapes of searches and questions, and of what is found."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from api.schemas.forms import STORABLE, Asked, Shape
from resources.asking import Question

Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000), STORABLE]
Words = Annotated[str, StringConstraints(min_length=1, max_length=200), STORABLE]
Names = Annotated[list[Words], Field(max_length=20)]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}$", to_lower=True)]
PLACE: dict[str, JsonValue] = {
    "url": "https://pod.example/compost#t=312",
    "source_title": "Composting without the smell",
    "speakers": ["Ines"],
    "start_s": 312.4,
    "end_s": 341.9,
}


class Filters(Asked):
    """What is looked for, and where."""

    text: Text = Field(description="What is looked for, in words.")
    sources: Names = Field(default=[], description="Words of names or titles: only sources that have them.")
    speakers: Names = Field(default=[], description="Only where one of them speaks.")
    language: Language | None = Field(None, description="Only in this language (ISO 639).")
    since: date | None = Field(None, description="Only what was published on this day or later (UTC).")
    until: date | None = Field(None, description="Only what was published on this day or before (UTC).")

    def question(self) -> Question:
        """The same as the domain has it."""
        ends = min(self.until, date.max - timedelta(days=1)) + timedelta(days=1) if self.until else None
        return Question(
            self.text,
            tuple(self.sources),
            tuple(self.speakers),
            self.language,
            _midnight(self.since),
            _midnight(ends),
        )


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None


class Search(Filters):
    """A search for passages."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"text": "why does compost smell", "k": 5, "language": "en"}},
    )

    k: Annotated[int, Field(ge=1, le=50, description="How many passages at most.")] = 10


class Passage(Shape):
    """A passage that was found, and both legs' scores."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **PLACE,
                "source_id": 3,
                "chunk_id": 77,
                "text": "A heap that smells of rotten eggs has no air in it.",
                "chapter": "Smells",
                "language": "en",
                "score": 0.93,
                "dense": 0.71,
                "lexical": 14.2,
            }
        }
    )

    source_id: int
    source_title: str
    chunk_id: int
    text: str
    speakers: list[str]
    start_s: float | None
    end_s: float | None
    url: str | None = Field(description="Opens at the second, where the source has an address.")
    chapter: str | None
    language: str | None
    published_at: datetime | None
    score: float = Field(description="Both legs fused; higher is better.")
    dense: float | None = Field(description="Cosine of meaning, -1 to 1; None: not found by it.")
    lexical: float | None = Field(description="BM25 of words, 0 or more; None: not found by it.")


class Passages(Shape):
    """What was found, best first."""

    passages: list[Passage]


class Ask(Filters):
    """A question to the corpus."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"text": "Why does a compost heap smell of rotten eggs?"}},
    )


class Citation(Shape):
    """Where a statement is from."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": {"id": "E1", **PLACE}})

    id: str
    label: str
    url: str | None
    source_title: str
    speakers: list[str]
    start_s: float | None
    end_s: float | None
    chunk_ids: list[int]


class Statement(Shape):
    """A sentence of the answer: word for word from its source, or a model's."""

    text: str
    citations: list[Citation]


class Written(Shape):
    """What a model wrote from the evidence; each of its statements cites some."""

    statements: list[Statement]
    model: str = Field(description="URI of the model that wrote it.")
    prompt_version: str


class Searched(Shape):
    """What was looked through."""

    sources: int
    waiting: int = Field(description="Sources that cannot be searched yet.")
    evidence_lines: int


class Answer(Shape):
    """An answer with citations; not in the corpus where there are no statements, and reason then says why."""

    question: str
    is_answered: bool
    statements: list[Statement]
    reason: str
    probability: float = Field(description="That the corpus answers this, 0 to 1.")
    nearest: list[Citation] = Field(description="What came closest, where there is no answer.")
    searched: Searched
    notes: list[str] = Field(
        description="What has to be known of the judgement, or was left out of the answer."
    )
    written: Written | None = Field(
        description="The same in a model's words; null where none is configured, or nothing of it can be shown."
    )
