"""Choosing passages under a token budget: relevant ones, that together cover what was found.

The value of a set S of the passages found is

    f(S) = sum_i r_i max_{j in S} s_ij  +  relevance_weight * sum_{j in S} r_j

with r the relevance of a passage and s the cosine of two, both in [0, 1]: the first sum is facility location
(how well S stands for everything that was found, the relevant above all), the second plain relevance. f is
monotone and submodular. The greedy rule takes the passage of the largest gain per token that still fits; the
better of its result and the best single passage is worth at least (1 - 1/e) / 2, about 0.316, of the best set
within the budget. Quotas narrow the sets that are allowed; the bound then is no longer proven.

Source: Lin & Bilmes, "Multi-document summarization via budgeted maximization of submodular functions", NAACL
2010; the bound, Leskovec et al., "Cost-effective outbreak detection in networks", KDD 2007, theorem 3.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rejoinder.llm.ports import Vectors

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quotas:
    """The largest share of the budget, in (0, 1], that one source and one segment of it may take.

    They hold while anything else still fits; what then is left of the budget is filled without them, so that a
    corpus of one episode is not cut short.
    """

    source_share: float = 0.50
    segment_share: float = 0.35


@dataclass(frozen=True, slots=True)
class Pool:
    """What can be chosen from, in one order throughout.

    relevance: in [0, 1], shape (n,). vectors: rows of unit length, shape (n, dim). costs: tokens of each with all
    that is written around it, > 0. sources and segments: which one each is from.
    """

    relevance: Numbers
    vectors: Vectors
    costs: Sequence[int]
    sources: Sequence[Hashable]
    segments: Sequence[Hashable]


def select(pool: Pool, budget_tokens: int, *, quotas: Quotas, relevance_weight: float = 3.0) -> list[int]:
    """Positions of the chosen, in the order of choosing: each adds most per token to those before it.

    The costs of the chosen never exceed the budget. Ties go to the earlier position, so that the order depends on
    nothing but the arguments.

    Args:
        pool: what to choose from.
        budget_tokens: the most that the chosen may cost together.
        quotas: what one source and one segment may take of it.
        relevance_weight: weight of plain relevance beside coverage, >= 0.
    """
    value = _Value(pool, relevance_weight)
    chosen = _Greedy(pool, budget_tokens, quotas, value).run()
    single = value.best_single(budget_tokens)
    is_better = single is not None and value.of([single]) > value.of(chosen)
    return [single] if is_better and single is not None else chosen


class _Value:
    """f of the module's docstring."""

    def __init__(self, pool: Pool, relevance_weight: float) -> None:
        self.pool = pool
        self.relevance_weight = relevance_weight
        self.alike = np.clip(pool.vectors @ pool.vectors.T, 0.0, 1.0).astype(np.float64)

    def gains(self, covered: Numbers) -> Numbers:
        """What each passage would add, given how well each is covered already; shape (n,)."""
        added = np.maximum(self.alike - covered[:, None], 0.0)
        gains: Numbers = self.pool.relevance @ added + self.relevance_weight * self.pool.relevance
        return gains

    def of(self, chosen: Sequence[int]) -> float:
        """The value of a set."""
        if not chosen:
            return 0.0
        covered = self.alike[:, list(chosen)].max(axis=1)
        plain = self.pool.relevance[list(chosen)].sum()
        return float(self.pool.relevance @ covered + self.relevance_weight * plain)

    def best_single(self, budget_tokens: int) -> int | None:
        """The passage worth most by itself that is within the budget."""
        gains = self.gains(np.zeros(len(self.pool.relevance)))
        fitting = [i for i, cost in enumerate(self.pool.costs) if cost <= budget_tokens]
        return max(fitting, key=lambda i: (gains[i], -i), default=None)


class _Greedy:
    """Gain per token, first within the quotas, then without them."""

    def __init__(self, pool: Pool, budget_tokens: int, quotas: Quotas, value: _Value) -> None:
        self.pool, self.value, self.left = pool, value, budget_tokens
        self.chosen: list[int] = []
        self.covered: Numbers = np.zeros(len(pool.relevance))
        self.room: dict[tuple[str, Hashable], float] = {}
        for source, segment in zip(pool.sources, pool.segments, strict=True):
            self.room["source", source] = quotas.source_share * budget_tokens
            self.room["segment", segment] = quotas.segment_share * budget_tokens

    def run(self) -> list[int]:
        for with_quotas in (True, False):
            while (best := self._best(with_quotas)) is not None:
                self._take(best)
        return self.chosen

    def _best(self, with_quotas: bool) -> int | None:
        open_ones = [i for i in range(len(self.pool.costs)) if self._is_open(i, with_quotas)]
        if not open_ones:
            return None
        per_token = self.value.gains(self.covered)[open_ones] / np.array(
            [self.pool.costs[i] for i in open_ones]
        )
        return open_ones[int(np.argmax(per_token))]

    def _is_open(self, i: int, with_quotas: bool) -> bool:
        if i in self.chosen or self.pool.costs[i] > self.left:
            return False
        return not with_quotas or all(self.room[key] >= self.pool.costs[i] for key in self._keys(i))

    def _take(self, i: int) -> None:
        self.chosen.append(i)
        self.left -= self.pool.costs[i]
        self.covered = np.maximum(self.covered, self.value.alike[i])
        for key in self._keys(i):
            self.room[key] -= self.pool.costs[i]

    def _keys(self, i: int) -> tuple[tuple[str, Hashable], tuple[str, Hashable]]:
        return ("source", self.pool.sources[i]), ("segment", self.pool.segments[i])
