"""Wrappers of an Embedder: one keeps vectors of texts seen lately, one writes a model_run row per call."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rejoinder.llm.ports import CountingEmbedder, Embedder, Role, Vectors


@dataclass(frozen=True, slots=True)
class ModelRun:
    """What one model call used; latency_ms is wall time, tokens_in counts what the model read."""

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
    """An Embedder that reports every call, the failed ones too; a failed one is told to have read nothing."""

    def __init__(self, inner: CountingEmbedder, record: Callable[[ModelRun], None]) -> None:
        super().__init__(inner)
        self._counting = inner
        self._record = record

    def embed(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        """Embed texts and report the call."""
        started = time.monotonic()
        error: str | None = None
        n_tokens = 0
        try:
            vectors, n_tokens = self._counting.embed_counted(texts, role)
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"[:300]
            raise
        finally:
            elapsed_ms = (time.monotonic() - started) * 1000
            run = ModelRun("embed", self.model, len(texts), n_tokens, elapsed_ms, error is None, error)
            self._record(run)
        return vectors


class RememberingEmbedder(_Wrapper):
    """An Embedder that keeps the vectors of the last texts: corpus sentences come up again and again.

    Args:
        inner: who embeds what is not remembered.
        size: texts to remember; 1.5 kB each at 384 dimensions.
    """

    def __init__(self, inner: Embedder, *, size: int = 30_000) -> None:
        super().__init__(inner)
        self._size = size
        self._known: OrderedDict[tuple[Role, str], Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        """Embed texts, asking the model only for new ones."""
        found = {text: vector for text in set(texts) if (vector := self._recalled(role, text)) is not None}
        fresh = [text for text in dict.fromkeys(texts) if text not in found]
        if fresh:
            found |= zip(fresh, self._inner.embed(fresh, role), strict=True)
            self._remember(role, {text: found[text] for text in fresh})
        return np.stack([found[text] for text in texts]) if texts else np.zeros((0, self.dim), np.float32)

    def _recalled(self, role: Role, text: str) -> Vectors | None:
        with self._lock:
            vector = self._known.get((role, text))
            if vector is not None:
                self._known.move_to_end((role, text))
            return vector

    def _remember(self, role: Role, new: Mapping[str, Vectors]) -> None:
        with self._lock:
            # A copy of its own: a row of a large result would keep the whole result in memory.
            self._known |= {(role, text): vector.copy() for text, vector in new.items()}
            while len(self._known) > self._size:
                self._known.popitem(last=False)
