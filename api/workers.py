"""How much goes on at once: threads that blocking commands run in and places that are held, each with a short queue."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

from api.problems import Refusal

P = ParamSpec("P")
T = TypeVar("T")


class Slots:
    """Places of which so many are held at once; refuses what would wait behind too many others."""

    def __init__(self, places: int, waiting: int) -> None:
        self._limiter = CapacityLimiter(places)
        self._most = waiting

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return self._limiter.statistics().tasks_waiting

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """A place until the end of the block.

        Raises:
            Refusal: every place is held and the queue is full.
        """
        self._refuse_crowd()
        # In its own name: two blocks of one task are two places.
        holder = object()
        await self._limiter.acquire_on_behalf_of(holder)
        try:
            yield
        finally:
            self._limiter.release_on_behalf_of(holder)

    def _refuse_crowd(self) -> None:
        if self.waiting >= self._most:
            raise Refusal("busy", "The server has as much to do as it can.")


class Workers(Slots):
    """Runs blocking calls in threads, one a place."""

    async def run(self, deed: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What the deed returns, done in a thread.

        A caller that goes away does not stop it: a command commits or fails as a whole.

        Raises:
            Refusal: every thread is busy and the queue is full.
        """
        self._refuse_crowd()
        return await anyio.to_thread.run_sync(partial(deed, *args, **kwargs), limiter=self._limiter)
