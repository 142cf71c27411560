"""The relevance classifier as MLflow loads and serves it: numpy and JSON coefficients, nothing else.

What belongs here: one loader. MLflow keeps a copy of this file beside the coefficients and imports it when the
model is loaded; nothing of Rejoinder does. A test holds it to the numbers of `rejoinder.triage.classifier`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np


class RelevanceModel:
    """Logistic regression: probability = sigmoid(x[:, columns] @ weights + intercept)."""

    def __init__(self, stored: dict[str, Any]) -> None:
        self.stored = stored

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Probability that each post is relevant; model_input has shape (n_posts, n_features)."""
        x = np.asarray(model_input, dtype=np.float64)[:, self.stored["columns"]]
        logits = x @ np.array(self.stored["weights"]) + self.stored["intercept"]
        return 1 / (1 + np.exp(-np.clip(logits, -50, 50)))


def _load_pyfunc(path: str) -> RelevanceModel:
    """MLflow calls this, by this name, with the path of the coefficients."""
    return RelevanceModel(json.loads(Path(path).read_text("utf-8")))
