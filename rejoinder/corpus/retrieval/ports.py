"""The port of the second stage of a search: whoever can put passages in a better order."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from rejoinder.corpus.values import Passage


class Reranker(Protocol):
    """Scores passages for a query: a model of ours, a cross-encoder, or an API."""

    @property
    def name(self) -> str:
        """What it is, for reports and for the rows that keep its scores."""

    def score(
        self, query: str, passages: Sequence[Passage], *, rarity: Mapping[str, float]
    ) -> Sequence[float]:
        """One number per passage, higher is better; only their order means something.

        Args:
            query: what was asked.
            passages: what search found, best first, with the scores of both legs.
            rarity: how rare the query's terms are in the corpus, in [0, 1]; those it lacks are left out.
        """
