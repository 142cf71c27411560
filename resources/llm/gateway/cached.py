"""Answers questions that were answered before."""

from dataclasses import dataclass

from resources.llm.gateway.calls import Answer, Answering, Call, Clock
from resources.llm.gateway.chains import Chains
from resources.llm.gateway.kept_answers import KeptAnswers


@dataclass(frozen=True, slots=True)
class Cached:
    """Looks for kept answers of all endpoints of the chain at once, and marks new ones to be kept.

    A kept answer is given at once only if it is of an endpoint that would be asked first. One of a later endpoint is
    held in readiness for the case that those before it fail: otherwise an answer that was taken in need would be given
    for as long as it is kept, though the first choice is well again.
    """

    inner: Answering
    chains: Chains
    kept: KeptAnswers
    clock: Clock

    def answer(self, call: Call) -> Answer:
        """The kept answer, or the one that the inner wrapper gives."""
        if not call.keys:
            return self.inner.answer(call)
        found = self.kept.find(call.keys, call.deadline - self.clock())
        chain = self.chains.of(call)
        call.kept = {
            link.endpoint.name: Answer(found[link.endpoint.name], link.endpoint, is_cached=True)
            for link in chain.links
            if link.endpoint.name in found
        }
        at_once = next((call.kept[name] for name in chain.first_choices() if name in call.kept), None)
        if at_once is not None:
            return at_once
        answer = self.inner.answer(call)
        if _may_keep(answer) and answer.endpoint.name in call.keys:
            call.to_keep = (call.keys[answer.endpoint.name], answer)
        return answer


def _may_keep(answer: Answer) -> bool:
    """Whole answers only: what was cut may be longer the next time."""
    return answer.raw.finish == "stop" and not answer.is_cached
