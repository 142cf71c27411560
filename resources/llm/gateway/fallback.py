"""Asks the endpoints of a chain one after the other until one answers, and says what was wrong if none did."""

from collections.abc import Sequence
from dataclasses import dataclass

from rejoinder.errors import BudgetSpent, ModelRefusal, ModelTrouble, RejoinderError, ReplyInvalid
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.prices import likely_tokens_in, most_tokens_in
from rejoinder.llm.requests import Attempt, LlmRequest
from resources.llm.gateway.calls import Answer, Call, outcome_of
from resources.llm.gateway.chains import Chains, Link

# What the next endpoint may do better. A budget too: each endpoint reserves its own price, and the next may cost less.
GOES_ON = (ModelTrouble, ModelRefusal, BudgetSpent, ReplyInvalid)
# Of several failures the first of the first kind is raised: what passes by itself is worth another try of the whole
# call later, what was nearly an answer tells more than a refusal.
MOST_TELLING = (ModelTrouble, BudgetSpent, ReplyInvalid, ModelRefusal)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an endpoint of the chain gave no answer."""

    endpoint: Endpoint
    error: RejoinderError


@dataclass(frozen=True, slots=True)
class Fallback:
    """Takes the first answer of the endpoints of a call's chain."""

    chains: Chains

    def answer(self, call: Call) -> Answer:
        """The first answer; of an endpoint that was asked the same before, the one that is kept.

        The next endpoint is asked after every trouble, refusal and invalid answer, but for a refusal of the content:
        what one provider's rules forbid is not tried at others.

        Raises:
            ModelTrouble, BudgetSpent, ReplyInvalid, ModelRefusal: all failed; the message tells of each.
        """
        failures: list[Failure] = []
        for link in self.chains.ordered(call):
            kept = call.kept.get(link.endpoint.name)
            if kept is not None:
                return kept
            try:
                return _ask(call, link)
            except GOES_ON as error:
                failures.append(Failure(link.endpoint, error))
                if outcome_of(error) == "content":
                    break
        raise told(call.request.task, failures)


def _ask(call: Call, link: Link) -> Answer:
    """The answer of one endpoint, if question and answer have room in its context.

    Raises:
        ModelRefusal: ("context") they have not; nothing was sent.
    """
    endpoint, request = link.endpoint, call.request
    if has_room(endpoint, request):
        return Answer(link.asking.ask(call, request), endpoint)
    error = (
        f"{endpoint.name}: about {likely_tokens_in(request)} tokens and {request.sampling.max_tokens} for the answer"
        f" are more than its context of {endpoint.context_tokens}"
    )
    call.attempts.append(Attempt(endpoint.name, str(endpoint.uri), "context", 0.0, error=error))
    raise ModelRefusal("context", f"{error}.", fix="Name an endpoint with more context_tokens for the task.")


def has_room(endpoint: Endpoint, request: LlmRequest) -> bool:
    """Whether it probably fits; what only might not is sent, and the provider says."""
    if endpoint.context_tokens is None:
        return True
    left = endpoint.context_tokens - request.sampling.max_tokens
    return most_tokens_in(request) <= left or likely_tokens_in(request) <= left


def told(task: str, failures: Sequence[Failure]) -> RejoinderError:
    """The error of a call: the only one, or the most telling one with the whole chain in words.

    >>> from rejoinder.llm.endpoints import parse_uri
    >>> a, b = (Endpoint(name, parse_uri("openai::x")) for name in "ab")
    >>> failures = [Failure(a, ModelRefusal("key", "a: wrong key")), Failure(b, ModelTrouble("server", "b: 500"))]
    >>> error = told("reply", failures)
    >>> type(error).__name__, str(error)
    ('ModelTrouble', 'No endpoint answered the task reply. a: wrong key; b: 500')
    """
    if len(failures) == 1:
        return failures[0].error
    said = "; ".join(_named(failure) for failure in failures)
    words = f"No endpoint answered the task {task}. {said}"
    errors = [failure.error for failure in failures]
    telling = [error for error in errors if not _was_not_asked(error)] or errors
    first = next(e for kind in MOST_TELLING for e in telling if isinstance(e, kind))
    return _reworded(first, words, errors)


def _was_not_asked(error: RejoinderError) -> bool:
    """Whether an endpoint was full, left alone or switched off.

    That may last: were the call tried again because of it, those that were asked would be paid again and again.
    """
    return isinstance(error, ModelTrouble) and error.kind in ("busy", "open")


def _reworded(error: RejoinderError, words: str, errors: Sequence[RejoinderError]) -> RejoinderError:
    made: RejoinderError
    if isinstance(error, ModelTrouble):
        waits = [
            e.retry_after_s for e in errors if isinstance(e, ModelTrouble) and e.retry_after_s is not None
        ]
        made = ModelTrouble(error.kind, words, retry_after_s=min(waits, default=None))
    elif isinstance(error, ModelRefusal):
        made = ModelRefusal(error.kind, words)
    else:
        made = type(error)(words)
    made.fix = error.fix
    return made


def _named(failure: Failure) -> str:
    """The error with its endpoint's name in front, where it does not say it itself."""
    text = str(failure.error).rstrip(".")
    return text if failure.endpoint.name in text else f"{failure.endpoint.name}: {text}"
