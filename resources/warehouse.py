"""The marts: small Parquet files for notebooks and dashboards, made anew from Postgres.

What belongs here: reading facts out of Postgres in one snapshot, the DuckDB statements of sql/duckdb over them,
and files that a reader never sees half written. Polars and DuckDB are imported when they are needed.
"""

import os
import time
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources as package_files
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg.rows import tuple_row

from rejoinder.errors import ConfigInvalid
from resources.postgres import Database, Transaction
from resources.queries import query

if TYPE_CHECKING:
    import polars as pl

MARTS = ("funnel", "review", "publication", "engagement", "spend", "models")
ROWS_AT_ONCE = 50_000
# Under this name each file keeps how many posts there were at its moment, for the check that none is missing.
POSTS_THEN = "posts_when_written"
# The columns of each facts_* statement, so that a table without rows still has its types.
FACTS = {
    "posts": {
        "post_id": "Int64", "channel": "String", "platform": "String", "stage": "String", "status": "String",
        "day": "Date",
    },
    "reviews": {
        "review_id": "Int64", "channel": "String", "strategy": "String", "prompt_version": "String",
        "decision": "String", "reason": "String", "was_edited": "Boolean", "is_simulated": "Boolean", "day": "Date",
    },
    "publications": {
        "publication_id": "Int64", "channel": "String", "is_sandbox": "Boolean", "state": "String",
        "is_simulated": "Boolean", "was_handed_off": "Boolean", "day": "Date", "heard_to_sent_s": "Float64",
        "approved_to_sent_s": "Float64", "price_usd": "Float64",
    },
    "snapshots": {
        "publication_id": "Int64", "channel": "String", "strategy": "String", "window_s": "Int64",
        "impressions": "Int64", "likes": "Int64", "replies": "Int64", "reposts": "Int64", "is_deleted": "Boolean",
        "is_late": "Boolean", "reward": "Float64",
    },
    "model_runs": {
        "day": "Date", "run_type": "String", "model": "String", "is_ok": "Boolean", "n_items": "Int64",
        "tokens_in": "Int64", "tokens_out": "Int64", "cost_usd": "Float64", "task": "String", "endpoint": "String",
        "arm": "String", "is_cached": "Boolean", "latency_ms": "Float64",
    },
    "platform_spend": {
        "day": "Date", "channel": "String", "action": "String", "n_resources": "Int64", "n_charged": "Int64",
        "spent_usd": "Float64",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MartReport:
    """Rows written per mart, and how long it took."""

    rows: dict[str, int]
    seconds: float


def refresh_marts(db: Database, home: Path) -> MartReport:
    """Write every mart anew under ``<home>/marts``; each file is replaced at once.

    All marts are of one moment: the facts are read in one snapshot of the database.

    Raises:
        ServiceUnavailable: Postgres cannot be reached; the earlier files stay.
    """
    started = time.monotonic()
    with db.transaction() as tx:
        tx.connection.execute("set transaction isolation level repeatable read, read only")
        facts = {name: _read_facts(tx, name) for name in FACTS}
        n_posts = int(tx.value("count_posts"))
    frames = {name: _build(name, facts) for name in MARTS}
    for name, frame in frames.items():
        _write(frame, mart_path(home, name), {POSTS_THEN: str(n_posts)})
    rows = {name: frame.height for name, frame in frames.items()}
    return MartReport(rows, round(time.monotonic() - started, 3))


def read_mart(home: Path, name: str) -> "pl.DataFrame":
    """A mart as it was last written; empty, with its columns, before the first refresh.

    Raises:
        ConfigInvalid: there is no mart of that name; the message lists them.
    """
    import polars as pl

    path = mart_path(home, name)
    return pl.read_parquet(path) if path.exists() else _build(name, _no_facts())


def posts_when_written(home: Path, name: str) -> int | None:
    """How many posts Postgres held at the moment that a mart shows; None before the first refresh.

    Raises:
        ConfigInvalid: there is no mart of that name.
    """
    import polars as pl

    path = mart_path(home, name)
    return int(pl.read_parquet_metadata(path)[POSTS_THEN]) if path.exists() else None


def mart_path(home: Path, name: str) -> Path:
    """Where a mart's file stands.

    Raises:
        ConfigInvalid: there is no mart of that name.
    """
    if name not in MARTS:
        raise ConfigInvalid(f"there is no mart {name!r}; there are {', '.join(MARTS)}")
    return home.expanduser() / "marts" / f"{name}.parquet"


def _read_facts(tx: Transaction, name: str) -> "pl.DataFrame":
    """All rows of a facts statement, through a cursor on the server so that memory holds one block of them."""
    import polars as pl

    frames = [_empty(name)]
    with tx.connection.cursor(f"facts_{name}", row_factory=tuple_row) as cursor:
        cursor.execute(query(f"facts_{name}"))
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            frames.append(pl.DataFrame(rows, schema=frames[0].schema, orient="row"))
    return pl.concat(frames)


def _no_facts() -> "dict[str, pl.DataFrame]":
    return {name: _empty(name) for name in FACTS}


def _empty(name: str) -> "pl.DataFrame":
    import polars as pl

    return pl.DataFrame(schema={column: getattr(pl, kind) for column, kind in FACTS[name].items()})


def _build(name: str, facts: "dict[str, pl.DataFrame]") -> "pl.DataFrame":
    import duckdb
    import polars as pl

    with duckdb.connect() as connection:
        for fact, rows in facts.items():
            connection.register(fact, rows)
        frame: pl.DataFrame = connection.sql(_statement(name)).pl()
    return frame


@lru_cache(maxsize=len(MARTS))
def _statement(name: str) -> str:
    return package_files.files("resources.sql").joinpath("duckdb", f"{name}.sql").read_text("utf-8")


def _write(frame: "pl.DataFrame", path: Path, metadata: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        frame.write_parquet(draft, metadata=metadata)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
