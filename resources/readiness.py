"""Whether a server can do its work at this moment: its database answers, with the tables that this code expects.

Anybody may ask, as often as they like, so asking costs next to nothing: one look answers all who ask for a while.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import psycopg
from psycopg.rows import dict_row

from rejoinder.errors import RejoinderError, ServiceUnavailable
from resources.migrations import load_migrations
from resources.provision import Addresses, connect_admin
from resources.queries import query

FRESH_S = 2.0
CONNECT_S, STATEMENT_S = 3, 2


@dataclass(frozen=True, slots=True)
class Readiness:
    """Migrations that the database has and that this code knows, newest number each."""

    applied: int
    known: int

    @property
    def is_ready(self) -> bool:
        """Whether code and tables fit each other."""
        return self.applied == self.known


def look_at(addresses: Addresses) -> Readiness:
    """Ask the database which migrations it has; starts nothing, and waits a few seconds at most.

    It is the owner's list, which the app's login may not read.

    Raises:
        ServiceUnavailable: it cannot be reached, or does not answer in time.
    """
    try:
        with connect_admin(addresses.owner, timeout_s=CONNECT_S) as connection:
            connection.execute("select set_config('statement_timeout', %s, false)", (f"{STATEMENT_S}s",))
            rows = connection.cursor(row_factory=dict_row).execute(query("applied_migrations")).fetchall()
    except psycopg.Error as error:
        raise ServiceUnavailable(f"PostgreSQL does not say what it has ({type(error).__name__})") from None
    return Readiness(max((row["number"] for row in rows), default=0), newest_known())


@cache
def newest_known() -> int:
    """The newest migration that this code has."""
    return load_migrations()[-1].number


class Lookout:
    """Looks once for all who ask within fresh_s; what went wrong is told to all of them as well."""

    def __init__(
        self,
        look: Callable[[Addresses], Readiness] = look_at,
        *,
        fresh_s: float = FRESH_S,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look, self._fresh_s, self._clock_s = look, fresh_s, clock_s
        self._one_at_a_time = threading.Lock()
        self._found: Readiness | RejoinderError | None = None
        self._until_s = 0.0

    def ask(self, addresses: Addresses) -> Readiness:
        """What was found lately, else what is found now.

        Raises:
            ServiceUnavailable: the database cannot be reached, or does not answer in time.
        """
        with self._one_at_a_time:
            if self._found is None or self._clock_s() >= self._until_s:
                self._found = self._try(addresses)
                self._until_s = self._clock_s() + self._fresh_s
            found = self._found
        if isinstance(found, RejoinderError):
            raise found.with_traceback(None)
        return found

    def _try(self, addresses: Addresses) -> Readiness | RejoinderError:
        try:
            return self._look(addresses)
        except RejoinderError as error:
            return error
