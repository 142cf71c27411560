"""Faults of the models' API on order: which there are, and which call each of them strikes."""

import random
from dataclasses import dataclass, field
from typing import Any

from resources.sandbox.openai_match import Matcher, Occasion, parse_matcher

# What happens to the call, and what a table for people says about it.
KINDS: dict[str, str] = {
    "slow": "the answer starts after `delay_s`",
    "slow_stream": "`delay_s` between the pieces of the answer",
    "hold": "the answer waits until `POST /sandbox/models/release`",
    "hang": "nothing is ever answered; ends when the client leaves",
    "stall": "half the answer, then nothing; ends when the client leaves",
    "drop": "the connection closes before the answer",
    "drop_mid": "the connection closes after half the answer",
    "truncated": "the headers tell the whole length, half of it comes",
    "stream_error": "in a stream an error event after half of it; else 500",
    "invalid_json": "200 with a body that is not JSON",
    "html": "502 with a proxy's HTML page",
    "html_200": "200 with an HTML page",
    "429": "rate limit, `Retry-After` in seconds, `x-ratelimit-*`",
    "429_http_date": "rate limit, `Retry-After` as an HTTP date",
    "429_ratelimit": "rate limit, no `Retry-After`, `x-ratelimit-*` only",
    "429_no_headers": "rate limit without any time to come back",
    "insufficient_quota": "429 that no waiting lifts",
    "401": "the key is refused",
    "403": "the key may not use the model",
    "408": "the server gave up waiting",
    "500": "server error",
    "502": "bad gateway",
    "503": "overloaded",
    "529": "overloaded, as some providers say it",
    "context_overflow": "400 `context_length_exceeded`",
    "unknown_model": "404 `model_not_found`",
    "wrong_schema": "JSON that the asked schema refuses",
    "fenced": "JSON inside of a ```` ```json ```` fence",
    "prose": "a sentence before the JSON",
    "cut_off": "half the text, `finish_reason` `length`",
    "not_json": "text where JSON was asked for",
    "refusal": "`content` null, `refusal` set",
    "empty": "`content` is an empty string",
    "content_filter": "`content` empty, `finish_reason` `content_filter`",
    "no_choices": "`choices` is an empty list",
    "no_usage": "no `usage` in the answer",
    "wrong_usage": "`usage` whose numbers do not add up",
    "too_few": "embeddings: one vector fewer than inputs",
    "wrong_dimensions": "embeddings: one number fewer than asked for",
}
KEYS = ("kind", "delay_s", "retry_after_s", "times", "share", "seed", "model", "match", "task", "endpoint")
LONGEST_S = 3600.0


@dataclass(frozen=True, slots=True)
class ModelFault:
    """One thing that goes wrong once; retry_after_s is None where no time was ordered."""

    kind: str
    delay_s: float = 3.0
    retry_after_s: float | None = None


@dataclass(slots=True)
class OrderedFault:
    """A fault that waits: for the next ``times`` calls, for a ``share`` of all, or for a share as often as times."""

    fault: ModelFault
    matcher: Matcher
    times: int | None
    share: float | None
    seed: int
    draws: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.draws = random.Random(self.seed)

    def strikes(self, occasion: Occasion) -> bool:
        """Whether this call is struck; a call that is counts against times."""
        if self.times == 0 or not self.matcher.fits(occasion):
            return False
        if self.share is not None and self.draws.random() >= self.share:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def as_json(self) -> dict[str, Any]:
        """The order as it may be given again; times is what is left."""
        fault = {"kind": self.fault.kind, "delay_s": self.fault.delay_s}
        order = {"times": self.times, "share": self.share, "retry_after_s": self.fault.retry_after_s}
        given = {name: held for name, held in order.items() if held is not None}
        seed = {} if self.share is None else {"seed": self.seed}
        return {**fault, **given, **seed, **self.matcher.as_json()}


def parse_fault(raw: Any) -> ModelFault:
    """What goes wrong, from JSON.

    Raises:
        ValueError: an unknown kind or a time out of range.
    """
    if not isinstance(raw, dict) or raw.get("kind") not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    retry = raw.get("retry_after_s")
    return ModelFault(
        raw["kind"],
        seconds("delay_s", raw.get("delay_s", 3.0)),
        None if retry is None else seconds("retry_after_s", retry),
    )


def parse_order(raw: Any) -> OrderedFault:
    """An order, from JSON: without times and share it is for one call.

    Raises:
        ValueError: an unknown key or kind, or a value out of range.
    """
    fault = parse_fault(raw)
    if unknown := sorted(set(raw) - set(KEYS)):
        raise ValueError(f"a fault has no {', '.join(unknown)}; it has {', '.join(KEYS)}")
    share, times, seed = raw.get("share"), raw.get("times"), raw.get("seed", 0)
    if share is not None and not (is_number(share) and 0 < share <= 1):
        raise ValueError("share must be more than 0 and at most 1")
    if times is None and share is None:
        times = 1
    if times is not None and not (type(times) is int and times >= 1):
        raise ValueError("times must be a whole number, 1 or more")
    if type(seed) is not int:
        raise ValueError("seed must be a whole number")
    return OrderedFault(fault, parse_matcher(raw), times, share, seed)


def seconds(name: str, value: Any) -> float:
    """A span of time.

    Raises:
        ValueError: it is not a number between 0 and 3600.
    """
    if not is_number(value) or not 0 <= value <= LONGEST_S:
        raise ValueError(f"{name} must be a number of seconds between 0 and {LONGEST_S:.0f}")
    return float(value)


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
