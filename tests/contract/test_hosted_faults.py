"""Every fault of the sandbox's models has one outcome at a hosted model: a reply, trouble, or a refusal."""

from typing import Any

import pytest
from pydantic import SecretStr

from rejoinder.errors import ModelRefusal, ModelTrouble
from rejoinder.llm.endpoints import Endpoint, ModelUri
from rejoinder.llm.requests import LlmRequest, Message, ReplySchema, Sampling
from resources.llm.providers.hosted import HostedClient, open_client
from resources.sandbox.openai_faults import KINDS

PROMPT = "Is it so that asyncio is faster than threads are?"
SCHEMA = ReplySchema(
    "verdict",
    '{"type":"object","properties":{"label":{"enum":["a","b"]}},"required":["label"],"additionalProperties":false}',
)
ASKED = LlmRequest("check", (Message("user", PROMPT),), SCHEMA, Sampling(max_tokens=100))
# What each fault comes to: a kind of trouble or refusal, or "ok": the reply goes on to whoever checks it.
OUTCOMES: dict[str, str] = {
    "slow": "timeout",
    "slow_stream": "timeout",
    "hold": "timeout",
    "hang": "timeout",
    "stall": "timeout",
    "drop": "connection",
    "drop_mid": "connection",
    "truncated": "connection",
    "stream_error": "server",
    "invalid_json": "server",
    "html": "server",
    "html_200": "server",
    "429": "rate_limit",
    "429_http_date": "rate_limit",
    "429_ratelimit": "rate_limit",
    "429_no_headers": "rate_limit",
    "insufficient_quota": "key",
    "401": "key",
    "403": "key",
    "408": "timeout",
    "500": "server",
    "502": "server",
    "503": "server",
    "529": "server",
    "context_overflow": "context",
    "unknown_model": "unknown_model",
    "wrong_schema": "ok",
    "fenced": "ok",
    "prose": "ok",
    "not_json": "ok",
    "cut_off": "ok",
    "refusal": "content",
    "empty": "empty",
    "content_filter": "content",
    "no_choices": "empty",
    "no_usage": "ok",
    "wrong_usage": "ok",
    "too_few": "ok",
    "wrong_dimensions": "ok",
}
REFUSALS = {"content", "context", "key", "unknown_model", "request"}


@pytest.fixture
def hosted(models: Any) -> HostedClient:
    key = models.get("credentials")["openai"]["api_key"]
    endpoint = Endpoint(
        "rehearsed", ModelUri("openai", "rehearsal"), f"{models.url}/openai/v1", frozenset({"text", "json"})
    )
    client = open_client(endpoint, SecretStr(key))
    # The first call imports what it needs, which is no part of any time-out below.
    client.complete(ASKED, 60)
    models.post("models/reset", parts=["counts"])
    return client


def test_every_fault_has_an_outcome() -> None:
    assert set(OUTCOMES) == set(KINDS)


@pytest.mark.parametrize("kind", OUTCOMES)
def test_a_fault_comes_to_one_outcome(models: Any, hosted: HostedClient, kind: str) -> None:
    models.post("models/faults", kind=kind, delay_s=600, retry_after_s=7)
    outcome, timeout_s = OUTCOMES[kind], 0.4 if OUTCOMES[kind] == "timeout" and kind != "408" else 30
    if outcome == "ok":
        assert hosted.complete(ASKED, timeout_s).text
    else:
        with pytest.raises((ModelTrouble, ModelRefusal)) as raised:
            hosted.complete(ASKED, timeout_s)
        failure = raised.value
        assert isinstance(failure, ModelTrouble | ModelRefusal) and failure.kind == outcome
        assert isinstance(failure, ModelRefusal) == (outcome in REFUSALS)
        told = f"{failure} {failure.fix}"
        assert "rehearsed (openai::rehearsal)" in told and PROMPT not in told
        assert models.get("credentials")["openai"]["api_key"] not in told
    assert hosted.complete(ASKED, 30).text == '{"label": "a"}'
    assert models.get("models")["calls"] == 2


@pytest.mark.parametrize(
    ("kind", "wait_s"),
    [
        ("429", 7),
        ("429_http_date", 7),
        ("429_ratelimit", 7),
        ("429_no_headers", None),
        ("503", 7),
        ("529", 7),
    ],
)
def test_how_long_to_wait_is_told(models: Any, hosted: HostedClient, kind: str, wait_s: float | None) -> None:
    models.post("models/faults", kind=kind, retry_after_s=7)
    with pytest.raises(ModelTrouble) as raised:
        hosted.complete(ASKED, 30)
    # A date has whole seconds.
    assert raised.value.retry_after_s == (None if wait_s is None else pytest.approx(wait_s, abs=1))


@pytest.mark.parametrize(("kind", "finish"), [("cut_off", "length"), ("fenced", "stop")])
def test_why_an_answer_ended_is_told(models: Any, hosted: HostedClient, kind: str, finish: str) -> None:
    models.post("models/faults", kind=kind)
    assert hosted.complete(ASKED, 30).finish == finish


@pytest.mark.parametrize(
    ("kind", "is_known"), [("fenced", True), ("no_usage", False), ("wrong_usage", False)]
)
def test_usage_is_what_was_told_or_none(models: Any, hosted: HostedClient, kind: str, is_known: bool) -> None:
    models.post("models/faults", kind=kind)
    assert (hosted.complete(ASKED, 30).usage is not None) == is_known
