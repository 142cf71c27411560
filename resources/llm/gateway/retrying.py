"""Asks an endpoint again that was in passing trouble."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from rejoinder.errors import ModelTrouble
from rejoinder.llm.backoff import Backoff
from rejoinder.llm.requests import LlmRequest, RawReply
from resources.llm.gateway.calls import Asking, Call, Clock

# All places taken for as long as one may wait, or the endpoint left alone after failures: asking again at once does not
# help, another endpoint may.
NOT_AGAIN = ("busy", "open")


@dataclass(frozen=True, slots=True)
class Retrying:
    """Repeats attempts as the back-off has it, never past the deadline.

    Each attempt takes a place and reserves money of its own; none is held while waiting.
    """

    inner: Asking
    backoff: Backoff
    clock: Clock
    sleep: Callable[[float], None]
    draw: Callable[[], float]

    def ask(self, call: Call, request: LlmRequest) -> RawReply:
        """The first answer that comes.

        Raises:
            ModelTrouble: of the last attempt.
        """
        for done in count(1):
            try:
                return self.inner.ask(call, request)
            except ModelTrouble as trouble:
                wait_s = self._wait_s(call, trouble, done)
                if wait_s is None:
                    raise
            self.sleep(wait_s)
        raise AssertionError("counting has no end")

    def _wait_s(self, call: Call, trouble: ModelTrouble, done: int) -> float | None:
        if trouble.kind in NOT_AGAIN:
            return None
        wait_s = self.backoff.wait_s(done, trouble.retry_after_s, self.draw)
        is_in_time = wait_s is not None and self.clock() + wait_s < call.deadline
        return wait_s if is_in_time else None
