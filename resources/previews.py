"""The newest rows behind each asset, for people who look at it in Dagster."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from resources.postgres import Database, Transaction
from resources.store.follow_ups import follow_up_counts


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


def recall_proxy(db: Database, *, k: int, newest: int = 1_000) -> dict[str, Any]:
    """Shares of the newest quotes whose passage stood among the first of each list when research found it.

    What research did not read it cannot have quoted, so these are shares of what was found, not of what there is.

    Args:
        db: read as the application.
        k: how many passages research reads; as many of each list count.
        newest: how many quotes are looked at.

    Returns:
        ``recall_proxy_quotes`` and ``recall_proxy_k`` alone before the first quote; then also the shares of
        ``first_1`` and ``first_3`` (the order that research read), ``fused``, ``meaning`` and ``words`` (first k).
    """
    with db.transaction() as tx:
        row = dict(tx.row("evidence_recall_proxy", k=k, newest=newest) or {})
    counts = {"recall_proxy_quotes": row.pop("n", 0), "recall_proxy_k": k}
    return counts | {f"recall_proxy_{name}": round(v, 4) for name, v in row.items() if v is not None}


def hearing_facts(db: Database) -> dict[str, Any]:
    """How fresh what was heard is, and what hearing it cost, by enabled channel.

    Returns:
        ``freshness``: the time of the newest post, when one was heard last, and seconds since the last poll;
        ``spent_today_usd``: by UTC day.
    """
    with db.transaction() as tx:
        fresh, spent = tx.rows("hearing_freshness"), tx.rows("spent_today")
    return {
        "freshness": {row["channel"]: _plain(row) for row in fresh},
        "spent_today_usd": {row["channel"]: row["usd"] for row in spent},
    }


def follow_up_facts(db: Database) -> dict[str, int]:
    """How many answers our replies had, as ``kind: place``."""
    with db.transaction() as tx:
        return follow_up_counts(tx)


def outcome_facts(db: Database) -> dict[str, int]:
    """How many decisions got how far: reviewed, approved, sent, measured, and fit to be learned from."""
    with db.transaction() as tx:
        return dict(tx.row("outcome_counts") or {})


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Times as text, for JSON."""
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items() if k != "channel"}


def preview_rows(tx: Transaction, asset: str, *, top: int) -> Preview:
    """Preview of an asset by name; the statement ``preview_<asset>`` says what is shown.

    Raises:
        KeyError: there is no such statement.
    """
    rows = tx.rows(f"preview_{asset}", top=top)
    total = rows[0]["total"] if rows else 0
    cost = float(tx.value("model_cost"))
    return Preview(total, [{k: v for k, v in row.items() if k != "total"} for row in rows], cost)
