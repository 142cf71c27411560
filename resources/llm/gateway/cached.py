"""Answers questions that were answered before."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rejoinder.errors import RejoinderError, ServiceUnavailable
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.requests import LlmRequest, RawReply
from resources.llm.gateway.calls import AlreadyAnswered, Answer, Answering, Call, Clock, Look, Rows
from resources.llm.gateway.chains import Chains
from resources.llm.gateway.kept_answers import KeptAnswers


@dataclass(frozen=True, slots=True)
class Cached:
    """Looks for kept answers of all endpoints of the chain at once, and marks new ones to be kept.

    A kept answer is given at once only if it is of an endpoint that would be asked first. One of a later endpoint is
    held in readiness for the case that those before it fail: otherwise an answer that was taken in need would be given
    for as long as it is kept, though the first choice is well again.

    Where only a place stands between the call and its first endpoint (is_at_hand), the look is made by the statement
    that takes the place, which saves a round trip, or by itself before another thread's place is waited for. Elsewhere
    it comes first: a kept answer needs neither a client nor time, nor room in a context.
    """

    inner: Answering
    chains: Chains
    kept: KeptAnswers
    clock: Clock
    is_at_hand: Callable[[Endpoint, LlmRequest], bool]

    def answer(self, call: Call) -> Answer:
        """The kept answer, or the one that the inner wrapper gives."""
        if not call.keys:
            return self.inner.answer(call)
        chain = self.chains.of(call)
        first = chain.first_choices()
        call.look = Look(call.keys, first, partial(self._heard, call), partial(self._look, call))
        try:
            answer = self._asked(call, call.look, chain.links[0].endpoint)
        except AlreadyAnswered as known:
            return known.answer
        if _may_keep(answer) and answer.endpoint.name in call.keys:
            call.to_keep = (call.keys[answer.endpoint.name], answer)
        return answer

    def _asked(self, call: Call, look: Look, first: Endpoint) -> Answer:
        """The inner wrapper's answer; a chain that failed before anybody looked is no reason not to."""
        is_late = self.clock() >= call.deadline
        if is_late or len(look.at_once) > 1 or not self.is_at_hand(first, call.request):
            look.make_alone(first.name)
        try:
            return self.inner.answer(call)
        except ServiceUnavailable:
            raise
        except RejoinderError:
            if look.is_made:
                raise
            look.make_alone(first.name)
            if not call.kept:
                raise
            return next(iter(call.kept.values()))

    def _look(self, call: Call, endpoint: str) -> None:
        self._sort(call, self.kept.find(call.keys, call.deadline - self.clock()), endpoint)

    def _heard(self, call: Call, rows: Rows, endpoint: str) -> None:
        self._sort(call, self.kept.sound(call.keys, rows), endpoint)

    def _sort(self, call: Call, found: dict[str, RawReply], asked: str) -> None:
        chain = self.chains.of(call)
        call.kept = {
            link.endpoint.name: Answer(found[link.endpoint.name], link.endpoint, is_cached=True)
            for link in chain.links
            if link.endpoint.name in found
        }
        known = next((name for name in (*chain.first_choices(), asked) if name in call.kept), None)
        if known is not None:
            raise AlreadyAnswered(call.kept[known])


def _may_keep(answer: Answer) -> bool:
    """Whole answers only: what was cut may be longer the next time."""
    return answer.raw.finish == "stop" and not answer.is_cached
