"""A worker: a number and a session advisory lock on it, so that others see when it is gone.

The lock goes with the connection: after kill -9 PostgreSQL frees it at once and the next run takes the
leases over, with nobody having to clean up on start.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from resources.postgres import Connection, Transaction, connect

RETAKE_TRIES, RETAKE_WAIT_S = 10, 0.02


@dataclass(frozen=True, slots=True)
class Worker:
    """A living worker; number is positive and unique among the living."""

    number: int
    connection: Connection

    def is_alive(self) -> bool:
        """Whether the connection that holds the lock still stands."""
        try:
            self.connection.execute("select 1")
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def living_worker(url: str) -> Iterator[Worker]:
    """A worker for the length of the block."""
    with connect(url, autocommit=True) as connection:
        yield _enrol(connection)


def open_worker(url: str, number: int | None = None) -> Worker:
    """A worker until its connection is closed.

    Args:
        url: of the database.
        number: one that was ours until a connection broke; it is taken again if the server has seen that break,
            so that what the worker held is held again. Otherwise a new one is taken.
    """
    connection = connect(url, autocommit=True)
    try:
        if number is not None and _retake(connection, number):
            return Worker(number, connection)
        return _enrol(connection)
    except BaseException:
        connection.close()
        raise


def _retake(connection: Connection, number: int) -> bool:
    """Whether the number's lock is ours again; the server needs a moment to see that the one before hung up."""
    for _ in range(RETAKE_TRIES):
        if Transaction(connection).value("retake_worker_lock", worker=number):
            return True
        time.sleep(RETAKE_WAIT_S)
    return False


def _enrol(connection: Connection) -> Worker:
    tx = Transaction(connection)
    number = int(tx.value("next_worker_number"))
    tx.execute("hold_worker_lock", worker=number)
    return Worker(number, connection)
