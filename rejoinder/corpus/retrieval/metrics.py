"""Scores of one ranking against the judgements of one query.

What belongs here: the figures of the retrieval literature, each for a single query; means over queries and
their uncertainty stand in significance.py. A ranking is best first; an id that comes twice is an error,
because it would be counted twice.

Source of the definitions: trec_eval (measures ndcg_cut, recall, recip_rank, map), which BEIR reports.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

Id = TypeVar("Id", bound=Hashable)


def ndcg(ranking: Sequence[Id], gains: Mapping[Id, float], *, k: int = 10) -> float:
    """Normalised discounted cumulative gain of the first k.

    The gain of an id counts as it is (not 2^gain - 1), divided by log2(rank + 1); the sum is divided by that
    of the best ranking possible.

    Args:
        ranking: ids, best first.
        gains: judged ids; what is not in here, or has no gain above 0, is not relevant.
        k: how far down the ranking counts, > 0.

    Returns:
        In [0, 1].

    Raises:
        ValueError: nothing is relevant, k is not positive, or an id comes twice.

    >>> round(ndcg(["b", "a"], {"a": 1}), 4), ndcg(["a", "b"], {"a": 1})
    (0.6309, 1.0)
    """
    relevant = _relevant(gains)
    got = (relevant.get(found, 0.0) for found in _first(ranking, k))
    best = sorted(relevant.values(), reverse=True)[:k]
    return _discounted(got) / _discounted(best)


def recall(ranking: Sequence[Id], gains: Mapping[Id, float], *, k: int) -> float:
    """Share of the relevant ids that are among the first k.

    Returns:
        In [0, 1].

    Raises:
        ValueError: as `ndcg`.

    >>> recall(["a", "x", "b"], {"a": 1, "b": 1}, k=2)
    0.5
    """
    relevant = _relevant(gains)
    return sum(found in relevant for found in _first(ranking, k)) / len(relevant)


def reciprocal_rank(ranking: Sequence[Id], gains: Mapping[Id, float], *, k: int | None = None) -> float:
    """1 / rank of the first relevant id; 0 where none is found. Its mean over queries is MRR.

    Raises:
        ValueError: as `ndcg`.

    >>> reciprocal_rank(["x", "a", "b"], {"a": 1, "b": 1})
    0.5
    """
    relevant = _relevant(gains)
    ranks = (rank for rank, found in enumerate(_first(ranking, k), 1) if found in relevant)
    return 1 / next(ranks, math.inf)


def average_precision(ranking: Sequence[Id], gains: Mapping[Id, float]) -> float:
    """Mean, over all relevant ids, of the precision at the rank where each is found (0 where it is not).

    Raises:
        ValueError: as `ndcg`.

    >>> round(average_precision(["a", "x", "b"], {"a": 1, "b": 1}), 4)
    0.8333
    """
    relevant = _relevant(gains)
    ranks = [rank for rank, found in enumerate(_first(ranking, None), 1) if found in relevant]
    return sum(hit / rank for hit, rank in enumerate(ranks, 1)) / len(relevant)


def _relevant(gains: Mapping[Id, float]) -> dict[Id, float]:
    relevant = {found: gain for found, gain in gains.items() if gain > 0}
    if not relevant:
        raise ValueError("a query without a relevant id cannot be judged")
    return relevant


def _first(ranking: Sequence[Id], k: int | None) -> Sequence[Id]:
    if k is not None and k <= 0:
        raise ValueError("k must be positive")
    if len(set(ranking)) < len(ranking):
        raise ValueError("an id comes twice in the ranking")
    return ranking[:k]


def _discounted(gains: Iterable[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
