"""Checks of endpoints: one real, small call each, for a person who wants to know whether it works."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from rejoinder.errors import ConfigInvalid, ModelRefusal, ModelTrouble, RejoinderError
from rejoinder.llm.endpoints import Endpoint, Price
from rejoinder.llm.ports import ModelClient
from rejoinder.llm.prices import cost_usd, likely_tokens, likely_tokens_in, most_usd
from rejoinder.llm.requests import LlmRequest, Message, RawReply, Sampling, Usage
from resources.llm.gateway.admission import Admission, refuse_unpriced
from resources.llm.gateway.admitted import may_be_charged
from resources.llm.gateway.opening import open_configured
from resources.llm.gateway.registry import configured_endpoints
from resources.settings import model_key
from resources.tuning import Tuning

if TYPE_CHECKING:
    from resources.llm.providers.hosted_embeddings import EmbeddingClient

# What the money for checks is counted under.
TASK = "check"
# Models that think before they write need some room for it.
ASKED = LlmRequest(
    TASK,
    (Message("user", "Answer with the one word: ready"),),
    sampling=Sampling(max_tokens=256),
    offline=lambda: "ready",
)
LONGEST_WAIT_S = 10.0

OpenModel = Callable[[Endpoint], ModelClient]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found; latency_ms is None where nothing was sent, error and fix are None where it works."""

    name: str
    model: str
    is_ok: bool
    latency_ms: float | None = None
    cost_usd: float = 0.0
    error: str | None = None
    fix: str | None = None


def check_endpoint(
    endpoint: Endpoint,
    admission: Admission,
    open_model: OpenModel,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Checked:
    """Call an endpoint once, also one that is switched off or left alone; it costs money, within the budgets.

    An answer closes its circuit breaker, a failure counts as any other.

    Args:
        endpoint: what is called.
        admission: whose places and budgets count, and whose clock is the same.
        open_model: makes its client.
        clock: seconds on a clock that only goes forward.
    """
    model = str(endpoint.uri)
    try:
        refuse_unpriced(endpoint)
        client = open_model(endpoint)
        latency_ms, cost = _called(endpoint, client, admission, clock)
    except RejoinderError as error:
        return Checked(endpoint.name, model, False, error=str(error), fix=error.fix or _usual_fix(error))
    return Checked(endpoint.name, model, True, latency_ms, cost)


def _called(
    endpoint: Endpoint, client: ModelClient, admission: Admission, clock: Callable[[], float]
) -> tuple[float, float]:
    """Milliseconds and US dollars of one call."""
    price = endpoint.price
    most = most_usd(ASKED, price, client.count_tokens) if price is not None else 0.0
    deadline = clock() + LONGEST_WAIT_S
    with admission.admit(endpoint, ASKED, estimate_usd=most, deadline=deadline, is_check=True) as place:
        started = clock()
        try:
            raw = client.complete(ASKED, endpoint.timeout_s)
            if not raw.text.strip():
                raise ModelTrouble("empty", f"{endpoint.name}: the answer was empty.")
        except (ModelTrouble, ModelRefusal) as error:
            place.settle(error.kind, _cost_of_failure(error, most, price), str(error))
            raise
        cost = cost_usd(_usage(raw), price) if price is not None else 0.0
        place.settle("ok", cost)
        return (clock() - started) * 1_000, cost


def _cost_of_failure(error: ModelTrouble | ModelRefusal, most_usd: float, price: Price | None) -> float:
    """As for any other call: what the provider says it charges, else all where nobody knows."""
    if error.charged is not None and price is not None:
        return cost_usd(Usage(*error.charged), price)
    return most_usd if may_be_charged(error) or error.kind == "empty" else 0.0


def _usage(raw: RawReply) -> Usage:
    return raw.usage or Usage(likely_tokens_in(ASKED), likely_tokens(raw.text), is_estimated=True)


def _usual_fix(error: RejoinderError) -> str:
    if isinstance(error, ModelRefusal):
        return FIXES.get(error.kind, "See the message.")
    return "Look whether the address is right and the server well, then check again."


FIXES = {
    "key": "Set REJOINDER_KEY_<NAME> in the environment or in the file .env to a key that is valid and has money.",
    "unknown_model": "Correct the model in uri: it has to be one that the provider, or the server at base_url, has.",
    "request": "Correct the endpoint's section in rejoinder.toml as the message says.",
}


def check_endpoints(url: str, tuning: Tuning, name: str | None = None) -> list[Checked]:
    """Call every endpoint of rejoinder.toml once, or the one of this name, one after the other.

    Raises:
        ConfigInvalid: there is no endpoint of that name.
    """
    known = configured_endpoints(tuning)
    if name is not None and name not in known:
        raise ConfigInvalid(f"There is no endpoint {name}; there are: {', '.join(known)}.")
    chosen = [known[name]] if name is not None else list(known.values())
    with closing(Admission(url, tuning.models, tuning.budget)) as admission:
        return [check_endpoint(one, admission, partial(open_to_check, tuning)) for one in chosen]


def open_to_check(tuning: Tuning, endpoint: Endpoint) -> ModelClient:
    """The client of an endpoint; one that only embeds says how long its vectors are.

    Raises:
        ConfigInvalid: as `open_configured`.
    """
    own = tuning.endpoints.get(endpoint.name)
    if own is None or own.dim is None or "text" in endpoint.capabilities:
        return open_configured(tuning, endpoint)
    from resources.llm.providers.hosted_embeddings import EmbeddingClient

    return _EmbedsOnce(EmbeddingClient(endpoint, own.dim, model_key(own.key or endpoint.name)))


@dataclass(frozen=True, slots=True)
class _EmbedsOnce:
    """An embedding endpoint as a check asks it."""

    client: "EmbeddingClient"
    has_schemas = False

    def complete(self, request: LlmRequest, timeout_s: float) -> RawReply:
        """Embeds the question."""
        found = self.client.embed_once([message.text for message in request.messages], timeout_s)
        return RawReply(f"a vector of {found.vectors.shape[1]} numbers", Usage(found.n_tokens, 0))

    def count_tokens(self, text: str) -> int | None:
        """As the endpoint counts."""
        return self.client.count_tokens(text)
