"""When the corpus is held to answer a question: the rule, and what was fitted for each embedding model.

What belongs here: the signs, their weights by model, and the probability they make. Reading the signs off a
context stands in answers.py. docs/retrieval.md says on which questions the weights were fitted and how often each
rule is right on others.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple


class Signs(NamedTuple):
    """What speaks for the corpus holding an answer, each in [0, 1]; names as in SignWeights."""

    passage_cosine: float
    sentence_cosine: float
    passage_terms: float


@dataclass(frozen=True, slots=True)
class SignWeights:
    """A logistic function of three signs in [0, 1], fitted on one embedding model's cosines.

    The signs: the best passage's cosine to the question, the best sentence's, and the largest share of the
    question's terms, weighted by rarity, in one passage. cosine_floor is the cosine that texts have which are about
    different things: it counts as 0 wherever sentences are compared, 1 stays 1.
    """

    bias: float
    passage_cosine: float
    sentence_cosine: float
    passage_terms: float
    cosine_floor: float = 0.0


# By the model's URI. A model that is not here is judged by the first one's weights, with a note.
FITTED: Mapping[str, SignWeights] = MappingProxyType(
    {
        "onnx::all-MiniLM-L6-v2-int8": SignWeights(-7.5, 7.7, 3.8, 3.7),
        "onnx::multilingual-e5-small-int8": SignWeights(-6.0, 5.8, 5.5, 5.5, cosine_floor=0.77),
    }
)
DEFAULT_WEIGHTS = next(iter(FITTED.values()))


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """When the corpus is held to answer a question, and how the sentences are chosen.

    weights make the probability that it does; at_least is the one from which there is an answer. is_fitted is False
    where the weights are those of another model. k is the most sentences quoted; each needs share_of_best of the
    best one's score. overlap_weight and quality_weight are the shares of terms and of standing alone in a
    sentence's score; the rest is meaning.
    """

    weights: SignWeights = DEFAULT_WEIGHTS
    at_least: float = 0.5
    k: int = 3
    share_of_best: float = 0.75
    overlap_weight: float = 0.30
    quality_weight: float = 0.10
    is_fitted: bool = True

    def closeness(self, cosine: float) -> float:
        """A cosine as it counts, in [0, 1]: 0 up to the model's floor.

        >>> rule = AnswerRule(SignWeights(0, 1, 1, 1, cosine_floor=0.5))
        >>> rule.closeness(0.75), rule.closeness(0.2)
        (0.5, 0.0)
        """
        floor = self.weights.cosine_floor
        return min(1.0, max(0.0, (cosine - floor) / (1.0 - floor)))


def answer_rule(model: str, *, at_least: float, k: int) -> AnswerRule:
    """The rule for an embedding model by its URI.

    >>> answer_rule("onnx::no-such-model", at_least=0.5, k=3).is_fitted
    False
    """
    return AnswerRule(FITTED.get(model, DEFAULT_WEIGHTS), at_least=at_least, k=k, is_fitted=model in FITTED)


def not_fitted(model: str) -> str:
    """What is said wherever a model without weights of its own judges."""
    return (
        f"answers.at_least was not fitted for {model}: whether the corpus has an answer is judged by another "
        "model's weights. Try questions of your own, and set it by their probabilities."
    )


def probability(signs: Signs, rule: AnswerRule) -> float:
    """How likely it is that the corpus answers the question, in (0, 1).

    >>> rule = AnswerRule(SignWeights(bias=-2.0, passage_cosine=0, sentence_cosine=4.0, passage_terms=0))
    >>> round(probability(Signs(0, 0.5, 0), rule), 2)
    0.5
    """
    w = rule.weights
    weights = (w.passage_cosine, w.sentence_cosine, w.passage_terms)
    return 1.0 / (1.0 + math.exp(-w.bias - sum(a * sign for a, sign in zip(weights, signs, strict=True))))
