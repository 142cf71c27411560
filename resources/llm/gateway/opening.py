"""Opens the gateway: joins its wrappers as rejoinder.toml has it.

What belongs here: who wraps whom. From the outside in: recorded, sent once while equal, cached, along the chain of
endpoints; and for each of them checked against the schema, repeated, admitted.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from rejoinder.llm.backoff import Backoff
from rejoinder.llm.choosing import WITHOUT_MODEL
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.requests import LlmRequest
from resources.llm.gateway.admitted import Admitted
from resources.llm.gateway.cached import Cached
from resources.llm.gateway.calls import Admitting, Clock
from resources.llm.gateway.chains import Chains, Link
from resources.llm.gateway.clients import Clients
from resources.llm.gateway.fallback import Fallback, has_room
from resources.llm.gateway.gateway import Gateway
from resources.llm.gateway.kept_answers import KeptAnswers
from resources.llm.gateway.ledger import Ledger
from resources.llm.gateway.recorded import Recorded
from resources.llm.gateway.retrying import Retrying
from resources.llm.gateway.single_flight import SingleFlight
from resources.llm.gateway.structured import Structured

if TYPE_CHECKING:
    from rejoinder.llm.ports import ModelClient
    from resources.llm.gateway.admission import Admission
    from resources.llm.gateway.holder import Holder
    from resources.tuning import Tuning


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the gateway takes from the world: a clock for durations, the time, waiting, chance."""

    clock: Clock = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random


def open_gateway(
    url: str,
    tuning: "Tuning",
    *,
    open_model: "Callable[[Endpoint], ModelClient] | None" = None,
    world: Surroundings | None = None,
) -> Gateway:
    """The gateway of this process; nothing is connected or imported for a model before the first call needs it.

    Args:
        url: of the domain database, as the application's role.
        tuning: endpoints, tasks, budgets and the cache.
        open_model: makes the client of an endpoint; by default its provider, with the key of the environment.
        world: clock, time, waiting and chance; by default the real ones.
    """
    from resources.llm.gateway.admission import Admission

    world = world or Surroundings()
    admission = Admission(
        url,
        tuning.models,
        tuning.budget,
        now=world.now,
        clock=world.clock,
        sleep=world.sleep,
        draw=world.draw,
    )
    clients = Clients(open_model or partial(open_configured, tuning))
    chains = _chains(tuning, clients, admission, world)
    kept = _kept(tuning, admission.holder, world)
    cached = Cached(Fallback(chains), chains, kept, world.clock, partial(_is_at_hand, clients))
    once = SingleFlight(cached, chains, world.clock, is_on=kept.is_on)
    ledger = Ledger(admission.holder, admission.settlements)
    recorded = Recorded(once, chains, kept, ledger, world.clock)
    return Gateway(recorded, tuning.models.call_s, admission.close)


def open_configured(tuning: "Tuning", endpoint: Endpoint) -> "ModelClient":
    """The client of an endpoint, with its key of the environment.

    Raises:
        ConfigInvalid: no such provider is installed, a library is missing, or the endpoint lacks something.
    """
    from resources.llm.providers.registry import open_client
    from resources.settings import model_key

    own = tuning.endpoints.get(endpoint.name)
    return open_client(endpoint, model_key((own and own.key) or endpoint.name))


def _chains(tuning: "Tuning", clients: Clients, admission: "Admission", world: Surroundings) -> Chains:
    from resources.llm.gateway.registry import configured_endpoints

    endpoints = configured_endpoints(tuning)
    links = {
        name: Link(endpoint, _wrapped(endpoint, tuning, clients, admission, world))
        for name, endpoint in endpoints.items()
    }
    return Chains(tuning.models, links, admission.loads)


def _wrapped(
    endpoint: Endpoint, tuning: "Tuning", clients: Clients, admission: Admitting, world: Surroundings
) -> Structured:
    models = tuning.models
    backoff = Backoff(models.attempts, models.backoff_s, models.longest_wait_s)
    admitted = Admitted(endpoint, clients, admission, world.clock)
    retrying = Retrying(admitted, backoff, world.clock, world.sleep, world.draw)
    return Structured(retrying, endpoint, clients, may_repair=endpoint.uri.provider != WITHOUT_MODEL)


def _is_at_hand(clients: Clients, endpoint: Endpoint, request: LlmRequest) -> bool:
    """Whether a call of the endpoint needs a place and nothing else."""
    return clients.is_open(endpoint) and endpoint.price is not None and has_room(endpoint, request)


def _kept(tuning: "Tuning", holder: "Holder", world: Surroundings) -> KeptAnswers:
    ttl = timedelta(days=tuning.cache.ttl_days)
    return KeptAnswers(holder, ttl, tuning.cache.largest_mib << 20, world.now, world.draw)
