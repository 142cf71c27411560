"""The second stage of a search: what was found, in the order of a reranker.

What belongs here: how scores become an order. Who scores stands behind the port in ports.py.
"""

from collections.abc import Mapping, Sequence

from rejoinder.corpus.retrieval.ports import Reranker
from rejoinder.corpus.values import Passage


def rerank(
    query: str,
    passages: Sequence[Passage],
    reranker: Reranker,
    *,
    rarity: Mapping[str, float],
    depth: int,
) -> list[Passage]:
    """The first ``depth`` passages in the reranker's order, the rest behind them as they were.

    Passages keep their scores and ranks: those say how they were found. Equal scores keep their order.

    Args:
        query: what was asked.
        passages: what search found, best first.
        reranker: scores the first of them, all at once.
        rarity: how rare the query's terms are in the corpus, in [0, 1].
        depth: how many are scored, >= 0.

    Raises:
        ValueError: the reranker does not give one score per passage.
    """
    head, rest = passages[:depth], passages[depth:]
    if not head:
        return list(rest)
    scores = reranker.score(query, head, rarity=rarity)
    if len(scores) != len(head):
        raise ValueError(f"{reranker.name} gave {len(scores)} scores for {len(head)} passages")
    order = sorted(range(len(head)), key=lambda i: -scores[i])
    return [*(head[i] for i in order), *rest]
