"""Writes every call down: who answered, after which attempts, in which time and at which cost."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from rejoinder.errors import ServiceUnavailable
from rejoinder.llm.cache_key import canonical_json
from rejoinder.llm.requests import Attempt, LlmReply, LlmRequest, Usage
from resources.llm.gateway.calls import (
    LONGEST_OUTAGE_S,
    NOTHING_READ,
    Answer,
    Answering,
    Call,
    Clock,
    error_in_words,
)
from resources.llm.gateway.chains import Chains
from resources.llm.gateway.kept_answers import KeptAnswers
from resources.llm.gateway.ledger import Ledger

log = logging.getLogger("rejoinder.llm")


@dataclass(frozen=True, slots=True)
class Recorded:
    """The outermost wrapper: a row of ``model_run`` for each call, of ``model_attempt`` for each attempt.

    The row is written for calls that fail too, and for those that a signal ends, in the same round trip that settles
    the lease of the answer and keeps it; once, whatever breaks meanwhile. That it could not be written is logged; the
    answer is given all the same.
    """

    inner: Answering
    chains: Chains
    kept: KeptAnswers
    ledger: Ledger
    clock: Clock
    new_id: Callable[[], UUID] = uuid4

    def complete(self, request: LlmRequest, within_s: float) -> LlmReply:
        """The answer within so many seconds, all attempts and waits together; errors as of `Llm.complete`."""
        started = self.clock()
        call = Call(request, self.chains.arm(request), started + within_s)
        try:
            answer = self.inner.answer(call)
        except BaseException as error:
            self._record(call, started, None, error)
            raise
        self._record(call, started, answer, None)
        return _reply(call, answer, self._since_ms(started))

    def _since_ms(self, started: float) -> float:
        return (self.clock() - started) * 1000

    def _record(self, call: Call, started: float, answer: Answer | None, error: BaseException | None) -> None:
        try:
            run = {"call_id": self.new_id(), **_who(self.chains, call, answer), **_how(call, answer, error)}
            run["latency_ms"] = self._since_ms(started)
            row = call.to_keep and self.kept.row(*call.to_keep)
            # Whoever failed for an outage has waited for its end already.
            within_s = 0.0 if isinstance(error, ServiceUnavailable) else LONGEST_OUTAGE_S
            if self.ledger.write(run, row, call.to_settle, within_s) and row:
                self.kept.trim_sometimes(row["size_bytes"])
        except Exception as trouble:
            log.warning(
                "a call of the task %s is not recorded: %s", call.request.task, error_in_words(trouble)
            )
        finally:
            for done in call.afterwards:
                done()


def _who(chains: Chains, call: Call, answer: Answer | None) -> dict[str, Any]:
    """What the call belongs to, and who answered; of a failed call who was asked last, or would have been first."""
    request = call.request
    if answer is not None:
        endpoint, model = answer.endpoint.name, str(answer.endpoint.uri)
    elif call.attempts:
        endpoint, model = call.attempts[-1].endpoint, call.attempts[-1].model
    else:
        first = chains.of(call).links[0].endpoint
        endpoint, model = first.name, str(first.uri)
    return {
        "endpoint": endpoint,
        "model": model,
        "task": request.task,
        "prompt_version": request.prompt_version,
        "input_ref": request.input_ref,
        "creator_id": request.creator_id,
        "arm": call.arm,
    }


def _how(call: Call, answer: Answer | None, error: BaseException | None) -> dict[str, Any]:
    """What became of it, and what it took."""
    usage, cost_usd = taken(call.attempts)
    return {
        "tokens_in": usage.tokens_in,
        "tokens_out": usage.tokens_out,
        "cost_usd": cost_usd,
        "is_ok": answer is not None,
        "is_cached": answer is not None and answer.is_cached,
        "error": None if error is None else error_in_words(error),
        "attempts": canonical_json([_row(n, attempt) for n, attempt in enumerate(call.attempts, 1)]),
    }


def _row(n: int, attempt: Attempt) -> dict[str, Any]:
    return {
        "n": n,
        "endpoint": attempt.endpoint,
        "model": attempt.model,
        "outcome": attempt.outcome,
        "latency_ms": attempt.latency_ms,
        "tokens_in": attempt.usage.tokens_in,
        "tokens_out": attempt.usage.tokens_out,
        "is_estimated": attempt.usage.is_estimated,
        "cost_usd": attempt.cost_usd,
        "error": attempt.error,
    }


def taken(attempts: list[Attempt]) -> tuple[Usage, float]:
    """Tokens and US dollars of all attempts together.

    >>> taken([Attempt("a", "m", "ok", 1.0, Usage(5, 2), 0.25), Attempt("a", "m", "ok", 1.0, Usage(1, 1, True), 0.25)])
    (Usage(tokens_in=6, tokens_out=3, is_estimated=True), 0.5)
    """
    usage = Usage(
        sum(attempt.usage.tokens_in for attempt in attempts),
        sum(attempt.usage.tokens_out for attempt in attempts),
        any(attempt.usage.is_estimated for attempt in attempts),
    )
    return usage, sum(attempt.cost_usd for attempt in attempts)


def _reply(call: Call, answer: Answer, latency_ms: float) -> LlmReply:
    usage, cost_usd = taken(call.attempts) if call.attempts else (NOTHING_READ, 0.0)
    return LlmReply(
        text=answer.raw.text,
        model=str(answer.endpoint.uri),
        endpoint=answer.endpoint.name,
        usage=usage,
        cost_usd=cost_usd,
        finish=answer.raw.finish,
        latency_ms=latency_ms,
        arm=call.arm,
        attempts=tuple(call.attempts),
        is_cached=answer.is_cached,
    )
