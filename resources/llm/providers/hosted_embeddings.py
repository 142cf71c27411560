"""Vectors over HTTP, asked through LiteLLM from what speaks OpenAI's embeddings: one request at a time, plainly.

What belongs here: what is sent, and whether what came are vectors. Batches, limits and money: `hosted_embedder`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid, ModelRefusal, ModelTrouble
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.ports import Embedded, Vectors
from rejoinder.llm.prices import likely_tokens
from resources.llm.providers.hosted import utc_now
from resources.llm.providers.hosted_errors import Asked, failure_of
from resources.llm.providers.hosted_services import Line, openai_client
from resources.llm.providers.hosted_wire import exchange
from resources.llm.providers.openai_tokens import count_openai_tokens
from resources.llm.providers.quiet_litellm import quiet_litellm

# What stands behind a service's address where that is not OpenAI's own shape.
PATHS = {"openai": "", "together": "", "ollama": "/v1"}
# Models that give shorter vectors on request, and how long their own are.
# Source: OpenAI, "Vector embeddings", developers.openai.com, read with LiteLLM 1.106.2's table of models.
OWN_DIMS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072}
# Below this a vector has no direction.
SHORTEST = 1e-12


class EmbeddingClient:
    """One embedding model of one service, from any thread."""

    def __init__(
        self, endpoint: Endpoint, dim: int, key: SecretStr | None, now: Callable[[], datetime] = utc_now
    ) -> None:
        """Keep the settings; nothing is imported, nothing asked.

        Args:
            endpoint: what to ask.
            dim: length of its vectors.
            key: None where the server asks for none.
            now: the time, where a server names a date to wait for and no date of its answer.

        Raises:
            ConfigInvalid: the provider has no embeddings, LiteLLM is not installed, or the key is missing.
        """
        if endpoint.uri.provider not in PATHS:
            raise ConfigInvalid(
                f"endpoints.{endpoint.name}: {endpoint.uri.provider} has no embeddings that can be asked for; "
                f"these have: {', '.join(PATHS)}"
            )
        self._line = Line(endpoint, key)
        self._endpoint, self._dim, self._now = endpoint, dim, now

    def embed_once(self, texts: Sequence[str], timeout_s: float) -> Embedded:
        """Vectors of unit length in the order of the texts, by one request; tokens are estimated where not told.

        Raises:
            ModelTrouble: no vectors within timeout_s seconds in all, or not those that were asked for.
            ModelRefusal: the service will not take this, or its vectors have another length.
        """
        litellm, asked = quiet_litellm(), self._line.asked(texts, timeout_s)
        arguments = self._arguments(texts)
        with exchange(timeout_s) as noted:
            try:
                answer = litellm.embedding(**arguments, timeout=timeout_s)
            except Exception as error:
                raise failure_of(noted, error, asked, self._now) from None
        told = getattr(getattr(answer, "usage", None), "prompt_tokens", 0) or 0
        n_tokens = told if told > 0 else sum(map(likely_tokens, texts))
        try:
            vectors = unit_vectors(_in_order(answer.data, len(texts), asked), self._dim, asked)
        except (ModelTrouble, ModelRefusal) as useless:
            useless.charged = (n_tokens, 0)
            raise
        return Embedded(vectors, n_tokens)

    def count_tokens(self, text: str) -> int | None:
        """Tokens by the model's own tokenizer, where it comes with LiteLLM: OpenAI's models; else None."""
        is_openai = self._endpoint.uri.provider == "openai" and self._endpoint.base_url is None
        return count_openai_tokens(self._endpoint.uri.model, text) if is_openai else None

    def _arguments(self, texts: Sequence[str]) -> dict[str, Any]:
        shortened = is_shortened(self._endpoint.uri.model, self._dim)
        return {
            # Whatever the service, it is asked as OpenAI is.
            "model": f"openai/{self._endpoint.uri.model}",
            "input": list(texts),
            "encoding_format": "float",
            **({"dimensions": self._dim} if shortened else {}),
            "api_key": self._line.key,
            "api_base": self._base_url,
            "client": self._client,
            "num_retries": 0,
            "max_retries": 0,
            "drop_params": False,
        }

    @property
    def _base_url(self) -> str:
        path = PATHS[self._endpoint.uri.provider]
        return self._line.base_url.removesuffix(path) + path

    @cached_property
    def _client(self) -> Any:
        return openai_client(self._line, self._base_url)


def is_shortened(model: str, dim: int) -> bool:
    """Whether a model has to be asked for vectors of this length, because its own are longer.

    >>> is_shortened("text-embedding-3-small", 512), is_shortened("text-embedding-3-small", 1536)
    (True, False)
    """
    return OWN_DIMS.get(model, dim) != dim


def unit_vectors(rows: Sequence[Any], dim: int, asked: Asked) -> Vectors:
    """The rows as vectors of unit length; shape (len(rows), dim), float32.

    Raises:
        ModelTrouble: a row is not made of finite numbers, or all of them are 0.
        ModelRefusal: a row has another length.
    """
    for row in rows:
        if not isinstance(row, list) or not all(isinstance(value, int | float) for value in row):
            raise ModelTrouble("server", f"{asked.who} sent something else than vectors of numbers.")
        if len(row) != dim:
            raise ModelRefusal(
                "request",
                f"{asked.who} sent vectors of {len(row)} numbers, and {dim} were expected.",
                fix=f"Set dim = {len(row)} at the endpoint, if that is the model's own length.",
            )
    vectors = np.array(rows, np.float64).reshape(len(rows), dim)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths < SHORTEST).any():
        raise ModelTrouble(
            "server", f"{asked.who} sent a vector without direction (NaN, infinite, or all 0)."
        )
    found: Vectors = (vectors / lengths).astype(np.float32)
    return found


def _in_order(data: Any, n: int, asked: Asked) -> list[Any]:
    """The vectors in the order of the texts: by their index where they all have one."""
    items = [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []
    if len(items) != n:
        raise ModelTrouble("server", f"{asked.who} sent {len(items)} vectors for {n} texts.")
    places = [item.get("index") for item in items]
    if sorted(place for place in places if isinstance(place, int)) == list(range(n)):
        items.sort(key=lambda item: int(item["index"]))
    elif any(place is not None for place in places):
        raise ModelTrouble("server", f"{asked.who} numbered its vectors otherwise than the texts.")
    return [item.get("embedding") for item in items]
