"""A small real embedder for tests: index terms hashed into a unit vector, so that near texts share words."""

import time
from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from rejoinder.llm.ports import Embedded, Role, Vectors
from rejoinder.text.terms import index_terms


class HashedEmbedder:
    """Deterministic on every machine; delay_s is spent on each text, to be killed in the middle of many."""

    def __init__(self, dim: int, *, delay_s: float = 0.0) -> None:
        self.dim = dim
        self.model = f"test::hashed-{dim}"
        self.embedded: list[str] = []
        self._delay_s = delay_s

    def embed(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        return self.embed_counted(texts, role).vectors

    def embed_counted(self, texts: Sequence[str], role: Role = "passage") -> Embedded:
        rows = np.zeros((len(texts), self.dim), np.float32)
        for row, text in zip(rows, texts, strict=True):
            time.sleep(self._delay_s)
            self.embedded.append(text)
            for term in index_terms(text) or ["nothing"]:
                row[int(sha256(term.encode()).hexdigest(), 16) % self.dim] += 1
        return Embedded(rows / np.linalg.norm(rows, axis=1, keepdims=True), 0)

    def count_tokens(self, text: str) -> int:
        return len(text.split())
