"""A flow of new posts as a value: what was ordered and how far it is."""

import asyncio
from dataclasses import dataclass, field

AUTHORS = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked order; texts may hold ``{n}``, the number of the post in its flow."""

    rate_per_s: float
    count: int
    texts: tuple[str, ...]
    authors: int = AUTHORS
    author: str | None = None


@dataclass(slots=True)
class Flow:
    """The flow of this process: what was ordered, how much of it is made, and the task that makes it."""

    wanted: Wanted | None = None
    made: int = 0
    started_at: float = 0.0
    ended_at: float = 0.0
    failure: str = ""
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def is_running(self) -> bool:
        """Whether posts are being made."""
        return self.task is not None and not self.task.done()
