"""Which endpoints answer a task, in which order, and on which side of an A/B test a unit is.

What belongs here: choices as functions of what is known; asking the endpoints is the gateway's.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Literal

from rejoinder.errors import ModelRefusal
from rejoinder.llm.endpoints import Endpoint, Price
from rejoinder.llm.prices import cost_usd, likely_tokens_in
from rejoinder.llm.requests import Arm, LlmRequest, Usage

Choice = Literal["in_order", "least_loaded", "cheapest"]
# Its answers need no model: the way out when models fail, never what price or load should prefer.
WITHOUT_MODEL = "local"


def order_endpoints(
    choose: Choice, endpoints: Sequence[Endpoint], request: LlmRequest, load: Mapping[str, int] | None = None
) -> tuple[Endpoint, ...]:
    """The endpoints to ask, first choice first.

    in_order takes them as they stand. least_loaded asks first where the smallest part of the places is taken, of equals
    the one of more weight. cheapest leaves out those that cannot do it or whose price is not known, and asks the rest
    by what the request would cost. An endpoint without a model comes last in both, as it costs nothing and is never
    full. Equals keep their order.

    Args:
        choose: the task's way of choosing.
        endpoints: those of the task, first choice first.
        request: what is asked.
        load: places taken now, by name; needed for least_loaded.

    Raises:
        ModelRefusal: none of them can do it; the message says what is missing.
    """
    able = [endpoint for endpoint in endpoints if "text" in endpoint.capabilities]
    if choose == "cheapest":
        able = _by_price(able, request)
    elif choose == "least_loaded":
        able.sort(
            key=lambda e: (_is_without_model(e), (load or {}).get(e.name, 0) / e.max_concurrent, -e.weight)
        )
    if not able:
        raise _nobody(endpoints, request)
    return tuple(able)


def _by_price(endpoints: Sequence[Endpoint], request: LlmRequest) -> list[Endpoint]:
    fitting = [(endpoint, endpoint.price) for endpoint in endpoints if _fits(endpoint, request)]
    priced = [(endpoint, price) for endpoint, price in fitting if price is not None]
    if request.schema is not None:
        # Who does not keep to a schema by itself is told it in words: asked only where nobody does.
        keeping = [(e, p) for e, p in priced if "json" in e.capabilities and not _is_without_model(e)]
        priced = keeping + [(e, p) for e, p in priced if _is_without_model(e)] if keeping else priced
    return [
        endpoint
        for endpoint, price in sorted(
            priced, key=lambda found: (_is_without_model(found[0]), _likely_usd(request, found[1]))
        )
    ]


def _is_without_model(endpoint: Endpoint) -> bool:
    return endpoint.uri.provider == WITHOUT_MODEL


def _fits(endpoint: Endpoint, request: LlmRequest) -> bool:
    """Whether question and longest answer probably fit; where the size is not known, the endpoint is asked."""
    most = endpoint.context_tokens
    return most is None or likely_tokens_in(request) + request.sampling.max_tokens <= most


def _likely_usd(request: LlmRequest, price: Price) -> float:
    return cost_usd(Usage(likely_tokens_in(request), request.sampling.max_tokens), price)


def _nobody(endpoints: Sequence[Endpoint], request: LlmRequest) -> ModelRefusal:
    names = ", ".join(endpoint.name for endpoint in endpoints) or "none"
    return ModelRefusal(
        "request",
        f"No endpoint of the task {request.task} ({names}) can take this request of about"
        f" {likely_tokens_in(request)} tokens and {request.sampling.max_tokens} for the answer.",
        fix="Name one in rejoinder.toml that writes text, has room for it (context_tokens) and, where the cheapest is"
        " asked, a price (price_in, price_out).",
    )


def arm_of(task: str, unit: str | None, challenger_share: float) -> Arm:
    """On which side of a task's A/B test a unit is: always the same, for about this share of units the challenger.

    The units are hashed with the task's name, so that another task divides them anew; a larger share keeps those that a
    smaller one had chosen.

    Args:
        task: name of the task, or of anything else that is divided.
        unit: what is divided, such as "post:12"; None is the champion's.
        challenger_share: 0 to 1.

    >>> arm_of("reply", "post:12", 0.0), arm_of("reply", "post:12", 1.0), arm_of("reply", None, 1.0)
    ('champion', 'challenger', 'champion')
    """
    if unit is None:
        return "champion"
    drawn = int.from_bytes(hashlib.sha256(f"{task}\0{unit}".encode()).digest()[:8], "big") / 2**64
    return "challenger" if drawn < challenger_share else "champion"
