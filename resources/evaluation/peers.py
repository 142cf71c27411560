"""The systems that ours is measured beside: BM25 by the library bm25s, and exact dense search with numpy.

What belongs here: peers that rank a task's passages with nothing of ours but the vectors. bm25s comes with the
extra ``eval`` and is imported when it is asked for.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.ports import Vectors
from resources.evaluation.task import Asked, Task

DEPTH = 100


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a system found for one question: passage keys, best first, and the milliseconds of its stages."""

    keys: tuple[str, ...]
    stages_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which passages a question may find: rows into the task's passages."""

    keys: Sequence[str]

    def rows(self, asked: Asked) -> NDArray[np.int64]:
        """Row numbers of the passages of the source that is asked within, or of all."""
        if asked.within is None:
            return np.arange(len(self.keys))
        prefix = f"{asked.within}#"
        return np.array([i for i, key in enumerate(self.keys) if key.startswith(prefix)], dtype=np.int64)


def rank_with_bm25s(task: Task) -> dict[str, Ranked]:
    """BM25 as bm25s does it: Lucene's form, k1 1.5, b 0.75, English stop words, Snowball stems.

    Raises:
        ConfigInvalid: bm25s is not installed.
    """
    try:
        import bm25s  # type: ignore[import-untyped]
    except ImportError:
        fix = "pip install 'rejoinder[eval]', or leave this peer out with --no-bm25s."
        raise ConfigInvalid("The peer bm25s is not installed.", fix=fix) from None
    import snowballstemmer

    # It sets its logger to DEBUG when it is imported, whatever the program logs.
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    stem = snowballstemmer.stemmer("english").stemWords

    def tokens(texts: list[str]) -> list[list[str]]:
        found: list[list[str]] = bm25s.tokenize(
            texts, stopwords="en", stemmer=stem, return_ids=False, show_progress=False
        )
        return found

    passages = task.passages
    peer = bm25s.BM25(k1=1.5, b=0.75, method="lucene")
    peer.index(tokens(list(passages.values())), show_progress=False)
    scope = Scope(list(passages))

    def rank(asked: Asked) -> Ranked:
        started = time.perf_counter()
        terms = [t for t in tokens([asked.text])[0] if t in peer.vocab_dict]
        scores = np.asarray(peer.get_scores(terms) if terms else np.zeros(len(passages)), dtype=np.float32)
        return _ranked(scope, asked, scores, started, "search_ms", positive=True)

    return {asked.key: rank(asked) for asked in task.questions}


def rank_densely(task: Task, passages: Vectors, questions: Vectors) -> dict[str, Ranked]:
    """Exact cosine over every passage.

    Args:
        task: what is asked.
        passages: one row of unit length per passage, in the task's order.
        questions: one row of unit length per question, in the task's order.
    """
    scope = Scope(list(task.passages))
    found = {}
    for asked, vector in zip(task.questions, questions, strict=True):
        started = time.perf_counter()
        found[asked.key] = _ranked(scope, asked, passages @ vector, started, "search_ms")
    return found


def _ranked(
    scope: Scope,
    asked: Asked,
    scores: NDArray[np.float32],
    started: float,
    stage: str,
    *,
    positive: bool = False,
) -> Ranked:
    rows = scope.rows(asked)
    order = rows[np.argsort(-scores[rows], kind="stable")][:DEPTH]
    keys = tuple(scope.keys[i] for i in order if scores[i] > 0 or not positive)
    return Ranked(keys, {stage: (time.perf_counter() - started) * 1000})
