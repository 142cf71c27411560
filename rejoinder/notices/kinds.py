"""Kinds of notices: how grave each is, and how it ends.

What belongs here: the table of kinds. A kind that is not in it is a warning that ends when somebody has read it.
"""

from dataclasses import dataclass
from typing import Literal

# PagerDuty's own words, the least grave first (Events API v2, "severity").
Severity = Literal["info", "warning", "error", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "critical")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of notice is to people.

    lasts: it tells of a state that the database itself can see the end of; otherwise it tells of something that
    happened, and is over once somebody has read it.
    is_reminded: while it lasts and nobody has read it, sinks are told of it again, once a day.
    """

    severity: Severity
    title: str
    lasts: bool = False
    is_reminded: bool = False


KINDS: dict[str, Kind] = {
    # publishing
    "auth_expired": Kind(
        "critical", "The platform no longer takes a channel's credential", lasts=True, is_reminded=True
    ),
    "unknown_absent": Kind("error", "A reply may or may not be posted: somebody has to decide", lasts=True),
    "unknown_outcome": Kind(
        "error", "Nobody has seen for ten minutes whether a reply was posted", lasts=True
    ),
    "spend_cap": Kind("error", "A channel's budget is spent", lasts=True, is_reminded=True),
    "refused": Kind("warning", "The platform refused a reply for good"),
    "removed": Kind("warning", "The platform no longer shows a reply that was sent"),
    "keeps_failing": Kind("warning", "A reply is not taken, again and again", lasts=True),
    "missed_schedule": Kind("warning", "The time of a reply went by while nobody could send it"),
    "approval_void": Kind("warning", "An approval no longer counts"),
    "paused": Kind("warning", "Publishing was stopped by a person", lasts=True),
    "policy": Kind("info", "A channel's policy sent a reply back"),
    "handed_over": Kind("info", "A reply has to be posted by hand", lasts=True),
    "resumed": Kind("info", "Publishing goes on"),
    # listening
    "listen_trouble": Kind("error", "A channel cannot be listened to"),
    "listen_gap": Kind("warning", "Posts may have been missed"),
    "rule_refused": Kind("warning", "A platform does not take a listening rule"),
    "rules_beyond_budget": Kind("warning", "What is listened for would cost more than the budget"),
    "opt_out": Kind("info", "An author asked not to be answered"),
    # money
    "spend_warning": Kind("warning", "A channel's budget of the day is nearly spent"),
    "spend_warning_month": Kind("warning", "A channel's budget of the month is nearly spent"),
    # the installation
    "run_failed": Kind("error", "A run of Dagster failed"),
    "prompt_alias": Kind("warning", "A prompt is named differently here and in MLflow"),
    "test": Kind("info", "A test of a sink"),
}
OTHER = Kind("warning", "Something needs a person")


def kind_of(name: str) -> Kind:
    """The kind of that name, or one that is a warning."""
    return KINDS.get(name, OTHER)


def rank(severity: Severity) -> int:
    """How grave a severity is beside others, from 0.

    >>> rank("info") < rank("critical")
    True
    """
    return SEVERITIES.index(severity)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which kinds somebody wants to be told of: those at least so grave, or these and no others."""

    at_least: Severity
    only: frozenset[str] = frozenset()

    def takes(self, name: str) -> bool:
        """Whether a kind is wanted.

        >>> Choice("error").takes("refused"), Choice("error", frozenset({"refused"})).takes("refused")
        (False, True)
        """
        if self.only:
            return name in self.only
        return rank(kind_of(name).severity) >= rank(self.at_least)
