"""A graceful stop: SIGTERM and SIGINT finish the item in hand and free the rest."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LOOK_EVERY_S = 0.1


class StopSignal:
    """Set once, never cleared; safe to read from any thread.

    A plain flag rather than an Event: a signal handler that sets an Event blocks for ever where the signal
    lands while the main thread holds the Event's own lock.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._asked_s = 0.0

    def is_set(self) -> bool:
        """Whether a stop was asked for."""
        return self._is_set

    def set(self) -> None:
        """Ask for a stop."""
        self._asked_s = self._asked_s or time.monotonic()
        self._is_set = True

    def since_s(self) -> float:
        """Seconds since a stop was asked for; 0 before."""
        return time.monotonic() - self._asked_s if self._is_set else 0.0

    def wait(self, seconds: float) -> bool:
        """Sleep, but wake up early on a stop; True if there was one."""
        until = time.monotonic() + seconds
        while not self._is_set and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_EVERY_S))
        return self._is_set


# A process that was asked to stop stays so: steps that would come after the interrupted one do nothing.
PROCESS_STOP = StopSignal()


@contextmanager
def stop_on_signals(stop: StopSignal | None = None) -> Iterator[StopSignal]:
    """A StopSignal (a new one, or the one given) that SIGTERM and SIGINT set while the block runs.

    Signals reach the main thread only; elsewhere the signal is given as it is.
    """
    stop = stop or StopSignal()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(_signum: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {s: signal.signal(s, ask) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
