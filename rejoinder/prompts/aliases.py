"""Aliases of prompts: which version of a task's prompt is in force, which one is tried beside it.

What belongs here: the rules alone: who gets the challenger, and what holds where two registries differ. A version is
named by its prompt_version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from rejoinder.llm.choosing import arm_of
from rejoinder.llm.requests import Arm
from rejoinder.prompts.loader import Prompt

Alias = Literal["champion", "challenger"]
ALIASES: tuple[Alias, ...] = get_args(Alias)
# Hashed with the task, so that who gets the challenger of a prompt says nothing about who gets another model.
SALT = "prompt/"


@dataclass(frozen=True, slots=True)
class Aliases:
    """Who carries the aliases of one task; None where nobody does. No version carries both."""

    champion: str | None = None
    challenger: str | None = None

    def __post_init__(self) -> None:
        """A version that is in force is not tried beside itself."""
        if self.champion is not None and self.champion == self.challenger:
            raise ValueError(f"{self.champion} cannot be champion and challenger at once")

    def with_champion(self, version: str) -> "Aliases":
        """The same with another champion; as challenger it stands down.

        >>> Aliases("a", "b").with_champion("b")
        Aliases(champion='b', challenger=None)
        """
        return Aliases(version, None if version == self.challenger else self.challenger)

    def as_mapping(self) -> Mapping[Alias, str | None]:
        """Version by alias."""
        return {"champion": self.champion, "challenger": self.challenger}


@dataclass(frozen=True, slots=True)
class InForce:
    """The prompts of one task that are in use."""

    champion: Prompt
    challenger: Prompt | None = None

    def choose(self, task: str, unit: str, challenger_share: float) -> tuple[Prompt, Arm]:
        """The prompt for one unit of work, such as ``post:12``; the same unit always gets the same.

        Args:
            task: the task that the prompts are of.
            unit: what is hashed.
            challenger_share: the challenger's share of all units, in [0, 1].
        """
        if self.challenger is not None and arm_of(SALT + task, unit, challenger_share) == "challenger":
            return self.challenger, "challenger"
        return self.champion, "champion"


def settle(agreed: str | None, ours: str | None, theirs: str | None) -> tuple[str | None, bool]:
    """What an alias means where two registries hold it, and whether both had changed it.

    Whoever changed it since they last agreed is followed; where both did, ours is.

    >>> settle("a", ours="a", theirs="b"), settle("a", ours="b", theirs="a"), settle("a", ours="b", theirs="c")
    (('b', False), ('b', False), ('b', True))
    """
    if ours == agreed:
        return theirs, False
    return ours, theirs not in (agreed, ours)
