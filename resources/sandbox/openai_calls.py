"""One call of the models' API from request to delivery: limits, script, fault, counts."""

import time
from dataclasses import dataclass
from typing import Any

from resources.sandbox.openai_embeddings import as_base64, hashed_vector
from resources.sandbox.openai_errors import (
    ApiError,
    invalid,
    rate_limited,
    too_long_for_context,
    too_long_to_embed,
    wrong_value,
)
from resources.sandbox.openai_failures import NOT_JSON, PAGE, refusal_of, retry_in_seconds, span
from resources.sandbox.openai_faults import ModelFault
from resources.sandbox.openai_match import Occasion
from resources.sandbox.openai_models import Allowance, Ticket
from resources.sandbox.openai_rehearsal import Rehearsal, Station
from resources.sandbox.openai_replies import change_usage, compose
from resources.sandbox.openai_request import ChatRequest, EmbeddingRequest
from resources.sandbox.openai_script import Scripted
from resources.sandbox.openai_shapes import (
    Completion,
    as_json,
    completion_body,
    completion_events,
    embeddings_body,
    event,
    new_id,
    usage_body,
)
from resources.sandbox.openai_tokens import count_tokens
from resources.sandbox.openai_wire import Delivery

STREAM_TYPE = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Turn:
    """A counted call with all that decides about its answer."""

    rehearsal: Rehearsal
    station: Station
    ticket: Ticket
    headers: dict[str, str]
    scripted: Scripted
    fault: ModelFault | None

    @property
    def kind(self) -> str | None:
        """The kind of the fault that strikes, if one does."""
        return None if self.fault is None else self.fault.kind


def begin(
    rehearsal: Rehearsal, station: Station, ticket: Ticket, occasion: Occasion, headers: dict[str, str]
) -> Turn:
    """Decide what a call meets: the fault of its scripted answer, else the first ordered one."""
    scripted = rehearsal.take_answer(occasion) if occasion.endpoint == "chat" else Scripted()
    fault = scripted.fault or rehearsal.take_fault(occasion)
    return Turn(rehearsal, station, ticket, headers, scripted, fault)


def answer(turn: Turn, request: ChatRequest | EmbeddingRequest) -> Delivery:
    """What is sent back.

    Raises:
        ApiError: the API says no, by itself or because a fault was ordered.
    """
    tokens = request.prompt_tokens if isinstance(request, ChatRequest) else sum(request.lengths)
    take_allowance(turn, tokens)
    if turn.fault is not None:
        failed = failure(turn, turn.fault, request)
        if failed is not None:
            return failed
    if isinstance(request, ChatRequest):
        return answer_chat(turn, request)
    return answer_embeddings(turn, request)


def failure(turn: Turn, fault: ModelFault, request: ChatRequest | EmbeddingRequest) -> Delivery | None:
    """The answer of a fault that has one of its own."""
    if fault.kind in ("html", "html_200"):
        return Delivery(502 if fault.kind == "html" else 200, turn.headers, (PAGE,), "text/html", fault)
    if fault.kind == "invalid_json":
        return Delivery(200, turn.headers, (NOT_JSON,), fault=fault)
    if fault.kind == "stream_error" and isinstance(request, ChatRequest) and request.is_stream:
        return None
    refusal = refusal_of(fault, turn.station.card.id, turn.station.card.context_tokens)
    if refusal is not None:
        if fault.kind == "429_no_headers":
            for name in [name for name in turn.headers if name.startswith("x-ratelimit-")]:
                del turn.headers[name]
        raise refusal
    return None


def answer_chat(turn: Turn, request: ChatRequest) -> Delivery:
    """A chat completion, in one piece or as events."""
    most_tokens = room(turn.station, request)
    reply = compose(request, turn.scripted, turn.kind, most_tokens)
    said = sum(map(count_tokens, (reply.text or "", reply.refusal or ""))) * request.choices
    turn.ticket.count_tokens(request.prompt_tokens, said)
    cached = turn.rehearsal.cached_tokens(request.model, request.prompt)
    usage = {**usage_body(request.prompt_tokens, said, cached), **(turn.scripted.usage or {})}
    completion = Completion(
        id=new_id(),
        created=int(time.time()),
        model=request.model,
        replies=() if turn.kind == "no_choices" else (reply,) * request.choices,
        usage=change_usage(usage, turn.kind),
    )
    if request.is_stream:
        events = completion_events(completion, wants_usage=request.wants_usage)
        return Delivery(200, turn.headers, broken(turn, events), STREAM_TYPE, turn.fault)
    return Delivery(200, turn.headers, (as_json(completion_body(completion)),), fault=turn.fault)


