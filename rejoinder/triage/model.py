"""Training the relevance classifier; the only module of this stage that imports scikit-learn.

What belongs here: fitting and scoring. Using a classifier needs classifier.py only.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from rejoinder.errors import InputUnreadable
from rejoinder.triage.classifier import Classifier, Example, Metrics, data_hash, is_held_out, predict
from rejoinder.triage.features import RULE_FEATURES

# Enough reviewed posts on each side to let reviewers, not the rule, judge the model.
ENOUGH_REVIEWS = 25


def train(examples: Sequence[Example], *, seed: int, strength: float = 0.05) -> Classifier:
    """Fit a logistic regression and score it on held-out posts.

    Args:
        examples: labelled posts, rows of `features.feature_matrix`; order does not matter.
        seed: for the solver; the result is the same for the same examples and seed.
        strength: inverse L2 penalty C of scikit-learn, > 0; small, because embeddings are wide.

    Returns:
        A classifier that uses the rule's own features only when enough reviews are there.

    Raises:
        InputUnreadable: the training part lacks one of the two classes.
    """
    ordered = sorted(examples, key=lambda e: e.post_key)
    fitting = [e for e in ordered if not is_held_out(e.post_key)]
    held_out = [e for e in ordered if is_held_out(e.post_key)]
    if len({e.label.is_relevant for e in fitting}) < 2:
        raise InputUnreadable("training needs relevant and irrelevant posts; there is only one kind so far")
    columns = _columns(fitting)
    weights, intercept = _fit(fitting, columns, seed=seed, strength=strength)
    bare = Metrics(None, None, 0.0, len(fitting), 0, "weak", data_hash(ordered))
    classifier = Classifier(columns, weights, intercept, fitting[0].x.shape[0], seed, bare)
    return Classifier(columns, weights, intercept, classifier.n_features, seed, _score(classifier, held_out))


def _columns(fitting: Sequence[Example]) -> tuple[int, ...]:
    reviewed = [e.label.is_relevant for e in fitting if e.label.source == "review"]
    first = 0 if _enough(reviewed) else len(RULE_FEATURES)
    return tuple(range(first, fitting[0].x.shape[0]))


def _enough(labels: Sequence[bool]) -> bool:
    return min(labels.count(True), labels.count(False)) >= ENOUGH_REVIEWS


def _fit(
    fitting: Sequence[Example], columns: tuple[int, ...], *, seed: int, strength: float
) -> tuple[tuple[float, ...], float]:
    x = _matrix(fitting)[:, list(columns)].astype(np.float64)
    scaler = StandardScaler().fit(x)
    model = LogisticRegression(C=strength, max_iter=2000, random_state=seed, class_weight="balanced")
    model.fit(
        scaler.transform(x),
        [e.label.is_relevant for e in fitting],
        sample_weight=[e.label.weight for e in fitting],
    )
    # The scaling is folded into the weights, so that using the model is one product.
    weights = model.coef_[0] / scaler.scale_
    return tuple(map(float, weights)), float(model.intercept_[0] - weights @ scaler.mean_)


def _score(classifier: Classifier, held_out: Sequence[Example]) -> Metrics:
    reviewed = [e for e in held_out if e.label.source == "review"]
    judged = reviewed if _enough([e.label.is_relevant for e in reviewed]) else held_out
    truth = [e.label.is_relevant for e in judged]
    both = len(set(truth)) == 2
    scores = predict(classifier, _matrix(judged)) if both else np.zeros(len(judged))
    return Metrics(
        roc_auc=float(roc_auc_score(truth, scores)) if both else None,
        average_precision=float(average_precision_score(truth, scores)) if both else None,
        base_rate=sum(truth) / len(truth) if truth else 0.0,
        n_train=classifier.metrics.n_train,
        n_held_out=len(judged),
        labels_from="review" if judged is reviewed else "weak",
        data_hash=classifier.metrics.data_hash,
    )


def _matrix(examples: Sequence[Example]) -> NDArray[np.float32]:
    return np.stack([e.x for e in examples])
