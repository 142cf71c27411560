"""The embedding models that rejoinder.toml configures as endpoints, beside those that run on this machine."""

import random
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.backoff import Backoff
from rejoinder.llm.ports import CountingEmbedder, Embedder
from resources.llm.shelf import Shelf

if TYPE_CHECKING:
    from resources.tuning import Tuning
    from resources.tuning_models import EndpointTuning


def shelf_of(
    tuning: "Tuning", url: str | None = None, wrap: Callable[[CountingEmbedder], Embedder] = lambda made: made
) -> Shelf:
    """All embedding models that may be named: those of this machine, and the endpoints that embed.

    Endpoints with the same model, and vectors of the same length, share an index; the first of them is asked.

    Args:
        tuning: endpoints, waits and budgets.
        url: of the domain database, where places and money are counted; without it no endpoint can be asked.
        wrap: put around every embedder that is made.
    """
    named = {name: own for name, own in tuning.endpoints.items() if own.dim is not None}
    uris = {name: _uri(name, own) for name, own in named.items()}
    makers = {uris[name]: partial(_make, tuning, url, name) for name in reversed(named)}
    return Shelf(wrap, makers, uris)


def usd_per_mtok(tuning: "Tuning", uri: str) -> float:
    """What a million tokens read by the model with this URI cost in US dollars; 0 for models of this machine."""
    return next(
        (own.price_in or 0.0 for name, own in tuning.endpoints.items() if own.dim and _uri(name, own) == uri),
        0.0,
    )


def _uri(name: str, own: "EndpointTuning") -> str:
    from resources.llm.hosted_embedder import index_uri

    return index_uri(own.endpoint(name).uri, own.dim or 0)


def _make(tuning: "Tuning", url: str | None, name: str) -> CountingEmbedder:
    from resources.llm.gateway.admission import Admission
    from resources.llm.hosted_embedder import HostedEmbedder
    from resources.llm.providers.hosted_embeddings import EmbeddingClient
    from resources.settings import model_key

    if url is None:
        raise ConfigInvalid(
            f"endpoints.{name}: an endpoint can only be asked where the database counts its calls"
        )
    own, models = tuning.endpoints[name], tuning.models
    endpoint, dim = own.endpoint(name), own.dim or 0
    admission = Admission(url, models, tuning.budget)
    made = HostedEmbedder(
        endpoint,
        dim,
        EmbeddingClient(endpoint, dim, model_key(own.key or name)),
        admission,
        Backoff(models.attempts, models.backoff_s, models.longest_wait_s),
        time.monotonic,
        time.sleep,
        random.random,
    )
    weakref.finalize(made, admission.close)
    return made
