"""A graceful stop: SIGTERM and SIGINT finish the item in hand and free the rest."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopSignal:
    """Set once, never cleared; safe to read from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def is_set(self) -> bool:
        """Whether a stop was asked for."""
        return self._event.is_set()

    def set(self) -> None:
        """Ask for a stop."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but wake up early on a stop; True if there was one."""
        return self._event.wait(seconds)


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
