"""The second stage: who is scored, in which order the passages come back, and in which language they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from rejoinder.corpus.retrieval.features import FEATURES, features_of
from rejoinder.corpus.retrieval.reranking import rerank
from rejoinder.corpus.values import Passage
from rejoinder.ids import ChunkId, SourceId


def passage(i: int, text: str = "heap", *, language: str | None = "en") -> Passage:
    return Passage(ChunkId(i), SourceId(1), "S", None, text, None, None, (), 1.0, 0.5, 1.0, language=language)


@dataclass
class Given:
    """Scores by chunk id, and what it was asked to score."""

    scores: Mapping[int, float]
    surplus: int = 0
    seen: list[int] = field(default_factory=list)
    name: str = "given"

    def score(self, query: str, passages: Sequence[Passage], *, rarity: Mapping[str, float]) -> list[float]:
        self.seen = [p.chunk_id for p in passages]
        return [self.scores[i] for i in self.seen] + [0.0] * self.surplus


def reranked(scores: Sequence[float], *, depth: int) -> tuple[list[int], Given]:
    given = Given(dict(enumerate(scores)))
    passages = [passage(i) for i in range(len(scores))]
    return [p.chunk_id for p in rerank("q", passages, given, rarity={}, depth=depth)], given


@pytest.mark.parametrize(
    ("scores", "depth", "order"),
    [
        ([1, 2, 3], 3, [2, 1, 0]),
        ([1, 2, 3], 2, [1, 0, 2]),
        ([1, 2, 3], 50, [2, 1, 0]),
        ([2, 1, 2, 1], 4, [0, 2, 1, 3]),
        ([1, 2], 0, [0, 1]),
        ([], 5, []),
    ],
)
def test_the_first_are_put_in_order_and_the_rest_stay_behind(
    scores: list[float], depth: int, order: list[int]
) -> None:
    found, given = reranked(scores, depth=depth)
    assert found == order
    assert given.seen == [*range(min(depth, len(scores)))]


def test_a_reranker_that_miscounts_is_named() -> None:
    with pytest.raises(ValueError, match="given gave 2 scores for 1 passages"):
        rerank("q", [passage(0)], Given({0: 1.0}, surplus=1), rarity={}, depth=1)


def test_the_question_is_read_in_the_language_of_most_passages() -> None:
    covered = FEATURES.index("plain_coverage")
    german = [passage(i, "Die Katzen schlafen", language="de") for i in range(2)]
    both = features_of("Katze", [*german, passage(2, "heap", language="en")], {})
    assert list(both[:, covered]) == [1.0, 1.0, 0.0]
    assert features_of("Katze", [], {}).shape == (0, len(FEATURES))


def test_features_are_finite_whatever_the_legs_left_out() -> None:
    bare = Passage(ChunkId(1), SourceId(1), "", None, "", None, None, (), 0.0)
    assert np.isfinite(features_of("", [bare, bare], {})).all()
