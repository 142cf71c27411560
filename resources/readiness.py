"""Whether a server can do its work at this moment: its database answers, with the tables that this code expects."""

from dataclasses import dataclass

from psycopg.rows import dict_row

from resources.migrations import load_migrations
from resources.provision import Addresses, connect_admin
from resources.queries import query


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
    """Ask the database which migrations it has; starts nothing.

    Raises:
        ServiceUnavailable: it cannot be reached.
    """
    with connect_admin(addresses.owner) as connection:
        rows = connection.cursor(row_factory=dict_row).execute(query("applied_migrations")).fetchall()
    return Readiness(max((row["number"] for row in rows), default=0), load_migrations()[-1].number)
