"""The newest rows behind each asset, for people who look at it in Dagster."""

from dataclasses import dataclass
from typing import Any

from resources.postgres import Database, Transaction


@dataclass(frozen=True, slots=True)
class Preview:
    """How many rows an asset has, the newest of them, and what model calls have cost so far."""

    total: int
    rows: list[dict[str, Any]]
    cost_usd: float


def embedding_coverage(db: Database) -> dict[str, Any]:
    """How many current chunks there are, and how many of them have a vector in the index that searches read."""
    with db.transaction() as tx:
        return dict(tx.row("embedding_coverage") or {})


def preview_rows(tx: Transaction, asset: str, *, top: int) -> Preview:
    """Preview of an asset by name; the statement ``preview_<asset>`` says what is shown.

    Raises:
        KeyError: there is no such statement.
    """
    rows = tx.rows(f"preview_{asset}", top=top)
    total = rows[0]["total"] if rows else 0
    cost = float(tx.value("model_cost"))
    return Preview(total, [{k: v for k, v in row.items() if k != "total"} for row in rows], cost)
