"""rejoinder.toml: tuning per stage, thresholds and retrieval. Validated; every value has a default."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self, overload

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rejoinder.errors import ConfigInvalid
from resources.settings import Settings

StepName = Literal[
    "fetch", "extract", "chunk", "embed_chunks", "keywords", "summarise", "embed_posts", "relevance", "claims",
    "evidence", "decide", "draft", "check",
]  # fmt: skip


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Retries(_Section):
    """What every stage honours: how long one row may take, and what happens when it fails."""

    timeout_s: float = Field(30.0, gt=0, description="Seconds one row may take.")
    max_attempts: int = Field(3, ge=1, description="Failures after which a row is dead.")
    backoff_s: float = Field(
        60.0,
        ge=0,
        description="Seconds until a failed row is tried again; each failure doubles them, up to an hour.",
    )


class _Sensed(_Section):
    """A stage that a sensor looks at."""

    interval_s: int = Field(15, ge=5, description="Seconds between two looks of the stage's sensor.")


class BatchTuning(_Retries):
    """How a stage works off what is due, batch by batch."""

    batch: int = Field(100, ge=1, le=10_000, description="Rows claimed at once.")
    group: int = Field(1, ge=1, le=1_000, description="Rows worked on together; a model call's batch.")
    max_crashes: int = Field(25, ge=1, description="Crashes with the row in hand after which it is dead.")


class StageTuning(BatchTuning):
    """A step of a source or a post."""

    concurrency: int = Field(1, ge=1, le=64, description="Workers of this stage side by side in one run.")


class FirstStageTuning(StageTuning, _Sensed):
    """The first step of a source or a post; its sensor looks at what waits for any of their steps."""


class PublishTuning(_Retries, _Sensed):
    """The publisher: it sends one reply at a time, and whatever a crash left open is read back."""


class MeasureTuning(BatchTuning, _Sensed):
    """Snapshots of engagement, channel by channel."""


class Stages(_Section):
    """A section per stage, each with the keys that this stage honours."""

    fetch: StageTuning = StageTuning(batch=8, timeout_s=60, max_attempts=5, concurrency=4)
    extract: StageTuning = StageTuning(batch=8, timeout_s=120)
    chunk: FirstStageTuning = FirstStageTuning(batch=8, timeout_s=120)
    embed_chunks: StageTuning = StageTuning(batch=4, timeout_s=600)
    keywords: StageTuning = StageTuning(batch=8, timeout_s=120)
    summarise: StageTuning = StageTuning(batch=8, timeout_s=120)
    embed_posts: FirstStageTuning = FirstStageTuning(batch=256, group=64)
    relevance: StageTuning = StageTuning(batch=500, group=100)
    claims: StageTuning = StageTuning(batch=200, group=50)
    evidence: StageTuning = StageTuning(batch=64, group=16)
    decide: StageTuning = StageTuning(batch=200)
    draft: StageTuning = StageTuning(batch=100, timeout_s=60)
    check: StageTuning = StageTuning(batch=200)
    publish: PublishTuning = PublishTuning(timeout_s=60, max_attempts=5)
    measure: MeasureTuning = MeasureTuning(batch=100, group=100)

    @model_validator(mode="before")
    @classmethod
    def _keep_defaults(cls, given: Any) -> Any:
        """What a section leaves out is that stage's own default."""
        if not isinstance(given, dict):
            return given
        return {name: cls._over_default(str(name), values) for name, values in given.items()}

    @classmethod
    def _over_default(cls, name: str, values: Any) -> Any:
        field = cls.model_fields.get(name)
        if field is None or not isinstance(values, dict):
            return values
        return {**field.default.model_dump(), **values}


class Ingestion(_Section):
    """What is taken in."""

    largest_mib: int = Field(
        64, ge=1, le=1_024, description="Largest input, in MiB, as it comes and unpacked."
    )
    feed_interval_s: int = Field(3_600, ge=60, description="Seconds between two looks at a feed.")

    @property
    def largest_bytes(self) -> int:
        """The largest input in bytes."""
        return self.largest_mib * 2**20


class Chunking(_Section):
    """Where sources are cut; see rejoinder.corpus.chunks.CuttingRule."""

    max_tokens: int = Field(240, ge=20, le=8_000, description="Most tokens of a chunk; the model reads 254.")
    overlap_tokens: int = Field(0, ge=0, description="Most tokens that a chunk repeats of the one before.")
    steady_worth: float = Field(
        0.2, ge=0, le=2, description="Pull of gaps that stay the same after an edit elsewhere."
    )
    turn_worth: float = Field(0.0, ge=0, le=2, description="Pull of a change of speaker.")
    topic_worth: float = Field(0.0, ge=0, le=2, description="Pull of a change of topic; 0 looks for none.")
    topics_by: Literal["terms", "vectors"] = Field(
        "terms", description="What tells topics: words, or a vector per sentence."
    )

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        if self.overlap_tokens >= self.max_tokens:
            raise ValueError(
                f"overlap_tokens ({self.overlap_tokens}) must be below max_tokens ({self.max_tokens})"
            )
        return self


class RelevanceThresholds(_Section):
    """Where the relevance cascade cuts; see rejoinder.triage.relevance.Thresholds."""

    floor: float = Field(
        0.30, ge=-1, le=1, description="Similarity to the corpus below which a post is left."
    )
    strong: float = Field(
        0.45, ge=-1, le=1, description="Similarity that suffices while there is no classifier."
    )
    reject: float = Field(0.35, ge=0, le=1, description="Probability below which a post is left alone.")
    accept: float = Field(0.60, ge=0, le=1, description="Probability from which a post is relevant.")

    @model_validator(mode="after")
    def _leave_a_band(self) -> Self:
        if self.floor > self.strong:
            raise ValueError(f"floor ({self.floor:g}) must not be above strong ({self.strong:g})")
        if self.reject >= self.accept:
            raise ValueError(f"reject ({self.reject:g}) must be below accept ({self.accept:g})")
        return self


