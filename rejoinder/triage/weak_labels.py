"""Cold start: weak labels until reviewers have decided enough, and the examples made of both.

What belongs here: who says that a post is relevant, and with what weight.

**What a held-out score means.** A weak label comes from a rule (clear similarity to the corpus and the
corpus's own keywords agree, or both are absent). Scored on held-out posts with weak labels, a
classifier shows only how well it carries that rule over to unseen posts: agreement with a rule, not
quality. Two things keep it from being the rule's own threshold again: posts between the two ends get
no weak label at all, and the features that the rule reads are withheld while labels are mostly weak
(`features.RULE_FEATURES`). Only a score on held-out *review decisions* says how good triage is, and
`classifier.Metrics.labels_from` always tells which of the two a score is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rejoinder.errors import ConfigInvalid

LabelSource = Literal["weak", "review"]


@dataclass(frozen=True, slots=True)
class Label:
    """Whether a post is relevant, who says so, and how much that counts (weight > 0)."""

    is_relevant: bool
    source: LabelSource
    weight: float
    reason: str


@dataclass(frozen=True, slots=True)
class LabelRule:
    """The cold-start rule.

    A post is weakly relevant at ``near`` or more similarity with ``min_keywords`` keywords of the
    corpus in it, weakly irrelevant at ``far`` or less with none. Cosines in [-1, 1].
    """

    near: float = 0.42
    far: float = 0.25
    min_keywords: int = 1
    weak_weight: float = 1.0
    review_weight: float = 10.0

    def __post_init__(self) -> None:
        """Refuse a rule that could call one post both."""
        if not self.far < self.near or self.min_keywords < 1:
            raise ConfigInvalid("label rule: far < near and min_keywords >= 1 are needed")


def weak_label(similarity: float, keyword_hits: int, *, rule: LabelRule) -> Label | None:
    """Label a post from the rule, or abstain (None) where its two signs differ or are middling.

    >>> weak_label(0.6, 2, rule=LabelRule()).is_relevant
    True
    >>> weak_label(0.6, 0, rule=LabelRule()) is None
    True
    """
    if similarity >= rule.near and keyword_hits >= rule.min_keywords:
        reason = f"similarity {similarity:.2f} and {keyword_hits} keywords of the corpus"
        return Label(True, "weak", rule.weak_weight, reason)
    if similarity <= rule.far and keyword_hits == 0:
        return Label(False, "weak", rule.weak_weight, f"similarity {similarity:.2f} and no keyword")
    return None


def review_label(
    decision: Literal["approved", "rejected"], reject_reason: str, *, rule: LabelRule
) -> Label | None:
    """Label a post from a person's decision; a person outweighs the rule.

    Args:
        decision: what the reviewer decided about the draft.
        reject_reason: the reviewer's reason code, empty for an approval.
        rule: holds the weight of a person's word.

    Returns:
        None where the decision was about the draft and not the post: only a rejection with the reason
        ``off_topic`` says that the post should not have come up.
    """
    if decision == "approved":
        return Label(True, "review", rule.review_weight, "a reviewer approved a reply")
    if reject_reason == "off_topic":
        return Label(False, "review", rule.review_weight, "a reviewer found the post not relevant")
    return None


def settle_label(weak: Label | None, reviews: Sequence[Label]) -> Label | None:
    """The label that counts: the latest review decision, else the weak label, else none."""
    return reviews[-1] if reviews else weak
