"""The publisher's time: that of the database, so that any number of publishers count by one clock.

A limit that two machines keep is kept only as well as their clocks agree. So whatever a limit, a schedule or a wait is
judged by is read from the database, which also stamps when an attempt was about to leave.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from resources.postgres import Transaction

ReadTime = Callable[[Transaction], datetime]


def database_time(tx: Transaction) -> datetime:
    """What the database's clock shows at this moment, aware; it goes on within a transaction."""
    found: datetime = tx.value("database_time")
    return found


class Clock:
    """The database's time; between two looks at it this machine's monotonic clock carries it on.

    Safe to use from any thread. `now` may only be asked after a first look.

    Args:
        read: reads the time; another one lets time pass faster.
    """

    def __init__(self, read: ReadTime = database_time) -> None:
        self._read = read
        self._seen: tuple[datetime, float] | None = None

    def look(self, tx: Transaction) -> datetime:
        """The time at this moment."""
        seen = self._read(tx)
        self._seen = (seen, time.monotonic())
        return seen

    def now(self) -> datetime:
        """The time, without asking the database.

        Raises:
            RuntimeError: nobody has looked yet.
        """
        if self._seen is None:
            raise RuntimeError("the clock was not set: look at the database's time first")
        seen, at_s = self._seen
        return seen + timedelta(seconds=time.monotonic() - at_s)
