"""Whether answers have become worse than those of a baseline on the same cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rejoinder.corpus.retrieval.significance import Interval, paired_gain
from rejoinder.evaluation.scores import CaseResult

# Scores are compared with so many decimals, since those of a baseline went through a file: without it equal answers
# could lie below zero by what was rounded.
DECIMALS = 6


@dataclass(frozen=True, slots=True)
class KnownScore:
    """The score that a case had, and the hash of the case as it was then."""

    score: float
    case_hash: str


@dataclass(frozen=True, slots=True)
class Change:
    """A case whose score is another than before."""

    id: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The gain over the baseline in 95 %, what changed most first, and the cases that could not be compared.

    not_compared: cases that the baseline lacks, or that were worded otherwise then.
    """

    gain: Interval
    changes: tuple[Change, ...]
    not_compared: tuple[str, ...]

    @property
    def is_regression(self) -> bool:
        """Whether the whole interval lies below zero: worse by more than chance."""
        return self.gain.high < 0


def compare_with(
    results: Sequence[CaseResult], known: Mapping[str, KnownScore], *, seed: int
) -> Comparison | None:
    """Compare by the paired bootstrap over the cases that both have; None where there is none.

    >>> from rejoinder.evaluation.scores import Scored
    >>> worse = [CaseResult(name, "h", (), Scored(0.2, {})) for name in "abc"]
    >>> compare_with(worse, {name: KnownScore(0.9, "h") for name in "abc"}, seed=1).is_regression
    True
    """
    both = [r for r in results if r.id in known and known[r.id].case_hash == r.case_hash]
    if not both:
        return None
    new = [round(r.scored.score, DECIMALS) for r in both]
    old = [round(known[r.id].score, DECIMALS) for r in both]
    changes = [
        Change(r.id, before, after)
        for r, before, after in zip(both, old, new, strict=True)
        if after != before
    ]
    return Comparison(
        gain=paired_gain(new, old, rng=np.random.default_rng(seed)),
        changes=tuple(sorted(changes, key=lambda c: (c.after - c.before, c.id))),
        not_compared=tuple(r.id for r in results if r not in both),
    )
