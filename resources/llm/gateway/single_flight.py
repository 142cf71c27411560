"""Sends equal requests that are under way in one process once.

Between processes nothing of the kind is done: it would take a lock in PostgreSQL for the length of the call, so a
connection per call and two more round trips, to save a second answer in the rare case that two processes ask the same
within seconds. Rows are leased to one worker each, so that is not how work is divided.
"""

import threading
from dataclasses import dataclass, field, replace
from functools import partial

from rejoinder.errors import ModelRefusal, ModelTrouble, ReplyInvalid
from resources.llm.gateway.calls import Answer, Answering, Call, Clock
from resources.llm.gateway.chains import Chains

# How often a call waits for another one of the same question before it goes by itself.
LEADERS = 2
Key = tuple[str, ...]


@dataclass(slots=True)
class _Flight:
    """A question under way; error is set where the answer, were it asked for again, would be the same."""

    is_over: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    error: ModelRefusal | ReplyInvalid | None = None


class SingleFlight:
    """The first of several equal calls goes on, the others wait for its answer, which costs them nothing.

    Equal are calls that ask the same of the same chain: where one ends without an answer, another might go on.

    Where the first fails because of the question (a refusal, an invalid answer), the others fail alike. Where it fails
    for another reason (an endpoint in trouble, its creator's budget, its own deadline, a stop signal), that need not be
    so for them: one of the others goes on, and after two that failed each goes by itself.
    """

    def __init__(self, inner: Answering, chains: Chains, clock: Clock, *, is_on: bool) -> None:
        self._inner = inner
        self._chains = chains
        self._clock = clock
        self._is_on = is_on
        self._lock = threading.Lock()
        self._flights: dict[Key, _Flight] = {}

    def answer(self, call: Call) -> Answer:
        """The answer of the inner wrapper, asked for here or by an equal call."""
        chain = self._chains.of(call)
        call.keys = chain.keys(call.request) if self._is_on else {}
        if not call.keys:
            return self._inner.answer(call)
        key = (chain.choose, *chain.names, *(own.hex() for own in call.keys.values()))
        for _ in range(LEADERS):
            flight, is_ours = self._join(key)
            if is_ours:
                return self._lead(call, key, flight)
            answer = self._follow(call, flight)
            if answer is not None:
                return answer
        return self._inner.answer(call)

    def _join(self, key: Key) -> tuple[_Flight, bool]:
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = _Flight()
            return flight, True

    def _lead(self, call: Call, key: Key, flight: _Flight) -> Answer:
        """Answer, and be found by others until the answer is in the table, where they find it then."""
        try:
            flight.answer = self._inner.answer(call)
            call.afterwards.append(partial(self._leave, key))
            return flight.answer
        except (ModelRefusal, ReplyInvalid) as error:
            flight.error = error
            raise
        finally:
            if flight.answer is None:
                self._leave(key)
            flight.is_over.set()

    def _leave(self, key: Key) -> None:
        with self._lock:
            self._flights.pop(key, None)

    def _follow(self, call: Call, flight: _Flight) -> Answer | None:
        if not flight.is_over.wait(call.left_s(self._clock())):
            raise ModelTrouble("timeout", "The same question was under way for too long.")
        if flight.error is not None:
            raise _once_more(flight.error)
        return None if flight.answer is None else replace(flight.answer, is_cached=True)


def _once_more(error: ModelRefusal | ReplyInvalid) -> ModelRefusal | ReplyInvalid:
    """The same error for another thread."""
    if isinstance(error, ModelRefusal):
        return ModelRefusal(error.kind, str(error), fix=error.fix)
    return ReplyInvalid(str(error), fix=error.fix)
