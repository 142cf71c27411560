"""Threads that a model of this process works on: so many calls at once, each with a time after which it ends.

What belongs here: giving a call a place, returning on time, and keeping the place taken until the work is really over.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from rejoinder.errors import ModelTrouble

Answer = TypeVar("Answer")
# A count is asked for before a call is let in, which has its own time: an estimate is better than a long wait.
COUNT_TIMEOUT_S = 10.0


class Deadline:
    """When a call has to be over; whoever works on it looks here between two steps.

    Args:
        timeout_s: seconds from now.
        clock: monotonic seconds.
    """

    def __init__(self, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._ends_at, self._left = clock, clock() + timeout_s, Event()
        self.timeout_s = timeout_s

    def is_over(self) -> bool:
        """Whether the time has passed, or nobody waits for the answer any more."""
        return self._left.is_set() or self._clock() >= self._ends_at

    def leave(self) -> None:
        """Say that nobody waits any more."""
        self._left.set()

    def check(self) -> None:
        """Raise ModelTrouble of the kind "timeout" where the time has passed."""
        if self.is_over():
            raise late(self.timeout_s)


def late(timeout_s: float) -> ModelTrouble:
    """The error of a call that took too long."""
    return ModelTrouble("timeout", f"The model on this machine gave no answer within {timeout_s:g} s.")


def counted_in_time(count: Callable[[], int]) -> int | None:
    """What is counted; None where there is trouble: no count in time, as others were before it or the model loads.

    >>> counted_in_time(lambda: 3)
    3
    """
    try:
        return count()
    except ModelTrouble:
        return None


class Places:
    """Threads of one model.

    Args:
        count: how many calls run at once; further ones wait for a place as part of their time.
        name: of the threads.
    """

    def __init__(self, count: int, name: str) -> None:
        self.count = count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name)

    def run(self, work: Callable[[Deadline], Answer], timeout_s: float) -> Answer:
        """The answer of the work, at the latest after timeout_s seconds, the wait for a place included.

        Work that is not over by then ends at its next look at the deadline, and keeps its place until then.

        Raises:
            ModelTrouble: "busy", no place became free in time; "timeout", the work took too long.
        """
        deadline = Deadline(timeout_s)
        running = self._threads.submit(work, deadline)
        try:
            return running.result(timeout_s)
        except TimeoutError:
            if running.cancel():
                raise ModelTrouble(
                    "busy", f"All {self.count} places of the model were taken for {timeout_s:g} s."
                ) from None
            raise late(timeout_s) from None
        finally:
            deadline.leave()
