"""When a trained classifier may replace the one in force.

What belongs here: the rule that nothing is promoted because it is newer, and what a training needs to begin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rejoinder.triage.classifier import Classifier, Example, is_held_out, predict
from rejoinder.triage.comparison import Comparison, compare

# Fewer labelled posts of a kind than this teach a model noise; the similarity floor is better alone.
ENOUGH_EXAMPLES = 30
ENOUGH_HELD_OUT = 5
CHANCE = 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a new model replaces the champion, why, and the comparison where there was one."""

    standing: Literal["champion", "challenger"]
    reason: str
    comparison: Comparison | None = None


def too_few(examples: Sequence[Example]) -> str | None:
    """What is lacking for a training, in words; None if nothing is."""
    for name, wanted in (("relevant", True), ("irrelevant", False)):
        mine = [e for e in examples if e.label.is_relevant is wanted]
        held_out = sum(is_held_out(e.post_key) for e in mine)
        if len(mine) < ENOUGH_EXAMPLES or held_out < ENOUGH_HELD_OUT:
            return (
                f"{len(mine)} posts are labelled {name}, {held_out} of them held out; a training needs "
                f"{ENOUGH_EXAMPLES} and {ENOUGH_HELD_OUT}"
            )
    return None


def judge(
    classifier: Classifier, champion: Classifier | None, held_out: Sequence[Example], *, seed: int
) -> Verdict:
    """Whether a new model replaces the champion.

    Args:
        classifier: the new model.
        champion: the model in force, if there is one.
        held_out: labelled posts that neither was trained on, of both kinds.
        seed: for the bootstrap.
    """
    if champion is None:
        score = classifier.metrics.roc_auc
        if score is None or score <= CHANCE:
            return Verdict("challenger", "the first model, but no better than chance on held-out posts")
        return Verdict("champion", "the first model")
    if champion.n_features != classifier.n_features:
        return Verdict("champion", "the champion was trained on other features and cannot be used any more")
    x = np.stack([e.x for e in held_out])
    found = compare(
        np.array([e.label.is_relevant for e in held_out]),
        challenger=predict(classifier, x),
        champion=predict(champion, x),
        rng=np.random.default_rng(seed),
    )
    return Verdict("champion" if found.is_better else "challenger", _in_words(found), found)


def _in_words(found: Comparison) -> str:
    gain = f"{found.difference:+.3f} average precision, 95 % interval {found.low:+.3f} to {found.high:+.3f}"
    verdict = "better than" if found.is_better else "not shown to be better than"
    return f"{verdict} the champion on {found.n_held_out} held-out posts: {gain}"


def judged_by_people(held_out: Sequence[Example], enough: int) -> Sequence[Example]:
    """The posts to judge by: the reviewed ones where there are enough of both kinds, else all.

    `model.train` counts its metrics on the same posts.
    """
    reviewed = [e for e in held_out if e.label.source == "review"]
    sides = [sum(e.label.is_relevant is side for e in reviewed) for side in (True, False)]
    return reviewed if min(sides) >= enough else held_out
