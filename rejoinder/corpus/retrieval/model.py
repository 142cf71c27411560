"""Training the re-scorer; the only module of retrieval that imports scikit-learn.

What belongs here: fitting. Using a re-scorer needs rescorer.py only.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from rejoinder.corpus.retrieval.features import FEATURES
from rejoinder.corpus.retrieval.rescorer import JudgedQuery, Rescorer, data_hash
from rejoinder.errors import InputUnreadable

Matrix = NDArray[np.float64]


def train(
    queries: Sequence[JudgedQuery], *, trained_on: str, embedding_model: str, strength: float = 100.0
) -> Rescorer:
    """Fit a linear re-scorer on pairs: the relevant candidate of a query above an irrelevant one.

    A logistic regression on differences of features, without intercept, each query weighing the same however
    many pairs it has.

    Args:
        queries: candidates with judgements; queries with nothing relevant, or nothing else, teach nothing.
        trained_on: what the data is, for people.
        embedding_model: URI of the model whose cosines are among the features.
        strength: inverse L2 penalty C of scikit-learn, > 0.

    Raises:
        InputUnreadable: no query has both a relevant and an irrelevant candidate.
    Source: Herbrich, Graepel & Obermayer, "Large Margin Rank Boundaries for Ordinal Regression", 2000 (pairs);
        Joachims, "Optimizing Search Engines using Clickthrough Data", KDD 2002.
    """
    ordered = sorted(queries, key=lambda q: q.query_key)
    taught = [pairs for q in ordered if len(pairs := _differences(q))]
    if not taught:
        raise InputUnreadable("training needs queries with relevant and irrelevant candidates; there is none")
    differences = np.concatenate(taught)
    sample_weight = np.concatenate([np.full(len(pairs), 1 / len(pairs)) for pairs in taught])
    return Rescorer(
        features=FEATURES,
        weights=_fit(differences, sample_weight, strength),
        n_queries=len(taught),
        n_pairs=len(differences),
        trained_on=trained_on,
        data_hash=data_hash(ordered),
        embedding_model=embedding_model,
    )


def _differences(query: JudgedQuery) -> Matrix:
    """Features of each better candidate minus those of each worse one; shape (n_pairs, n_features)."""
    gains = np.array(query.gains)
    better, worse = np.nonzero(gains[:, None] > gains[None, :])
    return query.x[better] - query.x[worse]


def _fit(differences: Matrix, sample_weight: Matrix, strength: float) -> tuple[float, ...]:
    # The spread of the differences is the scale; without it a penalty would fall on the small units alone.
    scale = differences.std(axis=0)
    scale[scale == 0] = 1.0
    x = differences / scale
    # Each pair both ways round, so that there are two classes and the plane goes through zero.
    both, labels = np.concatenate([x, -x]), np.repeat([1, 0], len(x))
    model = LogisticRegression(C=strength, fit_intercept=False, max_iter=2000)
    model.fit(both, labels, sample_weight=np.concatenate([sample_weight, sample_weight]))
    return tuple(float(weight) for weight in model.coef_[0] / scale)
