"""The models that are there to be asked, and what was counted about each.

Counts live as long as the process: they are proof about one run. What was set up is kept in the state file.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from resources.sandbox.openai_faults import seconds

Kind = Literal["chat", "embedding"]
MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model's limits, in tokens; dimensions are an embedding model's largest vector.

    latency_s is how long every answer takes before its first byte; requests_per_min and tokens_per_min (of prompts
    only) are counted in minutes from the first call.
    """

    id: str
    kind: Kind = "chat"
    context_tokens: int = 128_000
    max_output_tokens: int = 16_384
    dimensions: int = 1536
    latency_s: float = 0.0
    requests_per_min: int = 10_000_000
    tokens_per_min: int = 10_000_000_000

    def as_json(self) -> dict[str, Any]:
        """The shape that ``POST /sandbox/models`` takes."""
        return asdict(self)


BUILT_IN = (
    ModelCard("rehearsal"),
    ModelCard("rehearsal-small", context_tokens=4096, max_output_tokens=1024),
    ModelCard("rehearsal-embedding", kind="embedding", context_tokens=8192, max_output_tokens=0),
)


def parse_model(raw: Any) -> ModelCard:
    """A model from JSON.

    Raises:
        ValueError: it is not an object, has no id, an unknown key or a limit that is not a whole number >= 0.
    """
    if not isinstance(raw, dict):
        raise ValueError("a model must be a JSON object")
    known = ModelCard.__dataclass_fields__
    if unknown := sorted(set(raw) - set(known)):
        raise ValueError(f"a model has no {', '.join(unknown)}; it has {', '.join(known)}")
    if not isinstance(raw.get("id"), str) or not raw["id"]:
        raise ValueError("a model's id must be text")
    if raw.get("kind", "chat") not in get_args(Kind):
        raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}")
    latency_s = seconds("latency_s", raw.get("latency_s", 0.0))
    for name, held in raw.items():
        if name in ("id", "kind", "latency_s"):
            continue
        if type(held) is not int or held < (name == "dimensions"):
            raise ValueError(f"{name} must be a whole number, 0 or more (dimensions: 1 or more)")
    return ModelCard(**{**raw, "latency_s": latency_s})


class Allowance(NamedTuple):
    """What is left of a minute; reset_s is how long until the next one."""

    limit: int
    remaining: int
    reset_s: float
    is_allowed: bool


@dataclass(slots=True)
class Minute:
    """A fixed window of one minute."""

    limit: int
    clock: Callable[[], float] = time.monotonic
    started: float = float("-inf")
    used: int = 0

    def take(self, amount: int) -> Allowance:
        """Count this much, if it still fits."""
        now = self.clock()
        if now >= self.started + MINUTE_S:
            self.started, self.used = now, 0
        is_allowed = self.used + amount <= self.limit
        self.used += amount if is_allowed else 0
        return Allowance(self.limit, self.limit - self.used, self.started + MINUTE_S - now, is_allowed)


@dataclass(slots=True)
class Tally:
    """What one model saw since the process started.

    A call is in flight from when its request was read until just before the last byte of its answer is handed to
    the network, so a client that has seen the end of an answer is never counted any more. gone counts clients that
    left before their answer was whole.
    """

    calls: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    gone: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def enter(self) -> None:
        """A call begins."""
        self.calls += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def as_json(self) -> dict[str, Any]:
        """The counts, as the control path shows them."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**told, "statuses": dict(self.statuses), "faults": dict(self.faults)}


@dataclass(slots=True)
class Ticket:
    """One call's place in the counts of its model and of all; leaving twice counts once."""

    tallies: tuple[Tally, ...]
    is_inside: bool = True

    def leave(self) -> None:
        """The call is no longer in flight."""
        if self.is_inside:
            self.is_inside = False
            for tally in self.tallies:
                tally.in_flight -= 1

    def count(self, status: int | None, fault: str | None) -> None:
        """Note what the call is answered with; None where it gets no answer at all."""
        for tally in self.tallies:
            if status is not None:
                tally.statuses[str(status)] += 1
            if fault is not None:
                tally.faults[fault] += 1

    def count_tokens(self, prompt: int, completion: int) -> None:
        """Note the size of the call."""
        for tally in self.tallies:
            tally.prompt_tokens += prompt
            tally.completion_tokens += completion

    def count_gone(self) -> None:
        """Note that the client left early."""
        for tally in self.tallies:
            tally.gone += 1
