"""Connections to the domain database: a pool, transactions, and what each connection is set up with."""

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, LiteralString

import psycopg
from pgvector.psycopg import register_vector
from psycopg import sql
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from rejoinder.errors import ConfigInvalid, RejoinderError, ServiceUnavailable
from resources.queries import query

Connection = psycopg.Connection[DictRow]
CONNECT_TIMEOUT_S = 10
STATEMENT_TIMEOUT_S = 120
# Two transactions met; the one that was broken off may simply be done again.
COLLISIONS = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
# The server is well, but not with this item's statement: it met another, waited or ran too long, or is too large.
STATEMENT_TROUBLE = (
    *COLLISIONS,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    psycopg.errors.ProgramLimitExceeded,
)


def connect(url: str, *, autocommit: bool = False) -> Connection:
    """Open one connection of its own; rows come as dicts, vectors as numpy arrays.

    Raises:
        ServiceUnavailable: the server cannot be reached; the message has no password in it.
        ConfigInvalid: the URL cannot be read.
    """
    try:
        connection = psycopg.connect(
            url, autocommit=autocommit, row_factory=dict_row, connect_timeout=CONNECT_TIMEOUT_S
        )
    except (psycopg.Error, ValueError) as error:
        raise connection_error(error) from None
    _prepare(connection)
    return connection


def _prepare(connection: Connection) -> None:
    was_autocommit = connection.autocommit
    connection.autocommit = True
    register_vector(connection)
    connection.execute(
        "select set_config('statement_timeout', %s, false), set_config('timezone', 'UTC', false),"
        " set_config('hnsw.iterative_scan', 'relaxed_order', false), set_config('hnsw.ef_search', '200', false)",
        (f"{STATEMENT_TIMEOUT_S}s",),
    )
    connection.autocommit = was_autocommit


def connection_error(error: psycopg.Error | ValueError) -> RejoinderError:
    """What to tell a person when no connection could be made.

    A URL that cannot be read is not quoted, nor is what the driver says of it: both hold the password.
    """
    if isinstance(error, psycopg.OperationalError):
        return ServiceUnavailable(f"PostgreSQL cannot be reached: {str(error).splitlines()[0]}")
    return ConfigInvalid("The address of PostgreSQL cannot be read: look at the settings REJOINDER_..._URL.")


def outage(error: psycopg.OperationalError) -> ServiceUnavailable:
    """What to tell a person when the server goes away in the middle of work."""
    if isinstance(error, psycopg.errors.DiskFull):
        return ServiceUnavailable(
            "PostgreSQL's disk is full. Nothing that was committed is lost: free some space and run it again."
        )
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ServiceUnavailable(f"PostgreSQL went away: {first}. What was committed stands: run it again.")


def is_outage(error: Exception) -> bool:
    """Whether PostgreSQL itself is away, so that no other item would fare better."""
    if isinstance(error, psycopg.OperationalError):
        return not isinstance(error, STATEMENT_TROUBLE)
    return isinstance(error, ServiceUnavailable)


class Transaction:
    """A running transaction that speaks in named statements."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def rows(
        self, name: str, /, *, table: str | None = None, vectors: str | None = None, **values: Any
    ) -> list[DictRow]:
        """All rows that the named statement gives."""
        return self.connection.execute(query(name, table=table, vectors=vectors), values).fetchall()

    def row(
        self, name: str, /, *, table: str | None = None, vectors: str | None = None, **values: Any
    ) -> DictRow | None:
        """The first row, or None."""
        return self.connection.execute(query(name, table=table, vectors=vectors), values).fetchone()

    def value(
        self, name: str, /, *, table: str | None = None, vectors: str | None = None, **values: Any
    ) -> Any:
        """The first column of the first row, or None."""
        row = self.row(name, table=table, vectors=vectors, **values)
        return next(iter(row.values())) if row else None

    def execute(
        self, name: str, /, *, table: str | None = None, vectors: str | None = None, **values: Any
    ) -> int:
        """Run the statement; how many rows it touched."""
        return self.connection.execute(query(name, table=table, vectors=vectors), values).rowcount

    @contextmanager
    def pipelined(self) -> Iterator[None]:
        """Within the block a statement whose answer nobody takes travels with the next one whose rows are asked for.

        Each still sees what was committed before it ran. Its error is raised by the statement it travels with, or at
        the end of the block, and what `execute` returns there says nothing.
        """
        with self.connection.pipeline():
            yield

    def execute_many(self, name: str, rows: list[dict[str, Any]], *, vectors: str | None = None) -> None:
        """Run the statement once per row of values, pipelined."""
        if rows:
            with self.connection.cursor() as cursor:
                cursor.executemany(query(name, vectors=vectors), rows)


class Database:
    """A pool of connections to one database as one role; a forked process has connections of its own.

    Args:
        url: of the database.
        max_size: connections at most.
    """

    def __init__(self, url: str, *, max_size: int = 8) -> None:
        self.url = url
        self._make = partial(
            ConnectionPool[Connection],
            url,
            min_size=0,
            max_size=max_size,
            open=False,
            timeout=CONNECT_TIMEOUT_S,
            kwargs={"row_factory": dict_row, "connect_timeout": CONNECT_TIMEOUT_S},
            configure=_prepare,
            check=ConnectionPool.check_connection,
        )
        self._pool = self._make()
        self._is_open = False
        _databases.add(self)

    def open(self) -> "Database":
        """Open the pool; returns itself."""
        self._is_open = True
        self._pool.open()
        return self

    def close(self) -> None:
        """Close every pooled connection."""
        self._is_open = False
        self._pool.close()

    def _own_pool(self) -> ConnectionPool[Connection]:
        """The pool of this process, opened again where a fork made it anew."""
        if self._is_open and self._pool.closed:
            self._pool.open()
        return self._pool

    def _start_anew(self) -> None:
        """In a forked child: the connections are the parent's, and the threads that look after them are not here."""
        _of_the_parent.append(self._pool)
        self._pool = self._make()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction: committed at the end of the block, rolled back on an exception.

        Raises:
            ServiceUnavailable: no connection could be had in time.
        """
        try:
            lease = self._own_pool().connection()
            connection = lease.__enter__()
        except (PoolTimeout, psycopg.OperationalError) as error:
            raise connection_error(error) from None
        try:
            yield Transaction(connection)
        except BaseException as error:
            if not lease.__exit__(type(error), error, error.__traceback__):
                raise
        else:
            lease.__exit__(None, None, None)


_databases: "weakref.WeakSet[Database]" = weakref.WeakSet()
# Pools of the process that forked this one. Closing their connections, as freeing them would, would end them there.
_of_the_parent: list[ConnectionPool[Connection]] = []


def _start_all_anew() -> None:
    for database in list(_databases):
        database._start_anew()


os.register_at_fork(after_in_child=_start_all_anew)


def run_script(connection: Connection, text: LiteralString) -> None:
    """Run several statements of a trusted file at once."""
    connection.execute(sql.SQL(text))
