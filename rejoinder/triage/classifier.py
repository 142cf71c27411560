"""A trained relevance classifier as a value: its coefficients, what it was trained on, its scores.

What belongs here: using and storing a classifier; both need numpy only. Training needs scikit-learn
and stands in model.py. Stored as JSON, never as a pickle: a model file is data, and data is not run.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from rejoinder.errors import InputUnreadable
from rejoinder.ids import canonical_json, sha256_hex
from rejoinder.triage.weak_labels import Label, LabelSource

FORMAT = "rejoinder.triage.logistic.v1"
HELD_OUT_SHARE = 5


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled post. post_key decides the split: posts with the same key never part.

    Use the post's platform id as key, or a hash of its text where reposts are common.
    """

    post_key: str
    x: NDArray[np.float32]
    label: Label


@dataclass(frozen=True, slots=True)
class Metrics:
    """Scores on held-out posts only.

    roc_auc and average_precision are None where the held-out posts are all of one class. base_rate is
    the share of relevant posts among them. labels_from: whose labels the scores are against; see
    weak_labels.py for what a score against weak labels means.
    """

    roc_auc: float | None
    average_precision: float | None
    base_rate: float
    n_train: int
    n_held_out: int
    labels_from: LabelSource
    data_hash: str


@dataclass(frozen=True, slots=True)
class Classifier:
    """Logistic regression: probability = sigmoid(x[:, columns] @ weights + intercept)."""

    columns: tuple[int, ...]
    weights: tuple[float, ...]
    intercept: float
    n_features: int
    seed: int
    metrics: Metrics


def is_held_out(post_key: str) -> bool:
    """Whether a post belongs to the held-out fifth; by hash, so it never changes sides."""
    return int(sha256_hex(post_key)[:8], 16) % HELD_OUT_SHARE == 0


def data_hash(examples: Sequence[Example]) -> str:
    """SHA-256 of the examples, whatever their order: same data, same hash."""
    rows = sorted(
        (e.post_key, e.label.is_relevant, e.label.source, e.label.weight, sha256_hex(e.x.tobytes().hex()))
        for e in examples
    )
    return sha256_hex(canonical_json(rows))


def predict(classifier: Classifier, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probability that each post is relevant.

    Args:
        classifier: as trained or loaded.
        x: shape (n_posts, n_features), as `features.feature_matrix` makes it.

    Returns:
        Shape (n_posts,), in (0, 1).

    Raises:
        ValueError: x has another number of features than the classifier was trained on.
    """
    if x.ndim != 2 or x.shape[1] != classifier.n_features:
        raise ValueError(f"expected {classifier.n_features} features per post, got shape {x.shape}")
    logits = x[:, list(classifier.columns)].astype(np.float64) @ np.array(classifier.weights)
    return np.asarray(1 / (1 + np.exp(-np.clip(logits + classifier.intercept, -50, 50))))


def dump(classifier: Classifier) -> bytes:
    """Store as canonical JSON, UTF-8; `load` gives an equal value back."""
    return canonical_json({"format": FORMAT, **asdict(classifier)}).encode()


def load(data: bytes) -> Classifier:
    """Read what `dump` wrote.

    Raises:
        InputUnreadable: the bytes are not a classifier of this format.
    """
    try:
        fields = json.loads(data)
        if fields.pop("format") != FORMAT:
            raise ValueError("another format")
        metrics = Metrics(**fields.pop("metrics"))
        columns, weights = tuple(fields.pop("columns")), tuple(fields.pop("weights"))
        classifier = Classifier(columns=columns, weights=weights, metrics=metrics, **fields)
        predict(classifier, np.zeros((1, classifier.n_features), np.float32))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise InputUnreadable(f"not a stored classifier of format {FORMAT}: {error}") from error
    return classifier
