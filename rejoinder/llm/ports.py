"""The ports to models. Implementations live in resources.llm and are joined in resources.wiring."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors of unit length."""

    @property
    def model(self) -> str:
        """URI of the model, ``provider::name``; stored beside every vector."""

    @property
    def dim(self) -> int:
        """Length of each vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; shape (len(texts), dim), float32, rows of unit length.

        An empty text gives the vector of the model's empty input; no text is an error.
        """

    def count_tokens(self, text: str) -> int:
        """Tokens of the text by the model's own tokenizer, special tokens left out."""
