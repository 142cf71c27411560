"""How sure a mean over queries is, and a gain of one system over another on the same queries.

What belongs here: bootstrap intervals. The random numbers are an argument, so that the same scores and the
same generator give the same interval.

Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13 (percentile interval); its use
for retrieval: Sakai, "Evaluating evaluation metrics based on the bootstrap", SIGIR 2006.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 10_000
_BLOCK = 500


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over n queries with the ends of its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def is_above_zero(self) -> bool:
        """Whether the whole interval lies above zero: for a gain, whether it is established."""
        return self.low > 0


def bootstrap_mean(
    scores: Sequence[float], *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Interval:
    """Mean of one score per query, and where it would lie on other draws of as many queries.

    Args:
        scores: one per query, at least one.
        rng: draws the queries, with replacement.
        resamples: how many draws, > 0.

    Raises:
        ValueError: there is no score, or one is not finite.

    >>> bootstrap_mean([1.0, 1.0, 1.0], rng=np.random.default_rng(1)).low
    1.0
    """
    values = np.asarray(scores, dtype=np.float64)
    if not values.size or not np.isfinite(values).all():
        raise ValueError("need at least one score, all finite")
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(_means(values, rng, resamples), [tail, 1 - tail])
    return Interval(float(values.mean()), float(low), float(high), len(values))


def paired_gain(
    ours: Sequence[float], theirs: Sequence[float], *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Interval:
    """Mean of ours minus theirs, query by query: both systems are scored on the same draws of queries.

    Args:
        ours: one score per query.
        theirs: scores of the same queries in the same order.
        rng: draws the queries, with replacement.
        resamples: how many draws, > 0.

    Raises:
        ValueError: the two have not the same length, there is no score, or one is not finite.

    >>> paired_gain([0.5, 0.7], [0.4, 0.6], rng=np.random.default_rng(1)).is_above_zero
    True
    """
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} scores cannot be paired with {len(theirs)}")
    gaps = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    return bootstrap_mean(gaps.tolist(), rng=rng, resamples=resamples)


def _means(values: NDArray[np.float64], rng: np.random.Generator, resamples: int) -> NDArray[np.float64]:
    """The mean of each draw, block by block so that memory stays small."""
    blocks = []
    for start in range(0, resamples, _BLOCK):
        rows = min(_BLOCK, resamples - start)
        blocks.append(values[rng.integers(len(values), size=(rows, len(values)))].mean(axis=1))
    return np.concatenate(blocks)
