"""One attempt at an endpoint: what it is said to have cost when it fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from rejoinder.errors import ConfigInvalid, ModelRefusal, ModelTrouble, RejoinderError
from rejoinder.llm.endpoints import Endpoint, Price, parse_uri
from rejoinder.llm.requests import LlmRequest, Message, RawReply, Usage
from resources.llm.gateway.admitted import MOST_TOKENS, Admitted
from resources.llm.gateway.calls import Call
from resources.llm.gateway.clients import Clients
from resources.llm.providers.local import ExtractiveClient

ENDPOINT = Endpoint("fast", parse_uri("openai::m"), price=Price(1.0, 2.0), timeout_s=10.0)


@dataclass
class Places:
    """Lets everybody through, and notes what was settled."""

    settled: list[tuple[str, float]] = field(default_factory=list)
    reserved_usd: float = 0.0

    @contextmanager
    def admit(
        self,
        endpoint: Endpoint,
        request: LlmRequest,
        *,
        estimate_usd: float,
        deadline: float,
        patience_s: float = 0.0,
        look: object = None,
    ) -> Iterator["Places"]:
        self.reserved_usd = estimate_usd
        yield self

    def settle(self, outcome: str, cost_usd: float, error: str | None = None) -> None:
        self.settled.append((outcome, cost_usd))

    def owe(self, cost_usd: float) -> int | None:
        self.settle("ok", cost_usd)
        return None


@dataclass
class Failing:
    """A client that fails as it was told to."""

    error: Exception
    has_schemas = False

    def complete(self, request: LlmRequest, timeout_s: float) -> RawReply:
        raise self.error

    def count_tokens(self, text: str) -> int | None:
        return None


def failed(error: Exception) -> tuple[Places, Call]:
    places, call = Places(), Call(LlmRequest("reply", (Message("user", "Is it?"),)), "champion", 100.0)
    admitted = Admitted(ENDPOINT, Clients(lambda endpoint: Failing(error)), places, lambda: 0.0)
    with pytest.raises(type(error)):
        admitted.ask(call, call.request)
    return places, call


@pytest.mark.parametrize(
    "error",
    [
        ModelTrouble("empty", "fast gave nothing", charged=(1_000_000, 500_000)),
        ModelRefusal("content", "fast declined", charged=(1_000_000, 500_000)),
    ],
)
def test_what_a_failed_call_was_charged_for_is_counted(error: RejoinderError) -> None:
    places, call = failed(error)
    assert [cost for _, cost in places.settled] == [2.0]
    (attempt,) = call.attempts
    assert (attempt.usage, attempt.cost_usd) == (Usage(1_000_000, 500_000), 2.0)


@pytest.mark.parametrize("told", [(3_000_000_000, 5), (5, -1), (MOST_TOKENS + 1, 0)])
def test_a_server_that_tells_what_no_model_takes_is_not_believed(told: tuple[int, int]) -> None:
    places, call = failed(ModelTrouble("empty", "fast gave nothing", charged=told))
    assert places.settled == [("empty", places.reserved_usd)]
    assert (call.attempts[0].usage, call.attempts[0].cost_usd) == (Usage(0, 0), places.reserved_usd)


def test_a_failure_that_names_no_charge_cost_nothing() -> None:
    places, call = failed(ModelTrouble("server", "500"))
    assert places.settled == [("server", 0.0)] and call.attempts[0].cost_usd == 0.0


def test_a_call_that_got_no_answer_in_time_counts_with_all_it_reserved() -> None:
    places, call = failed(ModelTrouble("timeout", "nothing came"))
    assert places.settled == [("timeout", places.reserved_usd)] and places.reserved_usd > 0
    assert call.attempts[0].cost_usd == places.reserved_usd


def test_a_call_whose_client_broke_counts_with_all_it_reserved() -> None:
    places, call = failed(KeyError("choices"))
    assert places.settled == [("error", places.reserved_usd)] and places.reserved_usd > 0
    assert (call.attempts[0].outcome, call.attempts[0].cost_usd) == ("error", places.reserved_usd)


def test_a_client_that_lacks_something_sent_nothing() -> None:
    assert failed(ConfigInvalid("a library is missing"))[0].settled == [("error", 0.0)]


def test_the_answer_without_a_model_is_there_when_the_time_is_up() -> None:
    """A model that was too slow has used up all of the call's time: the chain's last endpoint needs none."""
    local = Endpoint("local", parse_uri("local::extractive"), price=Price(0.0, 0.0))
    asked = LlmRequest("reply", (Message("user", "Is it?"),), offline=lambda: "quoted")
    admitted = Admitted(local, Clients(lambda endpoint: ExtractiveClient()), Places(), lambda: 100.0)
    assert admitted.ask(Call(asked, "champion", 100.0), asked).text == "quoted"
    places = Places()
    late = Admitted(ENDPOINT, Clients(lambda endpoint: ExtractiveClient()), places, lambda: 100.0)
    with pytest.raises(ModelTrouble, match="is up"):
        late.ask(Call(asked, "champion", 100.0), asked)
    assert places.settled == []
