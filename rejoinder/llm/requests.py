"""What is asked of a language model and what comes back, as values.

What belongs here: the shapes that every wrapper and provider of the gateway passes on. Nothing here knows a provider.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

MessageRole = Literal["system", "user", "assistant"]
# Why a model stopped: it was done, the limit of tokens was reached, or its filter cut the answer.
Finish = Literal["stop", "length", "filtered"]
# Which side of an A/B split a call was on.
Arm = Literal["champion", "challenger"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: MessageRole
    text: str


@dataclass(frozen=True, slots=True)
class ReplySchema:
    """The shape of the answer: a JSON Schema (draft 2020-12) in canonical JSON, under a name of [A-Za-z0-9_-]."""

    name: str
    json: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn: at most max_tokens; temperature >= 0, 0 is greedy; top_p in (0, 1]."""

    max_tokens: int = 1_024
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LlmRequest:
    """One question to a language model.

    task names what it is for ("reply", "claims", ...): endpoints and budgets are chosen by it. schema is None where
    free text is wanted. prompt_version, input_ref ("post:12") and creator_id say what the call belongs to; ab_unit is
    what an A/B split hashes. offline gives the answer where no model is configured; like those four it is no part of
    what the answer of a model depends on.
    """

    task: str
    messages: tuple[Message, ...]
    schema: ReplySchema | None = None
    sampling: Sampling = Sampling()
    prompt_version: str | None = None
    input_ref: str | None = None
    creator_id: int | None = None
    ab_unit: str | None = None
    offline: Callable[[], str] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written; is_estimated where the provider did not say and they were counted here."""

    tokens_in: int
    tokens_out: int
    is_estimated: bool = False


@dataclass(frozen=True, slots=True)
class RawReply:
    """What one call of a provider gave; usage is None where it did not say."""

    text: str
    usage: Usage | None = None
    finish: Finish = "stop"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of one endpoint: outcome is "ok" or the kind of failure, latency_ms wall time, cost in US dollars."""

    endpoint: str
    model: str
    outcome: str
    latency_ms: float
    usage: Usage = Usage(0, 0)
    cost_usd: float = 0.0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LlmReply:
    """An answer, who gave it, and what it took.

    usage and cost_usd count all attempts, nothing where is_cached; attempts are in order, the last one gave the
    answer.
    """

    text: str
    model: str
    endpoint: str
    usage: Usage
    cost_usd: float
    finish: Finish
    latency_ms: float
    arm: Arm = "champion"
    attempts: tuple[Attempt, ...] = ()
    is_cached: bool = False
