"""Who may hold the one stream of a token: a session advisory lock in PostgreSQL, so one process on any machine.

The lock goes with its connection: a listener that is killed frees it at once.
"""

import psycopg

from resources.postgres import Connection, Transaction, connect


class StreamSlot:
    """The right to connect to a token's stream, while `is_held` says so."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_held(self) -> bool:
        """Whether the connection that holds the lock still stands."""
        try:
            self._connection.execute("select 1")
        except psycopg.Error:
            return False
        return True

    def free(self) -> None:
        """Let another listener have it."""
        self._connection.close()


def take_slot(url: str, stream_key: str) -> StreamSlot | None:
    """The slot of a token, None where another listener has it.

    Args:
        url: of the database, as the application's login.
        stream_key: names the token without giving it away.

    Raises:
        ServiceUnavailable: PostgreSQL cannot be reached.
    """
    connection = connect(url, autocommit=True)
    try:
        if Transaction(connection).value("take_stream_slot", stream_key=stream_key):
            return StreamSlot(connection)
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None
