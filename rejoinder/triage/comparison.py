"""Whether one classifier ranks better than another on the same held-out posts.

What belongs here: a paired comparison with its uncertainty. The random numbers are an argument, so the same
posts and the same generator give the same interval.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 200
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Comparison:
    """Average precision of challenger minus champion, with the ends of its 95 % bootstrap interval."""

    challenger: float
    champion: float
    difference: float
    low: float
    high: float
    n_held_out: int

    @property
    def is_better(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.low > 0


def average_precision(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Average precision of one ranking under many weightings of its posts.

    Args:
        truth: shape (n,), which posts are relevant.
        scores: shape (n,), higher means more relevant; posts with equal scores are one step of the ranking.
        counts: shape (m, n), how often each post counts; a row of ones is the plain score.

    Returns:
        Shape (m,), in [0, 1]; nan where no relevant post counts.
    Source: the definition used by scikit-learn's average_precision_score.

    >>> truth, scores = np.array([True, False, True]), np.array([0.9, 0.8, 0.7])
    >>> average_precision(truth, scores, np.ones((1, 3), int)).round(3).tolist()
    [0.833]
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    seen = counts[:, order].cumsum(axis=1)[:, ends]
    hits = (counts[:, order] * truth[order]).cumsum(axis=1)[:, ends]
    gained = np.diff(hits, axis=1, prepend=0)
    with np.errstate(invalid="ignore"):
        precision = np.where(seen > 0, hits / np.maximum(seen, 1), 0.0)
        return np.asarray((precision * gained).sum(axis=1) / hits[:, -1])


def compare(
    truth: NDArray[np.bool_],
    *,
    challenger: NDArray[np.float64],
    champion: NDArray[np.float64],
    rng: np.random.Generator,
    resamples: int = 2000,
) -> Comparison:
    """Compare two classifiers by the paired bootstrap: both are scored on the same draws of posts.

    Args:
        truth: shape (n,), n >= 2, with both classes in it.
        challenger: its scores, shape (n,).
        champion: its scores, shape (n,).
        rng: draws the posts.
        resamples: draws with replacement of n posts.

    Raises:
        ValueError: the posts are all of one class, so no ranking of them can be judged.
    Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13 (percentile interval).
    """
    if len(set(truth.tolist())) < 2:
        raise ValueError("held-out posts of both kinds are needed to compare")
    once = np.ones((1, len(truth)), dtype=np.int64)
    ours, theirs = (float(average_precision(truth, s, once)[0]) for s in (challenger, champion))
    gaps = _gaps(truth, challenger, champion, rng, resamples)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(gaps, [tail, 1 - tail])
    return Comparison(ours, theirs, ours - theirs, float(low), float(high), len(truth))


def _gaps(
    truth: NDArray[np.bool_],
    challenger: NDArray[np.float64],
    champion: NDArray[np.float64],
    rng: np.random.Generator,
    resamples: int,
) -> NDArray[np.float64]:
    """The difference under each draw, block by block so that memory stays small."""
    even = np.full(len(truth), 1 / len(truth))
    blocks = []
    for start in range(0, resamples, BLOCK):
        counts = rng.multinomial(len(truth), even, size=min(BLOCK, resamples - start))
        ours = average_precision(truth, challenger, counts)
        blocks.append(ours - average_precision(truth, champion, counts))
    return np.concatenate(blocks)
