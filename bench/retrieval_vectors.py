"""Vectors of texts, kept in a folder from run to run.

What belongs here: which vectors are there already, and how new ones are written. A benchmark over many chunks embeds
for hours; what one run made, the next reads.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rejoinder.llm.ports import Embedder, Vectors

# Texts embedded between two writes: what is lost at most when a run is interrupted.
AT_ONCE = 512
_SUFFIX = ".npz"


class KeptVectors:
    """Embeds what the folder lacks; a vector is known by its model and text.

    Several runs may write into one folder: each block is a file of its own, named after what is in it.
    """

    def __init__(self, embedder: Embedder, folder: Path | None) -> None:
        """Read what is there; without a folder nothing is kept.

        Raises:
            OSError: the folder cannot be made or read.
        """
        self._embedder, self._folder = embedder, folder
        self._known: dict[bytes, Vectors] = {}
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(folder.glob(f"*{_SUFFIX}")):
                with np.load(path) as block:
                    self._known |= dict(zip(_rows(block["keys"]), block["vectors"], strict=True))

    def embed(self, texts: Sequence[str], advance: Callable[[int], None] = lambda _n: None) -> Vectors:
        """Vectors of the texts as passages, shape (len(texts), dim); advance is told of texts as they are done."""
        keys = [self._key(text) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        advance(len(texts) - len(missing))
        for start in range(0, len(missing), AT_ONCE):
            block = dict(list(missing.items())[start : start + AT_ONCE])
            self._keep(list(block), self._embedder.embed(list(block.values())))
            advance(len(block))
        return np.stack([self._known[key] for key in keys])

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self._embedder.model}\0{text}".encode()).digest()

    def _keep(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        self._known |= dict(zip(keys, vectors, strict=True))
        if self._folder is None:
            return
        path = self._folder / f"{hashlib.sha256(b''.join(keys)).hexdigest()[:32]}{_SUFFIX}"
        half = path.with_name(f"{path.name}.{os.getpid()}.half")
        with half.open("wb") as opened:
            np.savez(
                opened, keys=np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), -1), vectors=vectors
            )
        half.replace(path)


def _rows(keys: NDArray[np.uint8]) -> list[bytes]:
    return [row.tobytes() for row in keys]
