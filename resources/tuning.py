"""rejoinder.toml: tuning per stage, thresholds and retrieval. Validated; every value has a default."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rejoinder.errors import ConfigInvalid
from resources.settings import Settings

StepName = Literal[
    "chunk", "embed_chunks", "keywords", "embed_posts", "relevance", "claims", "evidence", "decide", "draft",
    "check", "publish", "measure",
]  # fmt: skip


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StageTuning(_Section):
    """How one stage works off what is due."""

    batch: int = Field(100, ge=1, le=10_000, description="Rows claimed at once.")
    group: int = Field(1, ge=1, le=1_000, description="Rows worked on together; a model call's batch.")
    timeout_s: float = Field(30.0, gt=0, description="Seconds one row may take.")
    max_attempts: int = Field(3, ge=1, description="Failures after which a row is dead.")
    max_crashes: int = Field(25, ge=1, description="Crashes with the row in hand after which it is dead.")
    backoff_s: float = Field(60.0, ge=0, description="Seconds until a failed row is tried again.")
    concurrency: int = Field(1, ge=1, le=64, description="Workers of this stage side by side in one run.")
    interval_s: int = Field(15, ge=5, description="Seconds between two looks of the stage's sensor.")


def _stages() -> dict[StepName, StageTuning]:
    return {
        "chunk": StageTuning(batch=8, timeout_s=120),
        "embed_chunks": StageTuning(batch=4, timeout_s=600),
        "keywords": StageTuning(batch=8, timeout_s=120),
        "embed_posts": StageTuning(batch=256, group=64),
        "relevance": StageTuning(batch=500, group=100),
        "claims": StageTuning(batch=200, group=50),
        "evidence": StageTuning(batch=64, group=16),
        "decide": StageTuning(batch=200),
        "draft": StageTuning(batch=100, timeout_s=60),
        "check": StageTuning(batch=200),
        "publish": StageTuning(batch=10, timeout_s=60, max_attempts=5, interval_s=15),
        "measure": StageTuning(batch=100, group=100),
    }


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


class Retrieval(_Section):
    """Hybrid retrieval: how many passages each leg brings and how they are fused."""

    candidates: int = Field(50, ge=1, le=1_000, description="Passages per leg before fusion.")
    passages: int = Field(6, ge=1, le=100, description="Passages kept per claim.")
    rrf_k: int = Field(60, ge=1, description="Damping constant of reciprocal rank fusion.")


class Evidence(_Section):
    """What counts as evidence; see rejoinder.research.evidence.EvidenceRule."""

    k: int = Field(3, ge=1, le=20, description="Most sentences kept per claim.")
    at_least: float = Field(0.50, ge=0, le=1, description="Least support of a sentence.")
    min_cosine: float = Field(0.35, ge=-1, le=1, description="Least cosine between claim and sentence.")


class Rewards(_Section):
    """Weights of a reply's reward, in likes; see rejoinder.engagement.rewards."""

    reply: float = Field(2.0, ge=0, description="Weight of a reply, in likes.")
    repost: float = Field(3.0, ge=0, description="Weight of a repost, in likes.")
    cost_per_usd: float = Field(0.5, ge=0, description="Reward lost per US dollar that the reply cost.")


class Tuning(_Section):
    """The whole of rejoinder.toml."""

    stages: dict[StepName, StageTuning] = Field(default_factory=_stages)
    thresholds: RelevanceThresholds = RelevanceThresholds()
    retrieval: Retrieval = Retrieval()
    evidence: Evidence = Evidence()
    rewards: Rewards = Rewards()

    def stage(self, name: StepName) -> StageTuning:
        """The tuning of one stage."""
        return self.stages[name]


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
        stages = given.pop("stages", {})
        merged = {name: tuning.model_dump() for name, tuning in _stages().items()}
        for name, values in stages.items():
            merged[name] = {**merged.get(name, {}), **values}
        return Tuning.model_validate({**given, "stages": merged})
    except tomllib.TOMLDecodeError as error:
        raise ConfigInvalid(f"{path} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigInvalid(f"{path}: {where}: {first['msg']}") from None
