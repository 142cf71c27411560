"""Single statements on the domain database, one round trip each: a call of a model makes four of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from psycopg import OperationalError
    from psycopg.rows import DictRow

    from resources.postgres import Database, Transaction

Told = TypeVar("Told")


class Statements:
    """Runs named statements that commit by themselves.

    Where the connection broke while nobody used it, as after a restart of the server, a statement is sent once more on
    another. One that was done although its answer was lost is then done twice.

    Args:
        db: a database opened with ``autocommit``.
    """

    def __init__(self, db: "Database") -> None:
        self._db = db

    def rows(self, name: str, **values: Any) -> "list[DictRow]":
        """All rows that the statement gives."""
        return self._on_a_connection(lambda tx: tx.rows(name, **values))

    def execute(self, name: str, **values: Any) -> int:
        """Run the statement; how many rows it touched."""
        return self._on_a_connection(lambda tx: tx.execute(name, **values))

    def execute_both(self, one: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]]) -> None:
        """Run two statements in one round trip; they are done both, or neither is."""

        def run(tx: "Transaction") -> None:
            with tx.connection.pipeline():
                for name, values in (one, other):
                    tx.execute(name, **values)

        self._on_a_connection(run)

    def _on_a_connection(self, run: "Callable[[Transaction], Told]") -> Told:
        from psycopg import OperationalError

        try:
            return self._once(run)
        except OperationalError as error:
            if not _is_broken(error):
                raise
        self._db.replace_broken()
        return self._once(run)

    def _once(self, run: "Callable[[Transaction], Told]") -> Told:
        with self._db.transaction() as tx:
            return run(tx)


def _is_broken(error: "OperationalError") -> bool:
    """Whether the connection ended: without a word (no SQLSTATE), or because the server was shut down (57P01 to 03)."""
    return error.sqlstate is None or error.sqlstate.startswith("57P")
