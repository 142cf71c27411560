"""The marts: small Parquet files for notebooks and dashboards, made anew from Postgres.

What belongs here: when marts are due, the DuckDB statements of sql/duckdb over the facts of one snapshot, and files
that a reader never sees half written. Polars and DuckDB are imported when they are needed.
"""

import hashlib
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib import resources as package_files
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from rejoinder.errors import ConfigInvalid
from rejoinder.evaluation.student_t import t_975
from resources.mart_facts import FACTS, fact_statements, no_facts, read_facts
from resources.postgres import Database

if TYPE_CHECKING:
    import polars as pl

MARTS = (
    "funnel", "approval", "latency", "publication", "engagement", "links", "spend", "models", "faults", "notices",
)  # fmt: skip
# Days back from the mart's own day that rates, quantiles and means are of; 0: since the beginning.
PERIODS = (7, 30, 90, 0)
# Beyond so many degrees of freedom Student's t hardly moves: the quantile of the last row serves.
LARGEST_DF = 200
# Under these names each file keeps how many posts there were at its moment, the moment, what had changed by then, which
# transactions it saw, and by which statements it was made.
POSTS_THEN, AS_OF, MARKER = "posts_when_written", "as_of", "marker"
SNAPSHOT, MADE_BY = "snapshot", "made_by"
# A change is in the marts after so many minutes at most; between two refreshes lie so many seconds at least.
FRESH_WITHIN = timedelta(minutes=5)
LEAST_GAP = timedelta(seconds=60)
LONGEST_REFRESH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class MartReport:
    """Rows written per mart, and how long it took."""

    rows: dict[str, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Moment:
    """What the marts show: everything until as_of (aware, UTC).

    snapshot names exactly the transactions that were seen; marker is another one once anything has changed.
    """

    as_of: datetime
    marker: str
    snapshot: str


def refresh_marts(db: Database, home: Path) -> MartReport:
    """Write every mart anew under ``<home>/marts``; each file is replaced at once, never by an older one.

    All marts are of one moment: the facts are read in one snapshot of the database.

    Raises:
        ServiceUnavailable: Postgres cannot be reached; the earlier files stay.
    """
    started = time.monotonic()
    with db.transaction() as tx:
        tx.connection.execute("set transaction isolation level repeatable read, read only")
        seen = tx.rows("mart_snapshot")[0]
        moment = Moment(seen["as_of"], str(tx.value("mart_marker")), seen["snapshot"])
        facts = read_facts(tx)
        n_posts = int(tx.value("count_posts"))
    frames = _build_all(facts, moment.as_of.date())
    _replace_all(home, frames, moment, _metadata(moment, n_posts))
    rows = {name: frame.height for name, frame in frames.items()}
    return MartReport(rows, round(time.monotonic() - started, 3))


def _metadata(moment: Moment, n_posts: int) -> dict[str, str]:
    return {
        POSTS_THEN: str(n_posts),
        AS_OF: moment.as_of.isoformat(),
        MARKER: moment.marker,
        SNAPSHOT: moment.snapshot,
        MADE_BY: _made_by(),
    }


def written_moment(home: Path) -> Moment | None:
    """The moment that all marts show, the earliest if they differ.

    None where one was never written, or by another version of Rejoinder, which counted something else.
    """
    moments = [_moment_of(mart_path(home, name)) for name in MARTS]
    found = [moment for moment in moments if moment is not None]
    return min(found, key=lambda m: m.as_of) if len(found) == len(MARTS) else None


def _moment_of(path: Path) -> Moment | None:
    kept = _metadata_of(path)
    if kept is None or kept.get(MADE_BY) != _made_by():
        return None
    return Moment(datetime.fromisoformat(kept[AS_OF]), kept[MARKER], kept[SNAPSHOT])


@lru_cache(maxsize=1)
def _made_by() -> str:
    """Another value for other columns, statements or types, as after an upgrade."""
    words = [
        str(FACTS),
        version("duckdb"),
        version("polars"),
        *fact_statements(),
        *map(_statement, ("macros", *MARTS)),
    ]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]


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
    if timedelta(0) <= now - written.as_of < LEAST_GAP:  # a server whose clock is ahead is no reason to wait
        return False
    with db.transaction() as tx:
        return written.as_of.date() != now.date() or tx.value("mart_marker") != written.marker


def stale_since(db: Database, home: Path, now: datetime) -> datetime | None:
    """When the oldest change was made that is longer than five minutes ago and in no mart; None while all is fresh."""
    written = written_moment(home)
    since = written.as_of if written else datetime(1970, 1, 2, tzinfo=UTC)
    with db.transaction() as tx:
        if written and tx.value("mart_marker") == written.marker:
            return None
        snapshot = written.snapshot if written else None
        oldest: datetime | None = tx.value("oldest_unseen_fact", since=since, snapshot=snapshot)
    return oldest if oldest is not None and oldest <= now - FRESH_WITHIN else None


def read_mart(home: Path, name: str) -> "pl.DataFrame":
    """A mart as it was last written.

    Empty, with its columns, before the first refresh, and where another version left other columns.

    Raises:
        ConfigInvalid: there is no mart of that name; the message lists them.
    """
    import polars as pl

    path, empty = mart_path(home, name), _empty_marts()[name]
    if _metadata_of(path) is None:
        return empty
    found = pl.read_parquet(path)
    return found if found.schema == empty.schema else empty


@lru_cache(maxsize=1)
def _empty_marts() -> "dict[str, pl.DataFrame]":
    return _build_all(no_facts(), date(1970, 1, 1))


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


def _build_all(facts: "dict[str, pl.DataFrame]", today: date) -> "dict[str, pl.DataFrame]":
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(_statement("macros"))
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


@lru_cache(maxsize=len(MARTS) + 1)
def _statement(name: str) -> str:
    return package_files.files("resources.sql").joinpath("duckdb", f"{name}.sql").read_text("utf-8")


def _replace_all(
    home: Path, frames: "dict[str, pl.DataFrame]", moment: Moment, metadata: dict[str, str]
) -> None:
    """Write all, then put each in its place: what fails while they are written leaves the earlier ones as they were."""
    (home.expanduser() / "marts").mkdir(parents=True, exist_ok=True)
    places = {name: mart_path(home, name) for name in frames}
    drafts = {name: path.with_name(f".{path.name}.{os.getpid()}") for name, path in places.items()}
    _clear_left_drafts(home.expanduser() / "marts")
    try:
        for name, frame in frames.items():
            frame.write_parquet(drafts[name], metadata=metadata)
        for name, path in places.items():
            there = _moment_of(path) if path.is_file() else None
            if there is None or not _is_quicker(there, moment):
                drafts[name].replace(path)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _is_quicker(there: Moment, mine: Moment) -> bool:
    """Whether a refresh of a later moment ended first; far later is a clock that was set back, not a refresh."""
    return timedelta(0) < there.as_of - mine.as_of < LONGEST_REFRESH


def _clear_left_drafts(folder: Path) -> None:
    """Take away what a process that was killed left, long after any refresh would have ended."""
    for draft in folder.glob(".*.parquet.*"):
        with suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > LONGEST_REFRESH.total_seconds():
                draft.unlink()
