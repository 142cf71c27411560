"""The facts that marts are made of: the columns of each facts_* statement, and reading them out of PostgreSQL."""

from typing import TYPE_CHECKING

from psycopg.rows import tuple_row

from resources.postgres import Transaction
from resources.queries import load_statements, query

if TYPE_CHECKING:
    import polars as pl

ROWS_AT_ONCE = 50_000
# The columns of each facts_* statement, so that a table without rows still has its types.
FACTS = {
    "posts": {
        "post_id": "Int64", "channel": "String", "is_sandbox": "Boolean", "platform": "String", "stage": "String",
        "status": "String", "day": "Date",
    },
    "reviews": {
        "review_id": "Int64", "channel": "String", "is_sandbox": "Boolean", "strategy": "String",
        "prompt_version": "String", "decision": "String", "reason": "String", "was_edited": "Boolean",
        "is_simulated": "Boolean", "day": "Date", "drafted_to_decided_s": "Float64",
    },
    "publications": {
        "publication_id": "Int64", "channel": "String", "is_sandbox": "Boolean", "state": "String",
        "is_simulated": "Boolean", "was_handed_off": "Boolean", "day": "Date", "heard_to_drafted_s": "Float64",
        "drafted_to_approved_s": "Float64", "approved_to_due_s": "Float64", "due_to_sent_s": "Float64",
        "heard_to_sent_s": "Float64",
    },
    "moves": {
        "publication_id": "Int64", "channel": "String", "is_sandbox": "Boolean", "is_simulated": "Boolean",
        "from_state": "String", "to_state": "String", "reason_code": "String", "day": "Date",
    },
    "snapshots": {
        "publication_id": "Int64", "channel": "String", "is_sandbox": "Boolean", "strategy": "String",
        "prompt_version": "String", "is_simulated": "Boolean", "window_s": "Int64", "impressions": "Int64",
        "likes": "Int64", "replies": "Int64", "reposts": "Int64", "is_deleted": "Boolean", "is_late": "Boolean",
        "reward": "Float64", "day": "Date",
    },
    "links": {
        "day": "Date", "channel": "String", "is_sandbox": "Boolean", "strategy": "String", "prompt_version": "String",
        "is_simulated": "Boolean", "replies": "Int64", "tracked": "Int64", "link_cost_usd": "Float64",
        "is_bot": "Boolean", "visits": "Int64", "conversions": "Int64", "value_usd": "Float64",
    },
    "model_runs": {
        "day": "Date", "run_type": "String", "model": "String", "is_ok": "Boolean", "n_items": "Int64",
        "tokens_in": "Int64", "tokens_out": "Int64", "cost_usd": "Float64", "task": "String", "endpoint": "String",
        "arm": "String", "is_cached": "Boolean", "latency_ms": "Float64",
    },
    "platform_spend": {
        "day": "Date", "channel": "String", "is_sandbox": "Boolean", "action": "String", "n_resources": "Int64",
        "n_charged": "Int64", "spent_usd": "Float64",
    },
    "notices": {
        "notice_id": "Int64", "kind": "String", "day": "Date", "was_read": "Boolean", "read_after_s": "Float64",
        "is_over": "Boolean",
    },
}  # fmt: skip


def read_facts(tx: Transaction) -> "dict[str, pl.DataFrame]":
    """All facts by name, in the one snapshot that the transaction has where it is a repeatable read."""
    return {name: _read(tx, name) for name in FACTS}


def no_facts() -> "dict[str, pl.DataFrame]":
    """Facts of an installation in which nothing has happened: no rows, every column."""
    return {name: _empty(name) for name in FACTS}


def fact_statements() -> list[str]:
    """The words of every facts_* statement, in the order of the facts."""
    return [load_statements()[f"facts_{name}"].text for name in FACTS]


def _read(tx: Transaction, name: str) -> "pl.DataFrame":
    """All rows of a facts statement, through a cursor on the server so that memory holds one block of them."""
    import polars as pl

    frames = [_empty(name)]
    with tx.connection.cursor(f"facts_{name}", row_factory=tuple_row) as cursor:
        cursor.execute(query(f"facts_{name}"))
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            frames.append(pl.DataFrame(rows, schema=frames[0].schema, orient="row"))
    return pl.concat(frames)


def _empty(name: str) -> "pl.DataFrame":
    import polars as pl

    return pl.DataFrame(schema={column: getattr(pl, kind) for column, kind in FACTS[name].items()})