class Embedding(_Section):
    """Which model turns texts into vectors; `rejoinder models` lists them."""

    model: str = Field(
        "all-MiniLM-L6-v2", description="Name of the model; another one is built beside the one in use."
    )


class Retrieval(_Section):
    """Hybrid retrieval: how many passages each leg brings and how they are fused."""

    candidates: int = Field(50, ge=1, le=1_000, description="Passages per leg before fusion.")
    passages: int = Field(6, ge=1, le=100, description="Passages kept per claim.")
    dense_weight: float = Field(
        0.5, ge=0, le=1, description="Weight of meaning in the fused score; the rest is that of words."
    )
    max_postings: int = Field(
        20_000,
        ge=1,
        description="Postings that a query's rarest terms may read together to find candidates by word.",
    )


class Evidence(_Section):
    """What counts as evidence; see rejoinder.research.evidence.EvidenceRule."""

    k: int = Field(3, ge=1, le=20, description="Most sentences kept per claim.")
    at_least: float = Field(0.50, ge=0, le=1, description="Least support of a sentence.")
    min_cosine: float = Field(0.35, ge=-1, le=1, description="Least cosine between claim and sentence.")


class Context(_Section):
    """What a model is sent to answer from; see rejoinder.corpus.shaping."""

    total_tokens: int = Field(
        20_000, ge=1_000, description="Most tokens of a whole call, its answer included."
    )
    evidence_tokens: int = Field(12_000, ge=250, description="Most tokens of the evidence lines.")
    summary_tokens: int = Field(1_500, ge=0, description="Most tokens of summaries.")
    question_tokens: int = Field(2_500, ge=50, description="Most tokens of the question or post.")
    pool: int = Field(120, ge=1, le=1_000, description="Passages that the evidence is chosen from.")
    duplicate_words: float = Field(0.80, gt=0, le=1, description="Shared word runs that make a repetition.")
    duplicate_cosine: float = Field(0.97, gt=0, le=1, description="Cosine that makes a repetition.")
    source_share: float = Field(
        0.50, gt=0, le=1, description="Share of the evidence that one source may take."
    )
    segment_share: float = Field(0.35, gt=0, le=1, description="Share that one chapter of a source may take.")
    relevance_weight: float = Field(3.0, ge=0, description="Weight of relevance beside coverage.")

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        parts = self.evidence_tokens + self.summary_tokens + self.question_tokens
        if parts > self.total_tokens:
            raise ValueError(
                f"evidence, summaries and question ({parts}) must fit total_tokens ({self.total_tokens})"
            )
        return self


class Answers(_Section):
    """When a question is answered; see rejoinder.research.answers.AnswerRule."""

    at_least: float = Field(0.5, gt=0, lt=1, description="Probability from which the corpus has an answer.")
    k: int = Field(3, ge=1, le=20, description="Most sentences quoted in an answer.")


class Rewards(_Section):
    """Weights of a reply's reward, in likes; see rejoinder.engagement.rewards."""

    reply: float = Field(2.0, ge=0, description="Weight of a reply, in likes.")
    repost: float = Field(3.0, ge=0, description="Weight of a repost, in likes.")
    cost_per_usd: float = Field(0.5, ge=0, description="Reward lost per US dollar that the reply cost.")


class Tuning(_Section):
    """The whole of rejoinder.toml."""

    stages: Stages = Stages()
    ingestion: Ingestion = Ingestion()
    chunking: Chunking = Chunking()
    thresholds: RelevanceThresholds = RelevanceThresholds()
    embedding: Embedding = Embedding()
    retrieval: Retrieval = Retrieval()
    evidence: Evidence = Evidence()
    context: Context = Context()
    answers: Answers = Answers()
    rewards: Rewards = Rewards()

    @overload
    def stage(self, name: Literal["chunk", "embed_posts"]) -> FirstStageTuning: ...
    @overload
    def stage(self, name: StepName) -> StageTuning: ...
    @overload
    def stage(self, name: Literal["publish"]) -> PublishTuning: ...
    @overload
    def stage(self, name: Literal["measure"]) -> MeasureTuning: ...
    def stage(self, name: str) -> _Section:
        """The tuning of one stage."""
        section: _Section = getattr(self.stages, name)
        return section


@lru_cache(maxsize=4)
def load_tuning(settings: Settings) -> Tuning:
    """Read rejoinder.toml: the file that REJOINDER_CONFIG names, else ./rejoinder.toml, else the defaults.

    Raises:
        ConfigInvalid: the file is missing, is not TOML, or has a wrong or unknown key; the message names it.
    """
    path = settings.config or Path("rejoinder.toml")
    if not path.exists():
        if settings.config:
            raise ConfigInvalid(f"REJOINDER_CONFIG names {path}, which does not exist.")
        return Tuning()
    try:
        return Tuning.model_validate(tomllib.loads(path.read_text("utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ConfigInvalid(f"{path} is not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"{path} cannot be read: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigInvalid(f"{path}: {where}: {_in_words(first['type'], first['msg'])}") from None


def _in_words(kind: str, message: str) -> str:
    """What is wrong with a key, without the library's own terms."""
    if kind == "extra_forbidden":
        return "there is no such key; rejoinder.example.toml has all there are"
    if kind == "model_type":
        return "a section with keys of its own is needed"
    return message.removeprefix("Value error, ")
