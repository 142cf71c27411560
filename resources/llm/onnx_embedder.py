"""Runs an encoder on ONNX Runtime, each text by itself, several texts side by side.

A text by itself needs no padding, and its vector depends on nothing but the text: products in integers scale by the
largest activation of the run, so texts that shared a run would change each other's vectors. Two texts on two threads
are faster than one text on both.
"""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rejoinder.llm.ports import Embedded, Role, Vectors
from resources.llm.bert_graph import float_graph, int8_graph
from resources.llm.encoder import Encoder, Ids, TextTokenizer, WordTable
from resources.llm.minilm import MINILM

log = logging.getLogger("rejoinder.llm")

# How far the 8-bit model's cosines may be off the full-precision ones: .015 was seen where products are exact. Old
# processors cut products of 8-bit numbers off at 16 bits, which takes them far away.
_TOLERANCE = 0.04


class _Loaded(NamedTuple):
    """What stays in memory of a model."""

    session: Any
    words: WordTable


class OnnxEmbedder:
    """Mean-pooled, normalised sentence vectors; implements rejoinder.llm.ports.CountingEmbedder.

    Files are verified and loaded at the first use, once, also under threads. A text longer than the encoder's
    tokens counts by its first ones. The same text gives the same vector in any company.
    """

    def __init__(self, encoder: Encoder = MINILM, *, threads: int = 2) -> None:
        """Keep the settings; nothing is loaded yet.

        Args:
            encoder: the model.
            threads: texts embedded side by side, > 0.
        """
        self._encoder = encoder
        self._threads = threads
        self._lock = threading.RLock()

    @property
    def model(self) -> str:
        """URI of the model, stored beside every vector."""
        return self._encoder.uri

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self._encoder.dim

    def embed(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        """Embed texts; shape (len(texts), dim), float32, rows of unit length, in the order given.

        Raises:
            ConfigInvalid: a package is missing or its file is not the pinned one.
        """
        return self.embed_counted(texts, role).vectors

    def embed_counted(self, texts: Sequence[str], role: Role = "passage") -> Embedded:
        """As `embed`, with the tokens read."""
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        counts = np.zeros(len(texts), dtype=np.int64)
        prefix = self._encoder.prefixes.get(role, "")

        def fill(row: int) -> None:
            ids = self._tokenizer.ids(prefix + texts[row], most=self._encoder.max_tokens)
            vectors[row], counts[row] = _run(self._loaded, ids), len(ids)

        if len(texts) == 1:
            fill(0)
        elif texts:
            list(self._pool.map(fill, range(len(texts))))
        return Embedded(vectors, int(counts.sum()))

    def count_tokens(self, text: str) -> int:
        """Tokens of the whole text, special ones left out."""
        return self._tokenizer.count(text)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        with self._lock:
            return self.__dict__.get("_pool") or ThreadPoolExecutor(self._threads, "embed")

    @cached_property
    def _tokenizer(self) -> TextTokenizer:
        with self._lock:
            return self.__dict__.get("_tokenizer") or self._encoder.load_tokenizer()

    @cached_property
    def _loaded(self) -> _Loaded:
        with self._lock:
            return self.__dict__.get("_loaded") or self._load()

    def _load(self) -> _Loaded:
        weights, words = self._encoder.load_parts()
        loaded = _Loaded(_session(int8_graph(weights)), words)
        if self._error_of(loaded) <= _TOLERANCE:
            return loaded
        log.warning("%s: this processor's 8-bit products are not exact; floats are used", self.model)
        return _Loaded(_session(float_graph(weights)), words)

    def _error_of(self, loaded: _Loaded) -> float:
        """How far the worst known cosine is off."""

        def vector(text: str) -> Vectors:
            prefix = self._encoder.prefixes.get("query", "")
            return _run(loaded, self._tokenizer.ids(prefix + text, most=self._encoder.max_tokens))

        known = self._encoder.likenesses
        return max(abs(float(vector(left) @ vector(right)) - cosine) for left, right, cosine in known)


def _run(loaded: _Loaded, ids: Ids) -> Vectors:
    vector: Vectors = loaded.session.run(None, {"words": loaded.words.rows(ids)[None]})[0][0]
    return vector


def _session(graph: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
