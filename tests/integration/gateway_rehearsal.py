"""What tests of the gateway's admission share: endpoints, requests, an argument clock, a process to kill."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rejoinder.llm.endpoints import Endpoint, Price, parse_uri
from rejoinder.llm.requests import LlmRequest, Message, Sampling
from resources.llm.gateway.admission import Admission
from resources.postgres import Database
from resources.tuning_models import ModelBudget, Models

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ASKED = LlmRequest(
    "reply", (Message("user", "Is that so?"),), sampling=Sampling(max_tokens=100), creator_id=7
)
PAID = Price(1.0, 1.0)
FREE = Price(0.0, 0.0)


def endpoint(name: str = "rehearsal", **more: Any) -> Endpoint:
    return Endpoint(**{"name": name, "uri": parse_uri("openai::rehearsal"), "price": PAID, **more})


@dataclass
class ArgumentClock:
    """A time that stands still until it is moved."""

    time: datetime = NOON

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **by: float) -> None:
        self.time += timedelta(**by)


def admission(
    url: str,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    queue_s: float = 0.0,
    budget: ModelBudget | None = None,
    **models: Any,
) -> Admission:
    return Admission(url, Models(queue_s=queue_s, **models), budget or ModelBudget(), now=now)


def rows(db: Database, text: str, *values: object) -> list[dict[str, Any]]:
    with db.transaction() as tx:
        return tx.connection.execute(text, values).fetchall()  # type: ignore[call-overload, no-any-return]


def spent(db: Database) -> dict[str, float]:
    """What is spent or reserved, by scope and key."""
    found = rows(
        db, "select scope || case key when '' then '' else ' ' || key end as what, spent_usd from model_spend"
    )
    return {row["what"]: float(row["spent_usd"]) for row in found}


def n_leases(db: Database) -> int:
    return int(rows(db, "select count(*) as n from endpoint_lease where worker is not null")[0]["n"])
