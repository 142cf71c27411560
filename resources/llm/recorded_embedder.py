"""Wrappers of an Embedder: one keeps vectors of texts seen lately, one writes a model_run row per call."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rejoinder.llm.ports import Embedder, Vectors


@dataclass(frozen=True, slots=True)
class ModelRun:
    """What one model call used; latency_ms is wall time, tokens_in is 0 where the model does not say."""

    run_type: str
    model: str
    n_items: int
    tokens_in: int
    latency_ms: float
    is_ok: bool
    error: str | None


class _Wrapper:
    """What every wrapper passes through."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner

    @property
    def model(self) -> str:
        """URI of the model."""
        return self._inner.model

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self._inner.dim

    def count_tokens(self, text: str) -> int:
        """Tokens of the text."""
        return self._inner.count_tokens(text)


class RecordedEmbedder(_Wrapper):
    """An Embedder that reports every call, the failed ones too."""

    def __init__(self, inner: Embedder, record: Callable[[ModelRun], None]) -> None:
        super().__init__(inner)
        self._record = record

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts and report the call."""
        started = time.monotonic()
        error: str | None = None
        try:
            return self._inner.embed(texts)
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"[:300]
            raise
        finally:
            tokens = sum(self._inner.count_tokens(text) for text in texts)
            elapsed_ms = (time.monotonic() - started) * 1000
            self._record(ModelRun("embed", self.model, len(texts), tokens, elapsed_ms, error is None, error))


class RememberingEmbedder(_Wrapper):
    """An Embedder that keeps the vectors of the last texts: corpus sentences come up again and again.

    Args:
        inner: who embeds what is not remembered.
        size: texts to remember; 1.5 kB each at 384 dimensions.
    """

    def __init__(self, inner: Embedder, *, size: int = 30_000) -> None:
        super().__init__(inner)
        self._size = size
        self._known: OrderedDict[str, Vectors] = OrderedDict()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts, asking the model only for new ones."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        new = dict(zip(fresh, self._inner.embed(fresh), strict=True)) if fresh else {}
        rows = []
        for text in texts:
            vector = new.get(text)
            if vector is None:
                vector = self._known[text]
                self._known.move_to_end(text)
            rows.append(vector)
        for text, vector in new.items():
            self._known[text] = vector
        while len(self._known) > self._size:
            self._known.popitem(last=False)
        return np.stack(rows) if rows else np.zeros((0, self.dim), dtype=np.float32)
