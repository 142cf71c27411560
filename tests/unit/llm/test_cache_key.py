"""The key of a kept answer: everything that changes the answer, nothing else, in one form."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.llm.cache_key import cache_key
from rejoinder.llm.endpoints import Endpoint, ModelUri, Price
from rejoinder.llm.requests import LlmRequest, Message, ReplySchema, Sampling

TEXT = st.text(st.characters(codec=None), max_size=12)
MESSAGES = st.builds(Message, st.sampled_from(["system", "user", "assistant"]), TEXT)
SAMPLING = st.builds(
    Sampling,
    max_tokens=st.integers(1, 9999),
    temperature=st.floats(0, 2) | st.integers(0, 2),
    top_p=st.floats(0.1, 1) | st.just(1),
    seed=st.none() | st.integers(),
    stop=st.lists(TEXT, max_size=3).map(tuple),
)
REQUESTS = st.builds(
    LlmRequest,
    task=st.just("reply"),
    messages=st.lists(MESSAGES, max_size=4).map(tuple),
    schema=st.none() | st.builds(ReplySchema, TEXT, TEXT),
    sampling=SAMPLING,
)
ENDPOINTS = st.builds(
    Endpoint,
    name=st.just("first"),
    uri=st.builds(ModelUri, st.sampled_from(["openai", "together"]), TEXT),
    base_url=st.none() | TEXT,
    capabilities=st.sampled_from([frozenset({"text"}), frozenset({"text", "json"})]),
)


def differently(request: LlmRequest) -> LlmRequest:
    """The same request with each number written in its other type, and every part a new object."""
    sampling = request.sampling
    return replace(
        request,
        messages=tuple(Message(m.role, "".join(list(m.text))) for m in request.messages),
        sampling=replace(sampling, temperature=float(sampling.temperature), top_p=float(sampling.top_p)),
    )


IRRELEVANT: list[Callable[[LlmRequest], LlmRequest]] = [
    lambda r: replace(r, task="claims"),
    lambda r: replace(r, prompt_version="abc"),
    lambda r: replace(r, input_ref="post:12"),
    lambda r: replace(r, creator_id=7),
    lambda r: replace(r, ab_unit="post:12"),
    lambda r: replace(r, offline=lambda: "quoted"),
    differently,
]
IRRELEVANT_OF_ENDPOINTS: list[Callable[[Endpoint], Endpoint]] = [
    lambda e: replace(e, name="second"),
    lambda e: replace(e, max_concurrent=1),
    lambda e: replace(e, timeout_s=1.0),
    lambda e: replace(e, price=Price(1.0, 1.0)),
    lambda e: replace(e, weight=2.0),
    lambda e: replace(e, context_tokens=9),
]


@given(REQUESTS, ENDPOINTS, st.sampled_from(IRRELEVANT), st.sampled_from(IRRELEVANT_OF_ENDPOINTS))
def test_what_changes_no_answer_changes_no_key(
    request: LlmRequest, endpoint: Endpoint, change: Any, change_endpoint: Any
) -> None:
    assert cache_key(change(request), change_endpoint(endpoint)) == cache_key(request, endpoint)


def relevant(request: LlmRequest, endpoint: Endpoint) -> tuple[Any, ...]:
    """What the answer depends on, as values that Python compares."""
    native = None if request.schema is None else "json" in endpoint.capabilities
    return (endpoint.uri, endpoint.base_url, request.messages, request.schema, native, request.sampling)


@given(REQUESTS, REQUESTS, ENDPOINTS, ENDPOINTS)
def test_keys_are_equal_exactly_where_everything_that_counts_is(
    one: LlmRequest, other: LlmRequest, here: Endpoint, there: Endpoint
) -> None:
    is_same = relevant(one, here) == relevant(other, there)
    assert (cache_key(one, here) == cache_key(other, there)) is is_same


CHANGES = st.sampled_from(
    [
        lambda r, t: replace(r, messages=(*r.messages, Message("user", t))),
        lambda r, t: replace(r, messages=(Message("system", t), *r.messages)),
        lambda r, t: replace(r, schema=ReplySchema("n", (r.schema.json if r.schema else "") + "x" + t)),
        lambda r, t: replace(r, sampling=replace(r.sampling, max_tokens=r.sampling.max_tokens + 1)),
        lambda r, t: replace(r, sampling=replace(r.sampling, temperature=r.sampling.temperature + 0.5)),
        lambda r, t: replace(r, sampling=replace(r.sampling, top_p=r.sampling.top_p / 2)),
        lambda r, t: replace(r, sampling=replace(r.sampling, seed=(r.sampling.seed or 0) + 1)),
        lambda r, t: replace(r, sampling=replace(r.sampling, stop=(*r.sampling.stop, t))),
    ]
)


@given(REQUESTS, ENDPOINTS, CHANGES, TEXT)
def test_what_changes_the_answer_changes_the_key(
    request: LlmRequest, endpoint: Endpoint, change: Any, text: str
) -> None:
    assert cache_key(change(request, text), endpoint) != cache_key(request, endpoint)


ENDPOINT_CHANGES = st.sampled_from(
    [
        lambda e, t: replace(e, uri=ModelUri(e.uri.provider, e.uri.model + "x" + t)),
        lambda e, t: replace(e, uri=ModelUri("anthropic", e.uri.model)),
        lambda e, t: replace(e, base_url=(e.base_url or "") + "x" + t),
    ]
)


@given(REQUESTS, ENDPOINTS, ENDPOINT_CHANGES, TEXT)
def test_another_model_or_address_has_another_key(
    request: LlmRequest, endpoint: Endpoint, change: Any, text: str
) -> None:
    assert cache_key(request, change(endpoint, text)) != cache_key(request, endpoint)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Sampling(temperature=0), Sampling(temperature=-0.0)),
        (Sampling(temperature=1), Sampling(temperature=1.0)),
        (Sampling(top_p=1), Sampling(top_p=1.0)),
    ],
)
def test_equal_numbers_are_one_however_they_are_written(one: Sampling, other: Sampling) -> None:
    endpoint = Endpoint("first", ModelUri("openai", "m"))
    assert one == other
    keys = {cache_key(LlmRequest("reply", (), sampling=sampling), endpoint) for sampling in (one, other)}
    assert len(keys) == 1


def test_letters_that_look_alike_are_not_made_alike() -> None:
    """Composed and decomposed: a model reads other tokens."""
    endpoint = Endpoint("first", ModelUri("openai", "m"))
    composed, decomposed = (LlmRequest("reply", (Message("user", t),)) for t in ("\u00e9", "e\u0301"))
    assert cache_key(composed, endpoint) != cache_key(decomposed, endpoint)


def test_a_key_is_that_of_yesterday() -> None:
    """A change of form would make every kept answer unfindable: it is to be made on purpose, with WORDING."""
    endpoint = Endpoint("first", ModelUri("openai", "gpt-4.1-mini"))
    key = cache_key(LlmRequest("reply", (Message("user", "Is that so?"),)), endpoint)
    assert key.hex() == "87ecabde83bdcd3323ac32ea98bd0acd59fa731f93984e2ab1986c854d762b82"


@given(REQUESTS, ENDPOINTS)
def test_other_files_under_the_same_name_are_another_model(request: LlmRequest, endpoint: Endpoint) -> None:
    keys = {cache_key(request, endpoint, files) for files in ("", "a", "b")}
    assert len(keys) == 3
    assert cache_key(request, endpoint, "a") in keys
