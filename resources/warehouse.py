"""The marts: small Parquet files for notebooks and dashboards, made anew from Postgres.

What belongs here: reading facts out of Postgres in one snapshot, the DuckDB statements of sql/duckdb over them,
and files that a reader never sees half written. Polars and DuckDB are imported when they are needed.
"""

import os
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib import resources as package_files
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg.rows import tuple_row

from rejoinder.errors import ConfigInvalid
from rejoinder.evaluation.student_t import t_975
from resources.postgres import Database, Transaction
from resources.queries import query

if TYPE_CHECKING:
    import polars as pl

MARTS = (
    "funnel", "approval", "latency", "publication", "engagement", "links", "spend", "models", "faults", "notices",
)  # fmt: skip
ROWS_AT_ONCE = 50_000
# Days back from the mart's own day that rates, quantiles and means are of; 0: since the beginning.
PERIODS = (7, 30, 90, 0)
# Beyond so many degrees of freedom Student's t hardly moves: the quantile of the last row serves.
LARGEST_DF = 200
# Under these names each file keeps how many posts there were at its moment, the moment, and what had changed by then.
POSTS_THEN, AS_OF, MARKER = "posts_when_written", "as_of", "marker"
# A change is in the marts after so many minutes at most; between two refreshes lie so many seconds at least.
FRESH_WITHIN = timedelta(minutes=5)
LEAST_GAP = timedelta(seconds=60)
# The columns of each facts_* statement, so that a table without rows still has its types.
FACTS = {
    "posts": {
        "post_id": "Int64", "channel": "String", "platform": "String", "stage": "String", "status": "String",
        "day": "Date",
    },
    "reviews": {
        "review_id": "Int64", "channel": "String", "strategy": "String", "prompt_version": "String",
        "decision": "String", "reason": "String", "was_edited": "Boolean", "is_simulated": "Boolean", "day": "Date",
        "drafted_to_decided_s": "Float64",
    },
    "publications": {
        "publication_id": "Int64", "channel": "String", "is_sandbox": "Boolean", "state": "String",
        "is_simulated": "Boolean", "was_handed_off": "Boolean", "day": "Date", "heard_to_drafted_s": "Float64",
        "drafted_to_approved_s": "Float64", "approved_to_sent_s": "Float64", "heard_to_sent_s": "Float64",
    },
    "moves": {
        "publication_id": "Int64", "channel": "String", "from_state": "String", "to_state": "String",
        "reason_code": "String", "day": "Date",
    },
    "snapshots": {
        "publication_id": "Int64", "channel": "String", "strategy": "String", "prompt_version": "String",
        "is_simulated": "Boolean", "window_s": "Int64", "impressions": "Int64", "likes": "Int64", "replies": "Int64",
        "reposts": "Int64", "is_deleted": "Boolean", "is_late": "Boolean", "reward": "Float64", "day": "Date",
    },
    "links": {
        "day": "Date", "channel": "String", "strategy": "String", "prompt_version": "String",
        "is_simulated": "Boolean", "is_bot": "Boolean", "visits": "Int64", "conversions": "Int64",
        "value_usd": "Float64",
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
    "notices": {
        "notice_id": "Int64", "kind": "String", "day": "Date", "was_read": "Boolean", "read_after_s": "Float64",
        "is_over": "Boolean",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MartReport:
    """Rows written per mart, and how long it took."""

    rows: dict[str, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Moment:
    """What the marts show: everything until as_of (aware, UTC); marker is another one once anything has changed."""

    as_of: datetime
    marker: str


def refresh_marts(db: Database, home: Path) -> MartReport:
    """Write every mart anew under ``<home>/marts``; each file is replaced at once, never by an older one.

    All marts are of one moment: the facts are read in one snapshot of the database.

    Raises:
        ServiceUnavailable: Postgres cannot be reached; the earlier files stay.
    """
    started = time.monotonic()
    with db.transaction() as tx:
        tx.connection.execute("set transaction isolation level repeatable read, read only")
        as_of = tx.connection.execute("select now() as at").fetchone()
        moment = Moment(as_of["at"] if as_of else datetime.now(UTC), str(tx.value("mart_marker")))
        facts = {name: _read_facts(tx, name) for name in FACTS}
        n_posts = int(tx.value("count_posts"))
    frames = _build_all(facts, moment.as_of.date())
    metadata = {POSTS_THEN: str(n_posts), AS_OF: moment.as_of.isoformat(), MARKER: moment.marker}
    for name, frame in frames.items():
        _write(frame, mart_path(home, name), metadata, moment)
    rows = {name: frame.height for name, frame in frames.items()}
    return MartReport(rows, round(time.monotonic() - started, 3))


def written_moment(home: Path) -> Moment | None:
    """The moment that all marts show, the earliest if they differ; None where one was never written."""
    moments = [_moment_of(mart_path(home, name)) for name in MARTS]
    found = [moment for moment in moments if moment is not None]
    return min(found, key=lambda m: m.as_of) if len(found) == len(MARTS) else None


def _moment_of(path: Path) -> Moment | None:
    kept = _metadata_of(path)
    return Moment(datetime.fromisoformat(kept[AS_OF]), kept[MARKER]) if kept and AS_OF in kept else None


def _metadata_of(path: Path) -> dict[str, str] | None:
    """What a file says of itself; None without one, or where a crash of the machine left it torn."""
    import polars as pl

    if not path.exists():
        return None
    try:
        return pl.read_parquet_metadata(path)
    except pl.exceptions.PolarsError:
        return None  # as if never written, so the next refresh replaces it


def is_refresh_due(db: Database, home: Path, now: datetime) -> bool:
    """Whether anything has changed since the marts were written, or another day began; not within a minute of it."""
    written = written_moment(home)
    if written is None:
        return True
    if now < written.as_of + LEAST_GAP:
        return False
    with db.transaction() as tx:
        return written.as_of.date() != now.date() or tx.value("mart_marker") != written.marker


def stale_since(db: Database, home: Path, now: datetime) -> datetime | None:
    """When the oldest change was made that is longer than five minutes ago and in no mart; None while all is fresh."""
    written = written_moment(home)
    since = written.as_of if written else datetime(1970, 1, 1, tzinfo=UTC)
    with db.transaction() as tx:
        oldest: datetime | None = tx.value("oldest_unseen_fact", since=since)
    return oldest if oldest is not None and oldest <= now - FRESH_WITHIN else None


def read_mart(home: Path, name: str) -> "pl.DataFrame":
    """A mart as it was last written; empty, with its columns, before the first refresh.

    Raises:
        ConfigInvalid: there is no mart of that name; the message lists them.
    """
    import polars as pl

    path = mart_path(home, name)
    return (
        pl.read_parquet(path)
        if _metadata_of(path) is not None
        else _build_all(_no_facts(), date(1970, 1, 1))[name]
    )


def posts_when_written(home: Path, name: str) -> int | None:
    """How many posts Postgres held at the moment that a mart shows; None before the first refresh.

    Raises:
        ConfigInvalid: there is no mart of that name.
    """
    kept = _metadata_of(mart_path(home, name))
    return int(kept[POSTS_THEN]) if kept and POSTS_THEN in kept else None


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


def _build_all(facts: "dict[str, pl.DataFrame]", today: date) -> "dict[str, pl.DataFrame]":
    import duckdb

    with duckdb.connect() as connection:
        for name, rows in {**facts, "periods": _periods(today), "student": _student()}.items():
            connection.register(name, rows)
        return {name: connection.sql(_statement(name)).pl() for name in MARTS}


def _periods(today: date) -> "pl.DataFrame":
    import polars as pl

    since = [today - timedelta(days=days - 1) if days else date.min for days in PERIODS]
    return pl.DataFrame({"days": PERIODS, "since": since})


def _student() -> "pl.DataFrame":
    """Two-sided 95 % quantiles of Student's t by degrees of freedom."""
    import polars as pl

    return pl.DataFrame(
        [(df, t_975(df)) for df in range(1, LARGEST_DF + 1)], schema=["df", "t"], orient="row"
    )


@lru_cache(maxsize=len(MARTS))
def _statement(name: str) -> str:
    return package_files.files("resources.sql").joinpath("duckdb", f"{name}.sql").read_text("utf-8")


def _write(frame: "pl.DataFrame", path: Path, metadata: dict[str, str], moment: Moment) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    there = _moment_of(path) if path.is_file() else None
    if there is not None and there.as_of > moment.as_of:
        return  # another refresh, of a later moment, was quicker
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        frame.write_parquet(draft, metadata=metadata)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
