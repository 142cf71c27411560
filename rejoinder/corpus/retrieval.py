"""Joining what several retrievers found for one query."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

Id = TypeVar("Id", bound=Hashable)

RRF_K = 60


def fuse_rankings(rankings: Sequence[Sequence[Id]], *, k: int = RRF_K) -> list[tuple[Id, float]]:
    """Merge several best-first rankings into one by reciprocal rank fusion.

    Args:
        rankings: best-first ids, one list per retriever; an id may be missing from some.
        k: damping constant, dimensionless, > 0. 60 is the value of the source below.

    Returns:
        (id, score) best first, one row per distinct id, score = sum of 1 / (k + rank) with ranks
        from 1; ties in order of first sight.

    Raises:
        ValueError: ``k`` is not positive, or a ranking repeats an id.

    Source: Cormack, Clarke & Buettcher, "Reciprocal Rank Fusion", SIGIR 2009.

    >>> [chunk for chunk, _ in fuse_rankings([["a", "b"], ["b", "c"]])]
    ['b', 'a', 'c']
    """
    if k <= 0:
        raise ValueError("k must be positive")
    scores: dict[Id, float] = {}
    for ranking in rankings:
        if len(set(ranking)) < len(ranking):
            raise ValueError("a ranking repeats an id")
        for rank, found in enumerate(ranking, start=1):
            scores[found] = scores.get(found, 0.0) + 1 / (k + rank)
    return sorted(scores.items(), key=lambda row: -row[1])
