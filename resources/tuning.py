"""rejoinder.toml: tuning per stage, thresholds and retrieval. Validated; every value has a default."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self, overload

from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from rejoinder.errors import ConfigInvalid
from resources.settings import Settings
from resources.tuning_models import LOCAL, EndpointTuning, ModelBudget, Models, Name, ReplyCache
from resources.tuning_notifications import Notifications
from resources.tuning_sections import (
    Answers,
    Chunking,
    Compliance,
    Context,
    Evidence,
    Ingestion,
    Links,
    Listening,
    RelevanceThresholds,
    Rewards,
    Section,
)

NO_RESCORER = "off"
StepName = Literal[
    "fetch", "extract", "chunk", "embed_chunks", "keywords", "summarise", "embed_posts", "relevance", "claims",
    "evidence", "decide", "draft", "check",
]  # fmt: skip


class _Retries(Section):
    """What every stage honours: how long one row may take, and what happens when it fails."""

    timeout_s: float = Field(30.0, gt=0, description="Seconds one row may take.")
    max_attempts: int = Field(3, ge=1, description="Failures after which a row is dead.")
    backoff_s: float = Field(
        60.0,
        ge=0,
        description="Seconds until a failed row is tried again; each failure doubles them, up to an hour.",
    )


class _Sensed(Section):
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


class Stages(Section):
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


class Embedding(Section):
    """Which model turns texts into vectors; `rejoinder models` lists them."""

    model: str = Field(
        "all-MiniLM-L6-v2", description="Name of the model; another one is built beside the one in use."
    )


class Retrieval(Section):
    """Hybrid retrieval: how many passages each leg brings, how they are fused, and who orders them last."""

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
    rescorer: str = Field(
        NO_RESCORER,
        min_length=1,
        description="File of the re-scorer that puts what was found in its last order; off is none.",
    )
    rescored: int = Field(50, ge=1, le=1_000, description="Passages that the re-scorer looks at, best first.")

    @field_validator("rescorer")
    @classmethod
    def _beside_the_file(cls, rescorer: str, info: ValidationInfo) -> str:
        """A path counts from the folder of the file that names it."""
        folder = (info.context or {}).get("folder")
        return rescorer if rescorer == NO_RESCORER or folder is None else str(folder / rescorer)


class Tuning(Section):
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
    listening: Listening = Listening()
    compliance: Compliance = Compliance()
    links: Links = Links()
    rewards: Rewards = Rewards()
    endpoints: dict[Name, EndpointTuning] = Field(
        {}, description="Models that may be called, each a section of its own: [endpoints.NAME]."
    )
    models: Models = Models()
    budget: ModelBudget = ModelBudget()
    cache: ReplyCache = ReplyCache()
    notifications: Notifications = Notifications()

    @model_validator(mode="after")
    def _endpoints_are_there(self) -> Self:
        named = {"models.default": self.models.default}
        for task, chosen in self.models.tasks.items():
            named[f"models.tasks.{task}"] = (*chosen.endpoints, *chosen.challenger)
        for where, names in named.items():
            missing = sorted(set(names) - set(self.endpoints) - {LOCAL})
            if missing:
                raise ValueError(f"{where}: there is no section [endpoints.{missing[0]}]")
            mute = [
                name for name in names if name != LOCAL and "text" not in self.endpoints[name].capabilities
            ]
            if mute:
                raise ValueError(f"{where}: the endpoint {mute[0]} writes no text (its capabilities)")
        if LOCAL in self.endpoints:
            raise ValueError(f"endpoints.{LOCAL}: this name is taken by the answers that need no model")
        return self

    @overload
    def stage(self, name: Literal["chunk", "embed_posts"]) -> FirstStageTuning: ...
    @overload
    def stage(self, name: StepName) -> StageTuning: ...
    @overload
    def stage(self, name: Literal["publish"]) -> PublishTuning: ...
    @overload
    def stage(self, name: Literal["measure"]) -> MeasureTuning: ...
    def stage(self, name: str) -> Section:
        """The tuning of one stage."""
        section: Section = getattr(self.stages, name)
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
        given = tomllib.loads(path.read_text("utf-8"))
        return Tuning.model_validate(given, context={"folder": path.absolute().parent})
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
