"""Scripted answers: which calls a script is for, and what they are answered with, one after the other."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from resources.sandbox.openai_faults import ModelFault, parse_fault
from resources.sandbox.openai_match import Matcher, Occasion, parse_matcher
from resources.sandbox.openai_sample_leaves import MARK

Then = Literal["last", "cycle", "default"]
CONTENT = ("text", "json", "raw", "refusal", "fault")
ANSWER_KEYS = (*CONTENT, "finish_reason", "usage")
RULE_KEYS = ("model", "match", "task", "answers", "then")
FINISH_REASONS = ("stop", "length", "content_filter", "tool_calls")


@dataclass(frozen=True, slots=True)
class Scripted:
    """One answer of a script: a text or a refusal (both None: the default answer), with a fault if one is scripted."""

    text: str | None = None
    refusal: str | None = None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    fault: ModelFault | None = None


@dataclass(slots=True)
class AnswerRule:
    """A script; given is the JSON it came from, taken how many answers were given out."""

    matcher: Matcher
    answers: tuple[Scripted, ...]
    then: Then
    given: dict[str, Any]
    taken: int = field(default=0)

    def take(self, occasion: Occasion) -> Scripted | None:
        """The next answer, if the call is meant and there is one left."""
        if not self.matcher.fits(occasion):
            return None
        place = self.taken
        if place >= len(self.answers):
            if self.then == "default":
                return None
            place = place % len(self.answers) if self.then == "cycle" else len(self.answers) - 1
        self.taken += 1
        return self.answers[place]


def parse_rule(raw: Any) -> AnswerRule:
    """A script from JSON.

    Raises:
        ValueError: an unknown key, no answers, or an answer that says two things or nothing.
    """
    if not isinstance(raw, dict):
        raise ValueError("a script must be a JSON object")
    if unknown := sorted(set(raw) - set(RULE_KEYS)):
        raise ValueError(f"a script has no {', '.join(unknown)}; it has {', '.join(RULE_KEYS)}")
    answers, then = raw.get("answers"), raw.get("then", "last")
    if not isinstance(answers, list) or not answers:
        raise ValueError("answers must be a list with at least one answer")
    if then not in get_args(Then):
        raise ValueError(f"then must be one of {', '.join(get_args(Then))}")
    return AnswerRule(parse_matcher(raw), tuple(map(parse_answer, answers)), then, raw)


def parse_answer(raw: Any) -> Scripted:
    """One answer: a text, or an object with one of text, json, raw, refusal or fault.

    Raises:
        ValueError: it is neither, or holds an unknown key.
    """
    if isinstance(raw, str):
        return Scripted(marked_text(raw))
    if not isinstance(raw, dict) or set(raw) - set(ANSWER_KEYS) or not set(raw) & set(ANSWER_KEYS):
        raise ValueError(f"an answer must be text or an object with {', '.join(ANSWER_KEYS)}")
    if len(set(raw) & {"text", "json", "raw", "refusal"}) > 1:
        raise ValueError("an answer has one of text, json, raw and refusal")
    for name in ("text", "raw", "refusal"):
        if name in raw and not isinstance(raw[name], str):
            raise ValueError(f"{name} must be text")
    if raw.get("finish_reason", "stop") not in FINISH_REASONS:
        raise ValueError(f"finish_reason must be one of {', '.join(FINISH_REASONS)}")
    if not isinstance(raw.get("usage", {}), dict):
        raise ValueError("usage must be an object")
    fault = parse_fault(raw["fault"]) if "fault" in raw else None
    return Scripted(text_of(raw), refusal_of(raw), raw.get("finish_reason"), raw.get("usage"), fault)


def text_of(raw: dict[str, Any]) -> str | None:
    """The content of an answer; text carries the mark, raw and JSON are sent as they are."""
    if "json" in raw:
        return json.dumps(raw["json"], ensure_ascii=False)
    return marked_text(raw["text"]) if "text" in raw else raw.get("raw")


def refusal_of(raw: dict[str, Any]) -> str | None:
    """The refusal of an answer, marked."""
    return marked_text(raw["refusal"]) if "refusal" in raw else None


def marked_text(text: str) -> str:
    """A text that says that it is a rehearsal.

    >>> marked_text("Yes."), marked_text("A [rehearsal] of it.")
    ('[rehearsal] Yes.', 'A [rehearsal] of it.')
    """
    return text if MARK in text else f"{MARK} {text}"
