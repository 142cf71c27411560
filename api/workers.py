"""The threads that blocking commands run in: as many as the database pool has connections, and a short queue."""

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

from api.problems import Refusal

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """Runs blocking calls in threads; refuses what would wait behind too many others."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._limiter = CapacityLimiter(threads)
        self._most = waiting

    @property
    def waiting(self) -> int:
        """How many calls wait for a thread."""
        return self._limiter.statistics().tasks_waiting

    async def run(self, deed: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What the deed returns, done in a thread.

        A caller that goes away does not stop it: a command commits or fails as a whole.

        Raises:
            Refusal: every thread is busy and the queue is full.
        """
        if self.waiting >= self._most:
            raise Refusal("busy", "The server has as much to do as it can.")
        return await anyio.to_thread.run_sync(partial(deed, *args, **kwargs), limiter=self._limiter)
