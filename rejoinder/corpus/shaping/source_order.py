"""The order of passages when their source speaks for them too.

Many questions are about one source: a question on a meeting fits passages of every meeting on the same subject, and
its answer stands in several places of one. The best passage tells the source better than any sum or mean does
(docs/retrieval.md has the figures), so each passage is judged by its own score and by the best of its source.

Source: the best passage as the evidence for a document, Callan, "Passage-level evidence in document retrieval",
SIGIR 1994.
"""

from collections.abc import Sequence

from rejoinder.corpus.retrieval.fusion import min_max
from rejoinder.corpus.values import Passage
from rejoinder.ids import SourceId


def order_with_sources(passages: Sequence[Passage], *, source_weight: float) -> list[int]:
    """Positions of the passages, best first: own score + source_weight * the best score of their source.

    Scores are brought to [0, 1] among the passages. A re-scorer changes the order and leaves the scores, so the
    first passage counts with the best score, the second with the second best, and so on.

    Args:
        passages: best first.
        source_weight: >= 0; 0 keeps the order, the larger it is, the more the best sources come first and whole.
    """
    scores = min_max(dict(enumerate(sorted((p.score for p in passages), reverse=True))))
    best: dict[SourceId, float] = {}
    for i, passage in enumerate(passages):
        best[passage.source_id] = max(best.get(passage.source_id, 0.0), scores[i])
    return sorted(scores, key=lambda i: -(scores[i] + source_weight * best[passages[i].source_id]))
