"""The gateway as its users see it: one door to every model."""

from collections.abc import Callable
from dataclasses import dataclass, field

from rejoinder.llm.requests import LlmReply, LlmRequest
from resources.llm.gateway.recorded import Recorded


@dataclass(frozen=True, slots=True)
class Gateway:
    """Answers requests with the models that rejoinder.toml names, and writes down what it did.

    Threads may share it. It is an `Llm` (rejoinder/llm/ports.py).
    """

    recorded: Recorded
    call_s: float
    close: Callable[[], None] = field(default=lambda: None)

    def complete(self, request: LlmRequest, *, within_s: float | None = None) -> LlmReply:
        """The answer; where the request has a schema, its text is canonical JSON that keeps to it.

        Args:
            request: what is asked.
            within_s: seconds for all attempts and waits together, models.call_s where not given.

        Raises:
            ModelTrouble: no model could be reached in time; later it may be.
            BudgetSpent: nothing was sent, because the money for today is spent.
            ModelRefusal: no model takes this request.
            ReplyInvalid: what came back does not keep to the schema, nor did it after one repair.
            ConfigInvalid: the client of an endpoint cannot be opened; the message says what is missing.
            ServiceUnavailable: PostgreSQL is away, so places and money cannot be counted.
        """
        return self.recorded.complete(request, self.call_s if within_s is None else within_s)
