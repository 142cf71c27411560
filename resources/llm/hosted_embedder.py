"""An embedding endpoint as an embedder: texts in batches, each with a place, money and repeated calls of its own."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import numpy as np

from rejoinder.errors import ModelRefusal, ModelTrouble
from rejoinder.llm.backoff import Backoff
from rejoinder.llm.endpoints import Endpoint, ModelUri, Price
from rejoinder.llm.ports import Embedded, Role, Vectors
from rejoinder.llm.prices import cost_usd, likely_tokens, most_tokens
from rejoinder.llm.requests import LlmRequest, Usage
from resources.llm.gateway.admitted import may_be_charged
from resources.llm.gateway.calls import Admitting, Clock, error_in_words, outcome_of
from resources.llm.gateway.retrying import NOT_AGAIN
from resources.llm.providers.hosted_embeddings import is_shortened

# What budgets and limits know the calls by.
TASK = "embed"
ASKED = LlmRequest(TASK, ())
# Small servers take few texts at once: 32 is what Text Embeddings Inference allows unless told otherwise.
MOST_TEXTS = 32
MOST_TOKENS = 100_000
UNPRICED = Price(0.0, 0.0)
# What models were taught to find before a text, by the end of their name. Sources: the model cards of
# intfloat/e5-*-v2, intfloat/multilingual-e5-* and nomic-ai/nomic-embed-text-v1.5.
PREFIXES: tuple[tuple[re.Pattern[str], dict[Role, str]], ...] = (
    (
        re.compile(r"(?:^|[/-])e5-(?:small|base|large)(?:-v2)?$"),
        {"query": "query: ", "passage": "passage: "},
    ),
    (
        re.compile(r"(?:^|/)nomic-embed-text(?:[:-]v?[\w.]+)?$"),
        {"query": "search_query: ", "passage": "search_document: "},
    ),
)


class Asks(Protocol):
    """Whoever makes one request for vectors."""

    def embed_once(self, texts: Sequence[str], timeout_s: float) -> Embedded:
        """Vectors of unit length, in order, and the tokens read."""

    def count_tokens(self, text: str) -> int | None:
        """Tokens of a text by the model's own tokenizer; None where there is none at hand."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class HostedEmbedder:
    """Vectors of an endpoint; implements rejoinder.llm.ports.CountingEmbedder.

    A text longer than the endpoint's context_tokens counts by its first ones. An empty one is sent as a blank, because
    services refuse it.

    Args:
        endpoint: what is asked; its places and its price count for all processes together.
        dim: length of its vectors.
        client: makes the requests.
        admission: lets them through.
        backoff: how often a request is repeated.
        clock, sleep, draw: time in seconds, waiting, and a random number in [0, 1).
    """

    endpoint: Endpoint
    dim: int
    client: Asks
    admission: Admitting
    backoff: Backoff
    clock: Clock
    sleep: Callable[[float], None]
    draw: Callable[[], float]

    @property
    def model(self) -> str:
        """The model's URI, with the length of its vectors where that is not its own."""
        return index_uri(self.endpoint.uri, self.dim)

    def embed(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        """Embed texts; shape (len(texts), dim), float32, rows of unit length, in the order given.

        Raises:
            ModelTrouble: no vectors, though asked repeatedly; later there may be.
            BudgetSpent: nothing was sent, because the money for today is spent.
            ModelRefusal: the service will not take these texts, or its vectors have another length.
        """
        return self.embed_counted(texts, role).vectors

    def embed_counted(self, texts: Sequence[str], role: Role = "passage") -> Embedded:
        """As `embed`, with the tokens read, as the service tells them."""
        prefix = prefixes_of(self.endpoint.uri.model).get(role, "")
        found = [self._repeatedly(batch) for batch in self._batches([prefix + text for text in texts])]
        vectors = [part.vectors for part in found] or [np.zeros((0, self.dim), np.float32)]
        return Embedded(np.concatenate(vectors), sum(part.n_tokens for part in found))

    def count_tokens(self, text: str) -> int:
        """Tokens by the model's own tokenizer where it is at hand; else four bytes each, rounded up."""
        counted = self.client.count_tokens(text)
        return likely_tokens(text) if counted is None else counted

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        batch: list[str] = []
        n_tokens = 0
        for text in map(self._fitted, texts):
            n = self.count_tokens(text)
            if batch and (len(batch) == MOST_TEXTS or n_tokens + n > MOST_TOKENS):
                yield batch
                batch, n_tokens = [], 0
            batch.append(text)
            n_tokens += n
        if batch:
            yield batch

    def _fitted(self, text: str) -> str:
        """As much of a text as the model reads."""
        most = self.endpoint.context_tokens
        if most is not None:
            while (n := self._most_tokens(text)) > most:
                text = text[: min(len(text) - 1, len(text) * most // n)]
        return text or " "

    def _most_tokens(self, text: str) -> int:
        counted = self.client.count_tokens(text)
        return most_tokens(text) if counted is None else counted

    def _repeatedly(self, texts: list[str]) -> Embedded:
        for done in count(1):
            try:
                return self._once(texts)
            except ModelTrouble as trouble:
                wait_s = self.backoff.wait_s(done, trouble.retry_after_s, self.draw)
                if wait_s is None or trouble.kind in NOT_AGAIN:
                    raise
            self.sleep(wait_s)
        raise AssertionError("counting has no end")

    def _once(self, texts: list[str]) -> Embedded:
        price = self.endpoint.price or UNPRICED
        most_usd = cost_usd(Usage(sum(map(self._most_tokens, texts)), 0), price)
        with self.admission.admit(
            self.endpoint, ASKED, estimate_usd=most_usd, deadline=float("inf")
        ) as place:
            try:
                found = self.client.embed_once(texts, self.endpoint.timeout_s)
            except BaseException as error:
                place.settle(outcome_of(error), _spent_usd(error, most_usd, price), error_in_words(error))
                raise
            place.settle("ok", cost_usd(Usage(found.n_tokens, 0), price))
        return found


def _spent_usd(error: BaseException, most_usd: float, price: Price) -> float:
    """What a call that brought no vectors cost: all it could where nobody knows, else what the service told."""
    if may_be_charged(error):
        return most_usd
    charged = error.charged if isinstance(error, ModelTrouble | ModelRefusal) else None
    return cost_usd(Usage(*charged), price) if charged is not None else 0.0


def index_uri(uri: ModelUri, dim: int) -> str:
    """Under what name the vectors of a model are kept: endpoints that share it share an index.

    >>> index_uri(ModelUri("openai", "text-embedding-3-small"), 1536)
    'openai::text-embedding-3-small'
    >>> index_uri(ModelUri("openai", "text-embedding-3-small"), 512)
    'openai::text-embedding-3-small@512'
    """
    return f"{uri}@{dim}" if is_shortened(uri.model, dim) else str(uri)


def prefixes_of(model: str) -> dict[Role, str]:
    """What a model wants before a text, by the text's role; nothing for most.

    >>> prefixes_of("intfloat/multilingual-e5-large")["query"], prefixes_of("text-embedding-3-small")
    ('query: ', {})
    """
    return next((prefixes for name, prefixes in PREFIXES if name.search(model)), {})
