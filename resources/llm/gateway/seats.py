"""How many threads of this process may ask the database for a place at an endpoint, and that one at a time waits there.

What belongs here: what is counted in the process, so that hundreds of threads do not all ask the database.
"""

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rejoinder.errors import ModelTrouble
from rejoinder.llm.endpoints import Endpoint

_all_seats: "weakref.WeakSet[Seats]" = weakref.WeakSet()


@dataclass(slots=True)
class Seat:
    """What a process knows of an endpoint: the places, whose turn it is to ask for one, when stale ones were freed."""

    places: threading.Semaphore
    turn: threading.Lock = field(default_factory=threading.Lock)
    reaped_s: float | None = None

    def may_reap(self, now_s: float, every_s: float) -> bool:
        """Whether the database may look for stale leases now: looking costs more than asking."""
        return self.reaped_s is None or now_s - self.reaped_s >= every_s


class Seats:
    """The seats of all endpoints.

    Args:
        clock: seconds on a clock that only goes forward.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seats: dict[tuple[str, int], Seat] = {}
        _all_seats.add(self)

    def of(self, endpoint: Endpoint) -> Seat:
        """The seat of an endpoint; another limit makes it another one."""
        key = (endpoint.name, endpoint.max_concurrent)
        with self._lock:
            if key not in self._seats:
                self._seats[key] = Seat(threading.Semaphore(endpoint.max_concurrent))
            return self._seats[key]

    @contextmanager
    def taken(
        self, endpoint: Endpoint, until_s: float, before_waiting: Callable[[], None] = lambda: None
    ) -> Iterator[Seat]:
        """A place as far as this process goes, for the length of the block.

        Args:
            endpoint: at which.
            until_s: time of the clock after which nobody waits any more.
            before_waiting: called where other threads have all places; what it raises is raised.

        Raises:
            ModelTrouble: ("busy") none came free until then.
        """
        seat = self.of(endpoint)
        self._take(seat.places, endpoint, until_s, before_waiting)
        try:
            yield seat
        finally:
            seat.places.release()

    @contextmanager
    def turn(
        self, endpoint: Endpoint, until_s: float, before_waiting: Callable[[], None] = lambda: None
    ) -> Iterator[Seat]:
        """The turn to ask the database for a place, for the length of the block; arguments and errors as of `taken`."""
        seat = self.of(endpoint)
        self._take(seat.turn, endpoint, until_s, before_waiting)
        try:
            yield seat
        finally:
            seat.turn.release()

    def _take(
        self,
        wanted: "threading.Semaphore | threading.Lock",
        endpoint: Endpoint,
        until_s: float,
        before_waiting: Callable[[], None],
    ) -> None:
        if wanted.acquire(blocking=False):
            return
        before_waiting()
        if not wanted.acquire(timeout=max(0.0, until_s - self._clock())):
            raise busy(endpoint)

    def forget(self) -> None:
        """In a forked child: whoever sat there is not here."""
        self._lock, self._seats = threading.Lock(), {}


def busy(endpoint: Endpoint) -> ModelTrouble:
    """What to say when all places stay taken."""
    return ModelTrouble(
        "busy",
        f"All {endpoint.max_concurrent} places of the endpoint {endpoint.name} stayed taken (max_concurrent,"
        " models.queue_s).",
    )


def _forget_all() -> None:
    for seats in _all_seats:
        seats.forget()


os.register_at_fork(after_in_child=_forget_all)
