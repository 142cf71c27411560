"""Single statements on the domain database, one round trip each: a call of a model makes four of them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import OperationalError
    from psycopg.rows import DictRow

    from resources.postgres import Database


class Statements:
    """Runs named statements that commit by themselves.

    Args:
        db: a database opened with ``autocommit``.
    """

    def __init__(self, db: "Database") -> None:
        self._db = db

    def rows(self, name: str, **values: Any) -> "list[DictRow]":
        """All rows that the statement gives.

        Where the connection broke while nobody used it, as after a restart of the server, the statement is sent once
        more on another. One that was done although its answer was lost is then done twice.
        """
        from psycopg import OperationalError

        try:
            return self._once(name, values)
        except OperationalError as error:
            if not _is_broken(error):
                raise
        self._db.replace_broken()
        return self._once(name, values)

    def _once(self, name: str, values: dict[str, Any]) -> "list[DictRow]":
        with self._db.transaction() as tx:
            return tx.rows(name, **values)


def _is_broken(error: "OperationalError") -> bool:
    """Whether the connection ended: without a word (no SQLSTATE), or because the server was shut down (57P01 to 03)."""
    return error.sqlstate is None or error.sqlstate.startswith("57P")
