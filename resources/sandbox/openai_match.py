"""Which calls an answer or a fault is meant for."""

import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

Endpoint = Literal["chat", "embeddings"]


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a call is told by; text is the last user message or the first input, task what the client calls it."""

    model: str
    endpoint: Endpoint
    text: str
    task: str | None


@dataclass(frozen=True, slots=True)
class Matcher:
    """Conditions of which all must hold; one that is None always does.

    model is a regular expression for the whole name, match one for a part of the text.
    """

    model: re.Pattern[str] | None = None
    match: re.Pattern[str] | None = None
    task: str | None = None
    endpoint: Endpoint | None = None

    def fits(self, occasion: Occasion) -> bool:
        """Whether a call is meant."""
        return (
            (self.endpoint is None or self.endpoint == occasion.endpoint)
            and (self.task is None or self.task == occasion.task)
            and (self.model is None or self.model.fullmatch(occasion.model) is not None)
            and (self.match is None or self.match.search(occasion.text) is not None)
        )

    def as_json(self) -> dict[str, Any]:
        """The conditions that are set."""
        told = {
            "model": self.model and self.model.pattern,
            "match": self.match and self.match.pattern,
            "task": self.task,
            "endpoint": self.endpoint,
        }
        return {name: held for name, held in told.items() if held is not None}


def parse_matcher(raw: dict[str, Any]) -> Matcher:
    """The conditions among an object's keys.

    Raises:
        ValueError: a pattern is not a regular expression, or a value is not text.
    """
    for name in ("model", "match", "task", "endpoint"):
        if not isinstance(raw.get(name), str | None):
            raise ValueError(f"{name} must be text")
    endpoint = raw.get("endpoint")
    if endpoint is not None and endpoint not in get_args(Endpoint):
        raise ValueError(f"endpoint must be one of {', '.join(get_args(Endpoint))}")
    return Matcher(
        pattern("model", raw.get("model")), pattern("match", raw.get("match")), raw.get("task"), endpoint
    )


def pattern(name: str, text: str | None) -> re.Pattern[str] | None:
    """A compiled pattern, if there is one."""
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise ValueError(f"{name} is not a regular expression: {error}") from None
