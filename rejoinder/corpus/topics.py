"""Where a talk moves on: how much each gap between two sentences looks like a change of topic.

Source: Hearst, "TextTiling: Segmenting Text into Multi-paragraph Subtopic Passages", Computational
Linguistics 23(1), 1997: blocks of sentences on both sides of a gap are compared, and the gap counts by
the depth of the valley that it lies in. The blocks' vectors may be terms or the embedder's.
"""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rejoinder.llm.ports import Vectors
from rejoinder.text.terms import index_terms

Gaps = NDArray[np.float64]
BLOCK = 8
_BUCKETS = 512


def topic_changes(vectors: Vectors, *, block: int = BLOCK) -> Gaps:
    """How much the topic changes after each sentence, from 0 (not at all) to 1 (the deepest valley).

    Args:
        vectors: (n, dim), a row per sentence in order; rows need not have unit length.
        block: sentences on each side that are compared, > 0.

    Returns:
        (n,) numbers; the last one, behind which nothing comes, is 0.

    Raises:
        ValueError: ``block`` is not positive.

    >>> one, other = [1.0, 0.0], [0.0, 1.0]
    >>> topic_changes(np.array([one, one, one, other, other, other]), block=2).round(1).tolist()
    [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    """
    if block <= 0:
        raise ValueError("block must be positive")
    if len(vectors) < 2:
        return np.zeros(len(vectors))
    depths = _depths(_similarities(np.asarray(vectors, dtype=np.float64), block))
    deepest = depths.max()
    return np.append(depths / deepest if deepest > 0 else depths, 0.0)


def term_vectors(sentences: Sequence[str]) -> Vectors:
    """A cheap vector per sentence: its terms, counted in 512 buckets; (n, 512) float32."""
    counts = np.zeros((len(sentences), _BUCKETS), dtype=np.float32)
    for row, sentence in enumerate(sentences):
        for term in index_terms(sentence):
            counts[row, zlib.crc32(term.encode()) % _BUCKETS] += 1
    return counts


def _similarities(vectors: NDArray[np.float64], block: int) -> Gaps:
    """Cosine of the blocks before and behind each gap; (n - 1,)."""
    n = len(vectors)
    sums = np.vstack([np.zeros(vectors.shape[1]), vectors.cumsum(axis=0)])
    gaps = np.arange(1, n)
    before = sums[gaps] - sums[np.maximum(gaps - block, 0)]
    behind = sums[np.minimum(gaps + block, n)] - sums[gaps]
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(behind, axis=1)
    dots: Gaps = np.einsum("ij,ij->i", before, behind)
    cosines = np.zeros_like(dots)
    np.divide(dots, lengths, out=cosines, where=lengths > 0)
    return cosines


def _depths(similarities: Gaps) -> Gaps:
    """How far each gap lies below the peaks on its two sides; 0 where it is no valley's floor."""
    depths = np.zeros_like(similarities)
    for gap, here in enumerate(similarities):
        is_floor = (gap == 0 or similarities[gap - 1] > here) and (
            gap + 1 == len(similarities) or similarities[gap + 1] >= here
        )
        if is_floor:
            depths[gap] = _climb(similarities[gap::-1]) + _climb(similarities[gap:])
    return depths


def _climb(similarities: Gaps) -> float:
    """How much it rises from the first value until it first falls again."""
    falls = np.flatnonzero(np.diff(similarities) < 0)
    peak = similarities[falls[0]] if len(falls) else similarities[-1]
    return float(peak - similarities[0])
