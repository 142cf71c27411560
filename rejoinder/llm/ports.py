"""The ports to models. Implementations live in resources.llm and are joined in resources.wiring."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

# What a text is to the model: what is looked for, or what is searched. Some models need to be told.
Role = Literal["query", "passage"]


class Embedded(NamedTuple):
    """Vectors of texts, and how many tokens the model read for them."""

    vectors: Vectors
    n_tokens: int


class Embedder(Protocol):
    """Turns texts into vectors of unit length."""

    @property
    def model(self) -> str:
        """URI of the model, ``provider::name``; stored beside every vector."""

    @property
    def dim(self) -> int:
        """Length of each vector."""

    def embed(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        """Embed texts; shape (len(texts), dim), float32, rows of unit length.

        An empty text gives the vector of the model's empty input; no text is an error.

        Args:
            texts: what to embed.
            role: "query" for posts, claims and questions, "passage" for what was said.
        """

    def count_tokens(self, text: str) -> int:
        """Tokens of the text by the model's own tokenizer, special tokens left out."""


class CountingEmbedder(Embedder, Protocol):
    """An embedder that says how much it read, so that nobody counts the tokens a second time."""

    def embed_counted(self, texts: Sequence[str], role: Role = "passage") -> Embedded:
        """As `embed`, with the tokens read, special ones included."""
