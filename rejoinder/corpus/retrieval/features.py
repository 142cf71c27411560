"""What can be seen of a query and a passage that may answer it, as numbers that a person can read.

What belongs here: the features of the re-scorer. Each is a share, a score or a rank with a meaning of its own,
so that a trained weight can be read too. Computed from what search returns; no model is asked.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rejoinder.corpus.retrieval.fusion import min_max
from rejoinder.corpus.values import Passage
from rejoinder.text.terms import index_terms, stemmer_of

FEATURES = (
    "dense",  # cosine of query and passage
    "dense_share",  # the same, 0 for the least and 1 for the best of the candidates
    "dense_rank",  # 1 / (10 + rank by cosine), 0 where that leg did not find it
    "lexical_share",  # BM25, 0 for the least and 1 for the best of the candidates
    "lexical_rank",  # 1 / (10 + rank by BM25), 0 where that leg did not find it
    "coverage",  # share of the query's terms that the passage has, rare ones counting more
    "plain_coverage",  # the same, each term counting alike
    "rarest",  # rarity of the rarest term of the query, where the passage has it
    "title_coverage",  # coverage by the source's title
    "window_coverage",  # coverage by the best stretch of 25 terms, about a sentence or two
    "pairs",  # share of the query's neighbouring terms that stand side by side in the passage
    "near_pairs",  # the same within eight terms, in any order
    "density",  # share of the passage's terms that the query has
    "length",  # natural logarithm of 1 + the passage's terms
)
RANK_DAMPING = 10
NEAR = 8
WINDOW = 25


@dataclass(frozen=True, slots=True)
class Query:
    """A query's terms in order and how rare each is in the corpus, in [0, 1]; 1 where the corpus lacks it."""

    terms: tuple[str, ...]
    rarity: Mapping[str, float]

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each distinct term in a coverage."""
        return {term: self.rarity.get(term, 1.0) for term in self.terms}


def read_query(text: str, rarity: Mapping[str, float], *, language: str | None = None) -> Query:
    """The query as the features need it; language is an ISO 639-1 code, None where it is not known."""
    return Query(tuple(index_terms(text, stemmer_of(language))), rarity)


def features_of(text: str, passages: Sequence[Passage], rarity: Mapping[str, float]) -> NDArray[np.float64]:
    """The features of what was found for a question, read in the language that most of the passages are in.

    Training and use both come here, so that a model never sees features that it was not trained on.

    Returns:
        Shape (len(passages), len(FEATURES)).
    """
    languages = Counter(passage.language for passage in passages)
    language = languages.most_common(1)[0][0] if languages else None
    return feature_matrix(read_query(text, rarity, language=language), passages)


def feature_matrix(query: Query, passages: Sequence[Passage]) -> NDArray[np.float64]:
    """Features of each passage; they depend on the other candidates too, so give all of one query at once.

    A passage that a leg did not find has there what the worst that it found has.

    Returns:
        Shape (n_passages, len(FEATURES)), in the passages' order, all finite.
    """
    dense = _filled([p.dense for p in passages])
    columns = [
        dense,
        _shares(dense),
        _reciprocal_ranks([p.dense for p in passages]),
        _shares(_filled([p.lexical for p in passages])),
        _reciprocal_ranks([p.lexical for p in passages]),
    ]
    weights = query.weights
    own = [_own_features(query, weights, p) for p in passages]
    if not passages:
        return np.zeros((0, len(FEATURES)))
    return np.hstack([np.array(columns, dtype=np.float64).T, np.array(own, dtype=np.float64)])


def coverage(weights: Mapping[str, float], terms: set[str]) -> float:
    """Share of the weighted terms that are there; 0 where there is nothing to cover.

    >>> coverage({"compost": 0.75, "air": 0.25}, {"compost", "heap"})
    0.75
    """
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in terms) / total if total else 0.0


def _own_features(query: Query, weights: Mapping[str, float], passage: Passage) -> list[float]:
    """The features that do not depend on the other candidates, from coverage on."""
    # As indexed, speakers' names included: what both legs found it by.
    terms = _terms(passage.indexed_text, passage.language)
    title = _terms(passage.source_title, passage.language)
    matches = [(place, term) for place, term in enumerate(terms) if term in weights]
    there = {term for _, term in matches}
    gaps = _gaps(query.terms, matches)
    return [
        coverage(weights, there),
        coverage(dict.fromkeys(weights, 1.0), there),
        max((weights[term] for term in there), default=0.0),
        coverage(weights, set(title)),
        _best_window(weights, matches),
        _share(gap == 1 for gap in gaps),
        _share(abs(gap) <= NEAR for gap in gaps),
        len(matches) / len(terms) if terms else 0.0,
        math.log1p(len(terms)),
    ]


@lru_cache(maxsize=4096)
def _terms(text: str, language: str | None) -> tuple[str, ...]:
    # The same passages come up again and again, and reading one takes longer than all its features.
    return tuple(index_terms(text, stemmer_of(language)))


def _best_window(weights: Mapping[str, float], matches: Sequence[tuple[int, str]]) -> float:
    """The best coverage by terms that stand within WINDOW places."""
    return max(
        (
            coverage(weights, {term for place, term in matches[i:] if place < first + WINDOW})
            for i, (first, _) in enumerate(matches)
        ),
        default=0.0,
    )


def _gaps(wanted: Sequence[str], matches: Sequence[tuple[int, str]]) -> list[float]:
    """How far apart the query's neighbouring terms stand in the passage: the least gap, infinite where one lacks.

    A gap of 1 is side by side in the query's order; a negative one is the other way round.
    """
    places: dict[str, list[int]] = {}
    for place, term in matches:
        places.setdefault(term, []).append(place)
    return [
        min(
            (j - i for i in places.get(a, ()) for j in places.get(b, ()) if i != j),
            key=lambda gap: (abs(gap), -gap),
            default=math.inf,
        )
        for a, b in dict.fromkeys(pairwise(wanted))
    ]


def _share(answers: Iterable[bool]) -> float:
    given = list(answers)
    return sum(given) / len(given) if given else 0.0


def _filled(scores: Sequence[float | None]) -> list[float]:
    worst = min((s for s in scores if s is not None), default=0.0)
    return [worst if score is None else score for score in scores]


def _shares(scores: Sequence[float]) -> list[float]:
    return list(min_max(dict(enumerate(scores))).values())


def _reciprocal_ranks(scores: Sequence[float | None]) -> list[float]:
    found = sorted((i for i, s in enumerate(scores) if s is not None), key=lambda i: -(scores[i] or 0.0))
    ranks = {i: rank for rank, i in enumerate(found, 1)}
    return [1 / (RANK_DAMPING + ranks[i]) if i in ranks else 0.0 for i in range(len(scores))]
