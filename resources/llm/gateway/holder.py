"""The gateway's connection of this process: it holds a worker's lock and runs the gateway's short statements.

What belongs here: opening it at first need, opening it again when it breaks, and letting go of it after a fork.
"""

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import psycopg

from rejoinder.errors import ServiceUnavailable
from resources.living_worker import Worker, open_worker
from resources.postgres import Transaction, connect, is_outage, outage
from resources.queries import query

log = logging.getLogger("rejoinder.llm")

AGAIN_S = 0.1
T = TypeVar("T")

_holders: "weakref.WeakSet[Holder]" = weakref.WeakSet()
# Connections of the process that forked this one. Closing them here would end them there.
_inherited: list[Worker] = []


class Holder:
    """Asks the database in single statements, as one living worker; safe across threads and after a fork.

    While the connection stands, so do the leases that are in this worker's name: one round trip takes a lease and
    shows at the same time that its holder lives. Threads take turns on it, which a statement needs for less than a
    millisecond; more connections would make each of them slower, as none would stay awake.

    Args:
        url: of the database.
        clock: seconds on a clock that only goes forward.
        sleep: waits some seconds.
    """

    def __init__(
        self,
        url: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url
        self._clock, self._sleep = clock, sleep
        self._worker: Worker | None = None
        self._lock = threading.Lock()
        _holders.add(self)

    def rows(self, name: str, /, **values: Any) -> list[dict[str, Any]]:
        """The rows that a named statement gives, committed; asked once more if the connection turns out to be broken.

        A statement may so run twice, the first time unheard. Those asked here do the same then as after one time.

        Args:
            name: of the statement.
            values: its parameters; worker is the worker of now, where it is not given.

        Raises:
            ServiceUnavailable: PostgreSQL is away.
        """
        held = self.worker()
        try:
            return self._ask(held, name, values)
        except psycopg.OperationalError as error:
            if not is_outage(error):
                raise
            log.info("gateway_connection_lost")
            self._drop(held)
        try:
            return self._ask(self.worker(), name, values)
        except psycopg.OperationalError as error:
            raise (outage(error) if is_outage(error) else error) from None

    def rows_when_back(self, name: str, within_s: float, /, **values: Any) -> list[dict[str, Any]]:
        """As `rows`, tried again for so many seconds while PostgreSQL is away, as it is when it is started anew."""
        return self.when_back(partial(self.rows, name, **values), within_s)

    def when_back(self, ask: Callable[[], T], within_s: float) -> T:
        """What a question to the database gives, asked again for so many seconds while PostgreSQL is away."""
        until_s = self._clock() + within_s
        while True:
            try:
                return ask()
            except ServiceUnavailable:
                if self._clock() >= until_s:
                    raise
            self._sleep(AGAIN_S)

    def rows_aside(self, name: str, /, **values: Any) -> list[dict[str, Any]]:
        """The rows of a statement that may take long, on a connection that is made for it."""
        with connect(self.url, autocommit=True) as connection:
            return list(Transaction(connection).rows(name, **values))

    def _ask(self, held: Worker, name: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        found = held.connection.execute(query(name), {"worker": held.number, **values})
        return found.fetchall() if found.description else []

    def worker(self) -> Worker:
        """The living worker of this process, made if there is none; with the number it had, where that is free.

        Raises:
            ServiceUnavailable: PostgreSQL cannot be reached.
        """
        worker = self._worker
        if worker is not None and not worker.connection.closed:
            return worker
        with self._lock:
            if self._worker is None or self._worker.connection.closed:
                self._worker = self._open(self._worker.number if self._worker is not None else None)
            return self._worker

    def _open(self, number: int | None) -> Worker:
        try:
            worker = open_worker(self.url, number)
            Transaction(worker.connection).row("begin_holding")
        except psycopg.OperationalError as error:
            raise outage(error) from None
        return worker

    def _drop(self, broken: Worker) -> None:
        """Close a connection that broke; the number stays known, so that its leases can be held again."""
        with self._lock:
            broken.connection.close()

    def close(self) -> None:
        """Let the connection go, and with it every lease in its name."""
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.connection.close()

    def __del__(self) -> None:
        worker = self.__dict__.get("_worker")
        if worker is not None:
            worker.connection.close()

    def forget(self) -> None:
        """In a forked child: the connection is the parent's, and whoever held the lock is not here."""
        if self._worker is not None:
            _inherited.append(self._worker)
        self._worker, self._lock = None, threading.Lock()


def _forget_all() -> None:
    for holder in _holders:
        holder.forget()


os.register_at_fork(after_in_child=_forget_all)
