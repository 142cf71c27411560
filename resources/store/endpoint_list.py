"""Endpoints as people look at them: load, health, price, what they cost today."""

from dataclasses import dataclass
from datetime import date, datetime

from resources.postgres import Transaction


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One endpoint; prices are US dollars for a million tokens, None where not known.

    load counts calls under way, n_calls and spent_usd attempts since midnight UTC.
    """

    name: str
    uri: str
    capabilities: tuple[str, ...]
    max_concurrent: int
    is_enabled: bool
    is_configured: bool
    breaker: str
    opened_until: datetime | None
    failures: int
    last_ok_at: datetime | None
    last_failed_at: datetime | None
    last_error: str | None
    price_in: float | None
    price_out: float | None
    price_as_of: date | None
    load: int
    n_calls: int
    spent_usd: float


@dataclass(frozen=True, slots=True)
class DaySpend:
    """What models cost on one UTC day, in US dollars: in all, and by task, the dearest first."""

    total_usd: float
    by_task: tuple[tuple[str, float], ...]


def list_endpoints(tx: Transaction, *, now: datetime, day_at: datetime) -> tuple[EndpointRow, ...]:
    """Every endpoint that is configured or answered since day_at, the one without a model last."""
    rows = tx.rows("show_endpoints", now=now, day_at=day_at)
    return tuple(EndpointRow(**{**row, "capabilities": tuple(row["capabilities"])}) for row in rows)


def read_spend(tx: Transaction, day: date) -> DaySpend:
    """What models cost on a UTC day."""
    rows = tx.rows("show_spend", day=day)
    total = next((row["spent_usd"] for row in rows if row["scope"] == "total"), 0.0)
    return DaySpend(total, tuple((row["key"], row["spent_usd"]) for row in rows if row["scope"] == "task"))