def broken(turn: Turn, events: list[bytes]) -> tuple[bytes, ...]:
    """The events of a stream; an ordered error takes the place of the second half."""
    if turn.kind != "stream_error" or turn.fault is None:
        return tuple(events)
    error = refusal_of(turn.fault, turn.station.card.id, 0)
    return (*events[: max(1, len(events) // 2)], event({} if error is None else error.body))


def room(station: Station, request: ChatRequest) -> int:
    """How many tokens the answer may have.

    Raises:
        ApiError: the messages and the asked tokens do not fit into the model's context.
    """
    card = station.card
    if card.kind != "chat":
        raise invalid(f"{card.id} is not a chat model.", "model")
    asked = request.most_tokens
    if asked is not None and asked > card.max_output_tokens:
        raise wrong_value("max_completion_tokens", f"at most {card.max_output_tokens}")
    if request.prompt_tokens + (asked or 0) > card.context_tokens:
        raise too_long_for_context(card.context_tokens, request.prompt_tokens, asked or 0)
    return asked or min(card.max_output_tokens, card.context_tokens - request.prompt_tokens)


def answer_embeddings(turn: Turn, request: EmbeddingRequest) -> Delivery:
    """Vectors for every input."""
    dimensions = room_for_vectors(turn.station, request)
    total = sum(request.lengths)
    turn.ticket.count_tokens(total, 0)
    inputs = request.inputs[:-1] if turn.kind == "too_few" else request.inputs
    vectors = [hashed_vector(shown, dimensions) for shown in inputs]
    if turn.kind == "wrong_dimensions":
        vectors = [vector[:-1] for vector in vectors]
    packed = list(map(as_base64, vectors)) if request.is_base64 else vectors
    body: dict[str, Any] = embeddings_body(request.model, packed, total)
    usage = change_usage(body.pop("usage"), turn.kind)
    if usage is not None:
        body["usage"] = {name: usage[name] for name in ("prompt_tokens", "total_tokens")}
    return Delivery(200, turn.headers, (as_json(body),), fault=turn.fault)


def room_for_vectors(station: Station, request: EmbeddingRequest) -> int:
    """How many dimensions the vectors get.

    Raises:
        ApiError: an input is longer than the model's context, or more dimensions are asked for than there are.
    """
    card = station.card
    if card.kind != "embedding":
        raise invalid(f"{card.id} is not an embedding model.", "model")
    longest = max(request.lengths)
    if longest > card.context_tokens:
        raise too_long_to_embed(card.context_tokens, longest)
    if request.dimensions is not None and request.dimensions > card.dimensions:
        raise wrong_value("dimensions", f"at most {card.dimensions}")
    return request.dimensions or card.dimensions


def take_allowance(turn: Turn, tokens: int) -> None:
    """Use up a request and its tokens of the model's minute; the headers say what is left.

    Raises:
        ApiError: the minute holds no more.
    """
    taken = {"requests": turn.station.requests.take(1), "tokens": turn.station.tokens.take(tokens)}
    turn.headers.update(allowance_headers(taken))
    for what, allowance in taken.items():
        if not allowance.is_allowed:
            wait = retry_in_seconds(allowance.reset_s)
            raise rate_limited(turn.station.card.id, what, allowance.limit, wait)


def allowance_headers(taken: dict[str, Allowance]) -> dict[str, str]:
    """The rate limit headers of an answer."""
    headers = {}
    for what, allowance in taken.items():
        headers[f"x-ratelimit-limit-{what}"] = str(allowance.limit)
        headers[f"x-ratelimit-remaining-{what}"] = str(allowance.remaining)
        headers[f"x-ratelimit-reset-{what}"] = span(allowance.reset_s)
    return headers


def refused(error: ApiError, headers: dict[str, str], fault: ModelFault | None = None) -> Delivery:
    """An error as it is sent."""
    return Delivery(error.status, {**headers, **error.headers}, (as_json(error.body),), fault=fault)
