"""The relevance cascade: a similarity floor, then a classifier's probability with hysteresis.

What belongs here: the decision and its reason in words. How the probability comes about belongs in
classifier.py and model.py.

The floor is cheap and turns away most posts; between ``reject`` and ``accept`` a post is borderline,
and a post decided before keeps its decision until it crosses the far edge, so that a retrained
classifier does not make posts flap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rejoinder.errors import ConfigInvalid

Relevance = Literal["accepted", "borderline", "rejected"]
TOP_K = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the cascade cuts.

    floor and strong are cosines in [-1, 1]: below floor a post is rejected unread; from strong on it
    is accepted while there is no classifier. reject < accept are probabilities in [0, 1].
    """

    floor: float = 0.30
    strong: float = 0.45
    reject: float = 0.35
    accept: float = 0.60

    def __post_init__(self) -> None:
        """Refuse thresholds that leave no band or no order."""
        if not 0 <= self.reject < self.accept <= 1:
            raise ConfigInvalid("thresholds: 0 <= reject < accept <= 1 is needed")
        if not -1 <= self.floor <= self.strong <= 1:
            raise ConfigInvalid("thresholds: -1 <= floor <= strong <= 1 is needed")


@dataclass(frozen=True, slots=True)
class RelevanceDecision:
    """What was decided about one post and why.

    similarity is a cosine; probability is None where no classifier was asked. reason is one sentence
    for a person.
    """

    decision: Relevance
    similarity: float
    probability: float | None
    reason: str


def corpus_similarity(similarities: Sequence[float]) -> float:
    """Mean of the three highest similarities of a post to the corpus's chunks; 0.0 for an empty corpus.

    Three rather than one, because one odd chunk is often near to anything.

    >>> round(corpus_similarity([0.1, 0.5, 0.4, 0.3]), 3)
    0.4
    """
    top = sorted(similarities, reverse=True)[:TOP_K]
    return float(sum(top) / len(top)) if top else 0.0


def decide_relevance(
    similarity: float,
    probability: float | None,
    *,
    thresholds: Thresholds,
    previous: Relevance | None = None,
    summoned: bool = False,
) -> RelevanceDecision:
    """Decide whether a post concerns the corpus.

    Args:
        similarity: `corpus_similarity` of the post, a cosine.
        probability: the classifier's probability that the post is relevant; None before there is a
            classifier, then similarity alone decides.
        thresholds: where to cut.
        previous: the decision this post had before, if any; it holds inside the band.
        summoned: the author called us; the post is then never rejected here, the evidence decides.
    """
    decision, reason = _cut(similarity, probability, thresholds)
    if decision == "borderline" and previous in ("accepted", "rejected"):
        decision, reason = previous, f"{reason}; it keeps its earlier decision"
    if decision == "rejected" and summoned:
        decision, reason = "borderline", f"{reason}; but the author called us, so evidence decides"
    return RelevanceDecision(decision, similarity, probability, reason)


def _cut(similarity: float, probability: float | None, cut: Thresholds) -> tuple[Relevance, str]:
    if similarity < cut.floor:
        return "rejected", f"similarity to the corpus {similarity:.2f} is under the floor {cut.floor:.2f}"
    if probability is None:
        return _cut_without_classifier(similarity, cut)
    if probability >= cut.accept:
        return "accepted", f"probability {probability:.2f} reaches {cut.accept:.2f}"
    if probability < cut.reject:
        return "rejected", f"probability {probability:.2f} is under {cut.reject:.2f}"
    return "borderline", f"probability {probability:.2f} lies between {cut.reject:.2f} and {cut.accept:.2f}"


def _cut_without_classifier(similarity: float, cut: Thresholds) -> tuple[Relevance, str]:
    if similarity >= cut.strong:
        return "accepted", f"similarity {similarity:.2f} reaches {cut.strong:.2f}, no classifier yet"
    return "borderline", f"similarity {similarity:.2f} is under {cut.strong:.2f}, no classifier yet"
