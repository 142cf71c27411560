"""The registry of endpoints: what rejoinder.toml names, as rows that all processes share.

What belongs here: writing them at start, and reading how they are.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from rejoinder.llm.endpoints import Endpoint, Price, parse_uri
from resources.postgres import Transaction
from resources.tuning_models import LOCAL, LOCAL_URI

if TYPE_CHECKING:
    from resources.tuning import Tuning

MANY = 10_000


def local_endpoint() -> Endpoint:
    """The endpoint that is always there: it answers without a model, at no price."""
    return Endpoint(
        name=LOCAL,
        uri=parse_uri(LOCAL_URI),
        capabilities=frozenset({"text", "json"}),
        max_concurrent=MANY,
        price=Price(0.0, 0.0),
    )


def configured_endpoints(tuning: "Tuning") -> dict[str, Endpoint]:
    """Every endpoint that a task may name, `local` first."""
    return {
        LOCAL: local_endpoint(),
        **{name: made.endpoint(name) for name, made in tuning.endpoints.items()},
    }


def register_endpoints(tx: Transaction, tuning: "Tuning") -> None:
    """Write the endpoints of rejoinder.toml into the registry; those that it names no more are kept as such.

    Safe to repeat: nothing is written where nothing changed, and health is kept, except where the model or the address
    is another one now.
    """
    endpoints = configured_endpoints(tuning)
    for endpoint in endpoints.values():
        tx.execute("save_endpoint", **endpoint_values(endpoint))
    tx.execute("retire_endpoints", names=list(endpoints))


def endpoint_values(endpoint: Endpoint) -> dict[str, Any]:
    """The endpoint as parameters of the statement save_endpoint."""
    price = endpoint.price
    return {
        "name": endpoint.name,
        "uri": str(endpoint.uri),
        "base_url": endpoint.base_url,
        "capabilities": sorted(endpoint.capabilities),
        "max_concurrent": endpoint.max_concurrent,
        "timeout_s": endpoint.timeout_s,
        "price_in": price and price.in_usd_per_mtok,
        "price_out": price and price.out_usd_per_mtok,
        "price_as_of": price and price.as_of,
        "weight": endpoint.weight,
    }


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """How an endpoint is: as configured, as it was when last called, and what it takes now.

    load counts places that living processes hold. spent_usd is of this UTC day, without reserved_usd, which calls under
    way may still cost.
    """

    name: str
    uri: str
    base_url: str | None
    capabilities: list[str]
    max_concurrent: int
    price_in: float | None
    price_out: float | None
    price_as_of: date | None
    weight: float
    is_enabled: bool
    is_configured: bool
    breaker: str
    failures: int
    opened_until: datetime | None
    last_ok_at: datetime | None
    last_failed_at: datetime | None
    last_error: str | None
    load: int
    spent_usd: float
    reserved_usd: float


def is_refused(status: EndpointStatus) -> bool:
    """Whether an endpoint answered no call since it refused one for its key or its model's name."""
    if status.failures or status.last_failed_at is None:
        return False
    return status.last_ok_at is None or status.last_ok_at < status.last_failed_at


def endpoint_statuses(tx: Transaction, today: date) -> list[EndpointStatus]:
    """Every endpoint that was ever registered, those of rejoinder.toml first."""
    return [EndpointStatus(**row) for row in tx.rows("endpoint_statuses", today=today)]


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent on models on a UTC day within a scope: "total", "task", "creator" or "endpoint".

    key names the task, creator or endpoint; creator is the name of the creator with that number. reserved_usd is what
    calls under way may still cost.
    """

    day: date
    scope: str
    key: str
    creator: str | None
    spent_usd: float
    reserved_usd: float


def spending(tx: Transaction, today: date, days: int) -> list[Spending]:
    """What was spent on the last days, today first."""
    return [Spending(**row) for row in tx.rows("spend_by_day", today=today, days=days)]
