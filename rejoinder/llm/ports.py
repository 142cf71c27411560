"""The ports to models. Implementations live in resources.llm and are joined in resources.wiring."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rejoinder.llm.requests import LlmReply, LlmRequest, RawReply

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


class Llm(Protocol):
    """Answers requests with a language model: the gateway as its users see it."""

    def complete(self, request: LlmRequest) -> LlmReply:
        """The answer; where the request has a schema, its text is JSON that keeps to it.

        Raises:
            ModelTrouble: no model could be reached in time; later it may be.
            BudgetSpent: nothing was sent, because the money for today is spent.
            ModelRefusal: no model takes this request.
            ReplyInvalid: what came back does not keep to the schema, nor did it after one repair.
        """


class ModelClient(Protocol):
    """One model of one provider, called plainly: no retry, no limit, no cache."""

    @property
    def has_schemas(self) -> bool:
        """Whether the model keeps to a request's schema by itself; without it the schema is told in words."""

    def complete(self, request: LlmRequest, timeout_s: float) -> RawReply:
        """Answer one request within timeout_s seconds.

        Raises:
            ModelTrouble: no answer in time, too many requests, a failing server, a dropped connection.
            ModelRefusal: the provider will not take this request.
        """

    def count_tokens(self, text: str) -> int | None:
        """Tokens of a text by the model's own tokenizer; None where there is none at hand."""
