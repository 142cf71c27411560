"""Sections of rejoinder.toml whose keys one part of the product reads each.

What belongs here: values with their limits. The whole file, the sections of stages and of retrieval stand in
tuning.py.
"""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    StringConstraints,
    field_validator,
    model_validator,
)

from rejoinder.corpus.moments import Form, own_forms
from rejoinder.errors import ConfigInvalid


class Section(BaseModel):
    """A section: unknown keys and infinite numbers are refused, nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Ingestion(Section):
    """What is taken in."""

    largest_mib: int = Field(
        64, ge=1, le=1_024, description="Largest input, in MiB, as it comes and unpacked."
    )
    feed_interval_s: int = Field(3_600, ge=60, description="Seconds between two looks at a feed.")
    largest_feed_mib: int = Field(32, ge=1, le=32, description="Largest feed, in MiB.")
    feed_items: int = Field(
        500, ge=1, le=20_000, description="Items of a feed taken in at one look; the next look goes on."
    )

    @property
    def feed_limits(self) -> tuple[int, int, int]:
        """Seconds between two looks at a feed, its largest size in bytes, items at one look."""
        return self.feed_interval_s, self.largest_feed_mib * 2**20, self.feed_items

    @property
    def largest_bytes(self) -> int:
        """The largest input in bytes."""
        return self.largest_mib * 2**20


class Chunking(Section):
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
    name_speakers: bool = Field(
        True,
        description="Speakers' names are embedded and indexed with what they say; never quoted or shown.",
    )
    indexed_tokens: int = Field(
        254,
        ge=20,
        le=8_000,
        description="Most tokens of a chunk with its speakers' names; what the model reads.",
    )

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        if self.overlap_tokens >= self.max_tokens:
            raise ValueError(
                f"overlap_tokens ({self.overlap_tokens}) must be below max_tokens ({self.max_tokens})"
            )
        return self


class RelevanceThresholds(Section):
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


class Evidence(Section):
    """What counts as evidence; see rejoinder.research.evidence.EvidenceRule."""

    k: int = Field(3, ge=1, le=20, description="Most sentences kept per claim.")
    at_least: float = Field(0.50, ge=0, le=1, description="Least support of a sentence.")
    min_cosine: float = Field(0.35, ge=-1, le=1, description="Least cosine between claim and sentence.")


class Context(Section):
    """What a model is sent to answer from; see rejoinder.corpus.shaping."""

    total_tokens: int = Field(
        20_000, ge=1_000, description="Most tokens of a whole call, its answer included."
    )
    evidence_tokens: int = Field(12_000, ge=250, description="Most tokens of the evidence lines.")
    summary_tokens: int = Field(1_500, ge=0, description="Most tokens of summaries.")
    question_tokens: int = Field(2_500, ge=50, description="Most tokens of the question or post.")
    pool: int = Field(240, ge=1, le=1_000, description="Passages that the evidence is chosen from.")
    duplicate_words: float = Field(0.80, gt=0, le=1, description="Shared word runs that make a repetition.")
    duplicate_cosine: float = Field(0.97, gt=0, le=1, description="Cosine that makes a repetition.")
    source_share: float = Field(
        0.50, gt=0, le=1, description="Share of the evidence that one source may take."
    )
    segment_share: float = Field(0.35, gt=0, le=1, description="Share that one chapter of a source may take.")
    relevance_weight: float = Field(3.0, ge=0, description="Weight of relevance beside coverage.")
    source_weight: float = Field(
        0.5, ge=0, description="Weight of a source's best passage beside a passage's own score."
    )

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        parts = self.evidence_tokens + self.summary_tokens + self.question_tokens
        if parts > self.total_tokens:
            raise ValueError(
                f"evidence, summaries and question ({parts}) must fit total_tokens ({self.total_tokens})"
            )
        return self


class Listening(Section):
    """What is listened for; see rejoinder.listening.company."""

    subject_share: float = Field(
        0.20,
        ge=0,
        le=1,
        description="Share of the sources from which a word is listened for alone; 0: every name is.",
    )
    first_look_back_h: float = Field(
        24.0,
        ge=0,
        le=168,
        description="Hours that the first search of a new rule on X reads back, beyond the sandbox; 0: none.",
    )


class Compliance(Section):
    """How heard posts are looked up again and forgotten; see rejoinder.listening.standing."""

    interval_s: int = Field(300, ge=30, description="Seconds between two looks for posts that are due.")
    keep_days: int = Field(
        30,
        ge=0,
        le=3_650,
        description="Days after which posts left alone are purged, where the policy allows no training; 0: never.",
    )


class Answers(Section):
    """When a question is answered; see rejoinder.research.answers.AnswerRule."""

    at_least: float = Field(0.5, gt=0, lt=1, description="Probability from which the corpus has an answer.")
    k: int = Field(3, ge=1, le=20, description="Most sentences quoted in an answer.")


# A host alone: what is written as an address would never be met.
OwnHost = Annotated[
    str, StringConstraints(to_lower=True, pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", max_length=253)
]


class Links(Section):
    """Links of our own that count visits."""

    own_hosts: tuple[OwnHost, ...] = Field(
        (),
        description="Hosts of your own, such as shop.example, that are told which link a visitor came over, to tell "
        "conversions.",
    )
    click_parameter: str = Field(
        "rj", pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$", description="Name of the parameter that tells them."
    )
    proxies: tuple[IPvAnyNetwork, ...] = Field(
        (IPv4Network("127.0.0.1/32"), IPv6Network("::1/128")),
        description="Networks of your proxies: what they say in X-Forwarded-For tells readers of links apart.",
    )
    players: dict[OwnHost, str] = Field(
        {},
        description="How players of your own name a second, by host, such as "
        '"play.example" = "{url}#t={seconds}"; also ?t=, {seconds}s, {clock}, {units}.',
    )
    keep_visits_days: int = Field(
        90,
        ge=1,
        le=3_650,
        description="Days that visits are kept by day and by site; then a month of a link is one number.",
    )

    @field_validator("players")
    @classmethod
    def _are_readable(cls, players: dict[str, str]) -> dict[str, str]:
        try:
            own_forms(players)
        except ConfigInvalid as error:
            raise ValueError(f"{error} {error.fix}") from None
        return players

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms of players of one's own."""
        return own_forms(self.players)


class Rewards(Section):
    """Weights of a reply's reward, for creators for whom nobody set any; see rejoinder.engagement.rewards."""

    engagement: float = Field(1.0, ge=0, description="Weight of engagement against what is usual.")
    growth: float = Field(0.3, ge=0, description="Weight of impressions against the creator's median.")
    conversion: float = Field(
        0.5, ge=0, description="Weight of conversions against the creator's usual rate."
    )

    reply: float = Field(2.0, ge=0, description="Weight of a reply, in likes.")
    repost: float = Field(3.0, ge=0, description="Weight of a repost, in likes.")
    cost_per_usd: float = Field(0.5, ge=0, description="Reward lost per US dollar that the reply cost.")
