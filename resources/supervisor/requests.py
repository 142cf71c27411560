"""What a person asks of the supervisor by Ctrl-C or SIGTERM: once to stop, twice to stop at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequests:
    """How often a stop was asked for.

    A plain number: a signal handler may interrupt the very thread that would hold a lock.
    """

    def __init__(self) -> None:
        self.count = 0

    @property
    def is_stop(self) -> bool:
        """Whether a stop was asked for."""
        return self.count >= 1

    @property
    def is_hurry(self) -> bool:
        """Whether it was asked for again."""
        return self.count >= 2

    def add(self, _signum: int = 0, _frame: FrameType | None = None) -> None:
        """Ask for a stop; takes a signal handler's arguments."""
        self.count += 1


@contextmanager
def count_signals() -> Iterator[StopRequests]:
    """StopRequests that SIGINT and SIGTERM add to while the block runs; main thread only."""
    requests = StopRequests()
    before = {number: signal.signal(number, requests.add) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
