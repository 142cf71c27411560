"""Choosing: the order of endpoints for a request, and the sides of an A/B test."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.errors import ModelRefusal
from rejoinder.llm.choosing import Choice, arm_of, order_endpoints
from rejoinder.llm.endpoints import Endpoint, Price, parse_uri
from rejoinder.llm.requests import LlmRequest, Message, ReplySchema, Sampling

ASKED = LlmRequest("reply", (Message("user", "word " * 800),), sampling=Sampling(max_tokens=1_000))
JSON = LlmRequest("claims", ASKED.messages, schema=ReplySchema("s", "{}"), sampling=ASKED.sampling)
LOCAL = Endpoint("local", parse_uri("local::extractive"), price=Price(0.0, 0.0), max_concurrent=10_000)


def endpoint(name: str, **more: Any) -> Endpoint:
    return Endpoint(name, parse_uri(f"openai::{name}"), **more)


def names(
    choose: Choice, *endpoints: Endpoint, request: LlmRequest = ASKED, load: dict[str, int] | None = None
) -> list[str]:
    return [e.name for e in order_endpoints(choose, endpoints, request, load)]


def test_in_order_takes_them_as_they_stand_but_those_that_do_not_write() -> None:
    vectors = endpoint("vectors", capabilities=frozenset({"embed"}))
    assert names("in_order", LOCAL, vectors, endpoint("b"), endpoint("a", weight=9)) == ["local", "b", "a"]


def test_least_loaded_goes_by_the_part_that_is_taken_then_by_weight() -> None:
    large, small, idle, heavy = (
        endpoint("large", max_concurrent=100),
        endpoint("small", max_concurrent=2),
        endpoint("idle"),
        endpoint("heavy", weight=2.0),
    )
    load = {"large": 10, "small": 1}
    assert names("least_loaded", LOCAL, small, large, idle, heavy, load=load) == [
        "heavy", "idle", "large", "small", "local",
    ]  # fmt: skip
    assert names("least_loaded", idle, endpoint("other")) == ["idle", "other"]


def test_cheapest_goes_by_what_the_request_would_cost() -> None:
    reads_cheaply = endpoint("reads", price=Price(0.1, 10.0))
    writes_cheaply = endpoint("writes", price=Price(5.0, 0.5))
    asked = LlmRequest("t", (Message("user", "word " * 8_000),), sampling=Sampling(max_tokens=10))
    assert names("cheapest", LOCAL, reads_cheaply, writes_cheaply) == ["writes", "reads", "local"]
    assert names("cheapest", LOCAL, reads_cheaply, writes_cheaply, request=asked) == [
        "reads",
        "writes",
        "local",
    ]


def test_cheapest_leaves_out_who_cannot_or_whose_price_is_not_known() -> None:
    price = Price(1.0, 1.0)
    fits, small, unknown = (
        endpoint("fits", price=price, context_tokens=2_100),
        endpoint("small", price=price, context_tokens=1_900),
        endpoint("unknown"),
    )
    assert names("cheapest", small, unknown, fits) == ["fits"]
    with pytest.raises(ModelRefusal, match=r"reply \(small, unknown\)") as found:
        names("cheapest", small, unknown)
    assert found.value.kind == "request" and "context_tokens" in str(found.value.fix)


def test_who_keeps_to_a_schema_by_itself_is_preferred_by_the_cheapest() -> None:
    plain = endpoint("plain", price=Price(1.0, 1.0))
    keeps = endpoint("keeps", price=Price(9.0, 9.0), capabilities=frozenset({"text", "json"}))
    assert names("cheapest", plain, keeps, LOCAL, request=JSON) == ["keeps", "local"]
    assert names("cheapest", plain, LOCAL, request=JSON) == ["plain", "local"]
    assert names("cheapest", plain, keeps) == ["plain", "keeps"]


def test_nobody_who_writes_is_refused() -> None:
    with pytest.raises(ModelRefusal, match="vectors"):
        names("in_order", endpoint("vectors", capabilities=frozenset({"embed"})))


@given(share=st.floats(0, 1), task=st.text(max_size=20))
def test_a_share_is_met_and_stays_as_it_is(share: float, task: str) -> None:
    units = [f"post:{n}" for n in range(2_000)]
    chosen = [unit for unit in units if arm_of(task, unit, share) == "challenger"]
    # Five standard deviations of a fair draw, and some for the smallest shares: one false alarm in millions.
    tolerance = 5 * (share * (1 - share) * len(units)) ** 0.5 + 6
    assert abs(len(chosen) - share * len(units)) <= tolerance
    assert chosen == [unit for unit in units if arm_of(task, unit, share) == "challenger"]
    assert {unit for unit in units if arm_of(task, unit, share / 2) == "challenger"} <= set(chosen)


def test_tasks_are_divided_apart() -> None:
    units = [f"post:{n}" for n in range(2_000)]
    both = sum(arm_of("a", u, 0.5) == arm_of("b", u, 0.5) for u in units)
    assert 850 < both < 1_150
    assert arm_of("a", None, 1.0) == "champion"
