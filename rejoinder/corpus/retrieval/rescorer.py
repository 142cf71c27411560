"""A trained re-scorer as a value: a linear model over the features of a query and a passage.

What belongs here: using and storing it; both need numpy only. Training needs scikit-learn and stands in
model.py. Stored as JSON, never as a pickle: a model file is data, and data is not run.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from rejoinder.corpus.retrieval.features import FEATURES, features_of
from rejoinder.corpus.values import Passage
from rejoinder.errors import InputUnreadable
from rejoinder.ids import canonical_json, sha256_hex

FORMAT = "rejoinder.corpus.rescorer.v1"


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """The candidates of one query with their judgements; what a re-scorer is trained on.

    query_key decides nothing but the order of the rows. x has shape (n_candidates, n_features), gains one
    number per candidate, above 0 where it is relevant.
    """

    query_key: str
    x: NDArray[np.float64]
    gains: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rescorer:
    """Score of a candidate = its features @ weights; higher is better, only the order means something.

    features names the columns, so that a stored model is never read with others. trained_on says on what,
    data_hash of which rows, embedding_model (a URI) whose cosines are among the features.
    """

    features: tuple[str, ...]
    weights: tuple[float, ...]
    n_queries: int
    n_pairs: int
    trained_on: str
    data_hash: str
    embedding_model: str


def data_hash(queries: Sequence[JudgedQuery]) -> str:
    """SHA-256 of the training rows, whatever the order of the queries: same data, same hash."""
    rows = sorted((q.query_key, sha256_hex(q.x.tobytes().hex()), list(q.gains)) for q in queries)
    return sha256_hex(canonical_json(rows))


def rescore(rescorer: Rescorer, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score of each candidate of one query.

    Args:
        rescorer: as trained or loaded.
        x: shape (n_candidates, n_features), as `features.feature_matrix` makes it.

    Returns:
        Shape (n_candidates,).

    Raises:
        ValueError: x has another number of features than the re-scorer was trained on.
    """
    if x.ndim != 2 or x.shape[1] != len(rescorer.weights):
        raise ValueError(f"expected {len(rescorer.weights)} features per candidate, got shape {x.shape}")
    return np.asarray(x @ np.array(rescorer.weights, dtype=np.float64))


def dump(rescorer: Rescorer) -> bytes:
    """Store as canonical JSON, UTF-8; `load` gives an equal value back."""
    return canonical_json({"format": FORMAT, **asdict(rescorer)}).encode()


def load(data: bytes) -> Rescorer:
    """Read what `dump` wrote.

    Raises:
        InputUnreadable: the bytes are no re-scorer of this format, or one over other features than today's.
    """
    try:
        fields = json.loads(data)
        if fields.pop("format") != FORMAT:
            raise ValueError("another format")
        if not isinstance(fields.get("embedding_model"), str):
            raise ValueError("it does not say with which embedding model it learned: train it again")
        features, weights = tuple(fields.pop("features")), tuple(map(float, fields.pop("weights")))
        rescorer = Rescorer(features=features, weights=weights, **fields)
        if features != FEATURES:
            raise ValueError("its features are not those of this version: train it again")
        if not np.isfinite(weights).all():
            raise ValueError("a weight is not finite")
        rescore(rescorer, np.zeros((1, len(FEATURES))))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputUnreadable(f"not a stored re-scorer of format {FORMAT}: {error}") from error
    return rescorer


@dataclass(frozen=True, slots=True)
class LearnedReranker:
    """A trained re-scorer behind the port `ports.Reranker`."""

    rescorer: Rescorer

    @property
    def name(self) -> str:
        """With the hash of what it learned from."""
        return f"linear:{self.rescorer.data_hash[:12]}"

    def score(self, query: str, passages: Sequence[Passage], *, rarity: Mapping[str, float]) -> list[float]:
        """Scores of the passages, in their order."""
        return [float(score) for score in rescore(self.rescorer, features_of(query, passages, rarity))]
