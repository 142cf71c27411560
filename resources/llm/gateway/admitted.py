"""One attempt at one endpoint: a place and money first, then the call, then both settled."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rejoinder.errors import ModelRefusal, ModelTrouble, RejoinderError
from rejoinder.llm.choosing import WITHOUT_MODEL
from rejoinder.llm.endpoints import Endpoint, Price
from rejoinder.llm.prices import cost_usd, likely_tokens, likely_tokens_in, most_usd
from rejoinder.llm.requests import Attempt, LlmRequest, RawReply, Usage
from resources.llm.gateway.calls import (
    LONGEST_OUTAGE_S,
    NOTHING_READ,
    Admitting,
    AlreadyAnswered,
    Call,
    Clock,
    Place,
    error_in_words,
    outcome_of,
)
from resources.llm.gateway.clients import Clients

if TYPE_CHECKING:
    from rejoinder.llm.ports import ModelClient


# Nobody knows what became of the request: the provider may have answered it to the end, and charge for that.
MAYBE_CHARGED = ("timeout", "killed")
FREE = Price(0.0, 0.0)
# Tokens; no model reads or writes that many. A server that tells more is not believed: it would spend every budget, and
# no table holds what it says.
MOST_TOKENS = 20_000_000
# A call whose own time was up says nothing about the endpoint's health.
OUR_DEADLINE = "deadline"


@dataclass(slots=True)
class _Attempt:
    """What an attempt took so far."""

    endpoint: Endpoint
    started: float
    usage: Usage = NOTHING_READ
    cost_usd: float = 0.0

    def ended(self, now: float, error: BaseException | None = None) -> Attempt:
        return Attempt(
            endpoint=self.endpoint.name,
            model=str(self.endpoint.uri),
            outcome="ok" if error is None else outcome_of(error),
            latency_ms=(now - self.started) * 1000,
            usage=self.usage,
            cost_usd=self.cost_usd,
            error=None if error is None else error_in_words(error),
        )


@dataclass(frozen=True, slots=True)
class Admitted:
    """Asks an endpoint once, under its limits and the budgets, and writes down the attempt whatever becomes of it."""

    endpoint: Endpoint
    clients: Clients
    admission: Admitting
    clock: Clock

    def ask(self, call: Call, request: LlmRequest) -> RawReply:
        """What the endpoint says; the time of the attempt is the provider's alone, without the wait for a place.

        Raises:
            ModelTrouble: no place in time, no answer in time, or an empty one.
            BudgetSpent: nothing was sent.
            AlreadyAnswered: nothing had to be.
            ModelRefusal: the provider will not, or the price is not known.
        """
        if self._asks_a_model:
            call.left_s(self.clock())
        client = self.clients.of(self.endpoint)
        attempt = _Attempt(self.endpoint, self.clock())
        try:
            reserved_usd = most_usd(request, self._price, client.count_tokens) if self._price != FREE else 0.0
            with self.admission.admit(
                self.endpoint,
                request,
                estimate_usd=reserved_usd,
                deadline=call.deadline,
                patience_s=LONGEST_OUTAGE_S,
                look=call.look,
            ) as place:
                raw = self._send(call, request, attempt, place, reserved_usd)
        except AlreadyAnswered:
            raise
        except BaseException as error:
            call.attempts.append(attempt.ended(self.clock(), error))
            raise
        call.attempts.append(attempt.ended(self.clock()))
        return raw

    @property
    def _asks_a_model(self) -> bool:
        """The answer without a model takes no time: it is there also when the models used all of it up."""
        return self.endpoint.uri.provider != WITHOUT_MODEL

    @property
    def _price(self) -> Price:
        """Admission lets nobody through whose price is not known."""
        return self.endpoint.price or FREE

    def _send(
        self, call: Call, request: LlmRequest, attempt: _Attempt, place: Place, reserved_usd: float
    ) -> RawReply:
        timeout_s = self._timeout_s(call, attempt, place)
        client = self.clients.of(self.endpoint)
        try:
            raw = client.complete(request, timeout_s)
            attempt.usage = _believed(raw.usage) or _counted(request, raw, client)
            attempt.cost_usd = cost_usd(attempt.usage, self._price)
            _refuse_empty(self.endpoint, raw)
        except BaseException as error:
            outcome = outcome_of(error)
            self._charge(attempt, error, reserved_usd)
            if outcome == "timeout" and timeout_s < self.endpoint.timeout_s:
                outcome = OUR_DEADLINE
            place.settle(outcome, attempt.cost_usd, error_in_words(error))
            raise
        call.to_settle = place.owe(attempt.cost_usd)
        return raw

    def _charge(self, attempt: _Attempt, error: BaseException, reserved_usd: float) -> None:
        """Note what a failed attempt cost: what the provider told, all that was put aside where nobody knows."""
        told = error.charged if isinstance(error, ModelTrouble | ModelRefusal) else None
        usage = None if told is None else _believed(Usage(*told))
        if may_be_charged(error) or (told is not None and usage is None):
            attempt.cost_usd = reserved_usd
        elif usage is not None:
            attempt.usage, attempt.cost_usd = usage, cost_usd(usage, self._price)

    def _timeout_s(self, call: Call, attempt: _Attempt, place: Place) -> float:
        """The endpoint's own, or what is left until the deadline; nothing is sent where nothing is left."""
        attempt.started = self.clock()
        if not self._asks_a_model:
            return self.endpoint.timeout_s
        try:
            return min(self.endpoint.timeout_s, call.left_s(attempt.started))
        except ModelTrouble:
            place.settle(OUR_DEADLINE, 0.0)
            raise


def may_be_charged(error: BaseException) -> bool:
    """Whether a provider may charge for a failed call: also where its client failed otherwise than a client should.

    >>> [may_be_charged(error) for error in (ModelTrouble("timeout", ""), KeyError(), ModelTrouble("server", ""))]
    [True, True, False]
    """
    was_sent = isinstance(error, ModelTrouble) and error.was_sent
    return was_sent or not isinstance(error, RejoinderError) or outcome_of(error) in MAYBE_CHARGED


def _believed(usage: Usage | None) -> Usage | None:
    """What a server says it read and wrote, unless no model could."""
    if usage is None or not all(0 <= n <= MOST_TOKENS for n in (usage.tokens_in, usage.tokens_out)):
        return None
    return usage


def _counted(request: LlmRequest, raw: RawReply, client: "ModelClient") -> Usage:
    """What was read and written, where the provider did not say."""
    counted = client.count_tokens(raw.text)
    return Usage(likely_tokens_in(request), likely_tokens(raw.text) if counted is None else counted, True)


def _refuse_empty(endpoint: Endpoint, raw: RawReply) -> None:
    if raw.text.strip():
        return
    if raw.finish == "filtered":
        raise ModelRefusal("content", f"{endpoint.name}: its filter let nothing of the answer through.")
    raise ModelTrouble("empty", f"{endpoint.name}: the answer was empty.")
