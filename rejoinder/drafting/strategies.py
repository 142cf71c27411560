"""Reply strategies: what kinds of reply there are, which are safe for a post, and how one is chosen.

What belongs here: the names and their conditions, the port `StrategyChooser`, and its default. A chooser
that learns belongs in rejoinder.learning. Every choice carries its propensity, because a choice without it
can never be evaluated later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from rejoinder.listening.post import Post
from rejoinder.research.evidence import Evidence
from rejoinder.triage.claims import main_claim

# Under this support a quote may be shown, but not offered as the answer to a question.
ANSWER_SUPPORT = 0.58


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to reply, by name; the description is for the people and models that read it."""

    name: str
    description: str


STRATEGIES = (
    Strategy("quote_first", "open with the quote, then say where it is from"),
    Strategy("add_context", "say that the topic came up and where, then quote"),
    Strategy("answer_then_source", "answer the question with the quote, then say where it is from"),
    Strategy("back_up", "agree, and back the post's statement with the quote"),
    Strategy("correct_gently", "offer the quote as another reading, without calling the author wrong"),
    Strategy("offer_listen", "quote, and offer the moment of the episode to listen on from"),
)
STRATEGY_NAMES = tuple(strategy.name for strategy in STRATEGIES)


@dataclass(frozen=True, slots=True)
class ChoiceContext:
    """What a chooser may know when it chooses; version says how the features were made."""

    version: str = "none"
    features: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen strategy, the probability with which it was chosen, and from which set.

    propensity lies in (0, 1]; candidate_set keeps the order in which candidates were offered.
    """

    action: str
    propensity: float
    candidate_set: tuple[str, ...]


class StrategyChooser(Protocol):
    """Chooses one of the safe strategies."""

    def choose(self, context: ChoiceContext, candidates: Sequence[str], rng: Random) -> Choice:
        """Choose one candidate; all randomness comes from rng.

        Raises:
            ValueError: there are no candidates.
        """


@dataclass(frozen=True, slots=True)
class UniformChooser:
    """Each safe strategy with the same probability: the default until a policy has earned better."""

    def choose(self, context: ChoiceContext, candidates: Sequence[str], rng: Random) -> Choice:
        """Choose evenly; the context plays no part."""
        if not candidates:
            raise ValueError("no strategy to choose from")
        return Choice(rng.choice(list(candidates)), 1.0 / len(candidates), tuple(candidates))


def safe_strategies(post: Post, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """The strategies that may be used, in the order of `STRATEGIES`; empty without evidence.

    A strategy that claims something (answers, agrees, corrects) is safe only where post and evidence bear
    it out; the others only point at the evidence.
    """
    if not evidence:
        return ()
    best = evidence[0]
    if best.verdict == "disputes":
        return ("correct_gently",)
    safe = {"quote_first", "add_context"}
    claim = main_claim(post.text)
    if claim is not None and claim.kind == "question" and best.support >= ANSWER_SUPPORT:
        safe.add("answer_then_source")
    if best.verdict == "supports":
        safe.add("back_up")
    if best.start_s is not None:
        safe.add("offer_listen")
    return tuple(name for name in STRATEGY_NAMES if name in safe)
