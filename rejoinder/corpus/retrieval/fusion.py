"""Several legs of a search merged into one ranking.

What belongs here: fusion of ranks and of scores, as plain functions of what the legs found. The statement
that searches does the same in SQL; the tests compare the two.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

Id = TypeVar("Id", bound=Hashable)


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[Id]], *, k: float = 60, weights: Sequence[float] | None = None
) -> list[tuple[Id, float]]:
    """Merge best-first rankings by the sum of weight / (k + rank).

    Args:
        rankings: ids, best first, one ranking per leg; an id may be missing from some.
        k: damping, > 0: the larger, the less the first ranks stand out. 60 is the value of the source.
        weights: one per leg, >= 0; all 1 where not given.

    Returns:
        (id, score) best first, each id once; equal scores stand in order of first sight.

    Raises:
        ValueError: k is not positive, a ranking repeats an id, or there is not one weight per leg.
    Source: Cormack, Clarke & Buettcher, "Reciprocal Rank Fusion", SIGIR 2009.

    >>> [found for found, _ in reciprocal_rank_fusion([["a", "b"], ["b", "c"]])]
    ['b', 'a', 'c']
    """
    if k <= 0:
        raise ValueError("k must be positive")
    if any(len(set(ranking)) < len(ranking) for ranking in rankings):
        raise ValueError("an id comes twice in a ranking")
    legs = [{found: 1 / (k + rank) for rank, found in enumerate(ranking, 1)} for ranking in rankings]
    return _weighted_sum(legs, _checked(weights, len(legs)))


def min_max_fusion(
    legs: Sequence[Mapping[Id, float]],
    *,
    weights: Sequence[float] | None = None,
    floors: Sequence[float | None] | None = None,
) -> list[tuple[Id, float]]:
    """Merge scores by their weighted sum, each leg brought to [0, 1] first.

    A leg's best score becomes 1 and its floor 0. An id that a leg did not find counts 0 there.

    Args:
        legs: id -> score, higher is better, one mapping per leg; every score is finite.
        weights: one per leg, >= 0; all 1 where not given.
        floors: what becomes 0 in each leg: the least that a score can be (0 for BM25), or None for the least
            score that was found.

    Returns:
        (id, score) best first, each id once; equal scores stand in order of first sight.

    Raises:
        ValueError: there is not one weight and one floor per leg, or a weight is negative.
    Source: Bruch, Gai & Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 2023.

    >>> min_max_fusion([{"a": 3.0, "b": 1.0}, {"b": 0.9, "c": 0.5}], weights=[0.25, 0.75])[0]
    ('b', 0.75)
    """
    floors = floors if floors is not None else [None] * len(legs)
    if len(floors) != len(legs):
        raise ValueError(f"{len(floors)} floors for {len(legs)} legs")
    scaled = [min_max(leg, floor=floor) for leg, floor in zip(legs, floors, strict=True)]
    return _weighted_sum(scaled, _checked(weights, len(legs)))


def min_max(scores: Mapping[Id, float], *, floor: float | None = None) -> dict[Id, float]:
    """Scores brought to [0, 1]: the best is 1, the floor (or the least) 0; all 1 where they are equal.

    >>> min_max({"a": 4.0, "b": 3.0, "c": 2.0})
    {'a': 1.0, 'b': 0.5, 'c': 0.0}
    """
    if not scores:
        return {}
    low = min(scores.values()) if floor is None else floor
    span = max(scores.values()) - low
    return {found: (score - low) / span if span > 0 else 1.0 for found, score in scores.items()}


def _checked(weights: Sequence[float] | None, n_legs: int) -> Sequence[float]:
    given = [1.0] * n_legs if weights is None else weights
    if len(given) != n_legs or any(weight < 0 for weight in given):
        raise ValueError("need one weight >= 0 per leg")
    return given


def _weighted_sum(legs: Sequence[Mapping[Id, float]], weights: Sequence[float]) -> list[tuple[Id, float]]:
    total: dict[Id, float] = {}
    for leg, weight in zip(legs, weights, strict=True):
        for found, score in leg.items():
            total[found] = total.get(found, 0.0) + weight * score
    return sorted(total.items(), key=lambda item: -item[1])
