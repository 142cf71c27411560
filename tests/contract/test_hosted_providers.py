"""What is sent to each of the hosted providers, and how their answers are read."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hosted_server import Served, answer, completion
from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid, ModelRefusal, ModelTrouble
from rejoinder.llm.endpoints import Endpoint, ModelUri
from rejoinder.llm.requests import LlmRequest, Message, RawReply, ReplySchema, Sampling, Usage
from resources.llm.providers import quiet_litellm
from resources.llm.providers.hosted import HostedClient
from resources.llm.providers.hosted_services import SERVICES
from resources.llm.providers.registry import open_client, provider_names

SHAPE = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
SCHEMA = ReplySchema("verdict", json.dumps(SHAPE))
SAMPLING = Sampling(max_tokens=50, temperature=0.7, top_p=0.9, seed=3, stop=("END",))
ASKED = LlmRequest("check", (Message("system", "Be brief."), Message("user", "Is it so?")), SCHEMA, SAMPLING)
JSON = '{"a": "b"}'
OPENAI = completion(JSON)
ANTHROPIC = {
    "id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": JSON}],
    "usage": {"input_tokens": 11, "output_tokens": 3, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 2},
}  # fmt: skip
BY_TOOL = {
    **ANTHROPIC,
    "content": [{"type": "tool_use", "id": "t", "name": "json_tool_call", "input": {"a": "b"}}],
    "stop_reason": "tool_use",
}
OLLAMA = {
    "model": "l", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": JSON},
    "done": True, "done_reason": "stop", "prompt_eval_count": 11, "eval_count": 3,
}  # fmt: skip
REPLIES: dict[str, dict[str, Any]] = {"anthropic": ANTHROPIC, "ollama": OLLAMA}


@pytest.fixture
def served() -> Iterator[Served]:
    running = Served()
    yield running
    running.close()


def client(served: Served, provider: str, model: str, *capabilities: str) -> HostedClient:
    can = frozenset({"text", *capabilities})
    opened = open_client(Endpoint("far", ModelUri(provider, model), served.url, can), SecretStr("the-key"))
    assert isinstance(opened, HostedClient)
    return opened


def sent(served: Served, hosted: HostedClient, reply: dict[str, Any]) -> tuple[str, dict[str, str], Any]:
    served.reply = answer(200, reply)
    hosted.complete(ASKED, 60)
    return served.requests[-1]


def test_every_service_is_a_provider() -> None:
    assert set(SERVICES) <= set(provider_names())


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4.1-mini"),
        ("openai", "of-ones-own"),
        ("together", "org/model"),
        ("moonshot", "kimi-k2"),
    ],
)
def test_what_speaks_like_openai(served: Served, provider: str, model: str) -> None:
    line, headers, body = sent(served, client(served, provider, model, "json"), OPENAI)
    assert line.startswith("POST /chat/completions ") and headers["authorization"] == "Bearer the-key"
    assert body.pop("messages") == [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Is it so?"},
    ]  # fmt: skip
    assert body == {
        "model": model, "max_tokens": 50, "temperature": 0.7, "top_p": 0.9, "seed": 3, "stop": ["END"],
        "response_format": {
            "type": "json_schema", "json_schema": {"name": "verdict", "schema": SHAPE, "strict": True},
        },
    }  # fmt: skip


def test_models_that_think_are_asked_otherwise(served: Served) -> None:
    body = sent(served, client(served, "openai", "gpt-5-mini"), OPENAI)[2]
    assert body["max_completion_tokens"] == 50 and body["seed"] == 3
    assert set(body) == {"model", "messages", "max_completion_tokens", "seed"}


def test_a_stop_that_the_model_cannot_be_told_is_applied_here(served: Served) -> None:
    served.reply = answer(200, completion("So it is.END And"))
    assert client(served, "openai", "gpt-5-mini").complete(ASKED, 60).text == "So it is."


def test_anthropic(served: Served) -> None:
    line, headers, body = sent(served, client(served, "anthropic", "claude-sonnet-4-5", "json"), ANTHROPIC)
    assert line.startswith("POST /v1/messages ") and headers["x-api-key"] == "the-key"
    assert body["system"][0]["text"] == "Be brief." and body["max_tokens"] == 50
    # Of temperature and top_p it takes one, and no seed.
    assert body["temperature"] == 0.7 and not {"top_p", "seed"} & set(body)
    assert body["stop_sequences"] == ["END"] and body["output_format"]["schema"] == SHAPE


def test_anthropic_counts_what_came_from_its_cache_as_read(served: Served) -> None:
    served.reply = answer(200, ANTHROPIC)
    reply = client(served, "anthropic", "claude-sonnet-4-5", "json").complete(ASKED, 60)
    assert reply == RawReply(JSON, Usage(18, 3), "stop")


def test_an_older_anthropic_model_answers_by_a_tool(served: Served) -> None:
    hosted = client(served, "anthropic", "claude-3-5-haiku-latest", "json")
    body = sent(served, hosted, BY_TOOL)[2]
    assert body["tools"][0]["input_schema"] == SHAPE and body["tool_choice"]["name"] == "json_tool_call"
    reply = hosted.complete(ASKED, 60)
    assert json.loads(reply.text) == {"a": "b"} and reply.finish == "stop"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({**ANTHROPIC, "content": [], "stop_reason": "refusal"}, "content"),
        ({**ANTHROPIC, "content": []}, "empty"),
        ({**ANTHROPIC, "content": [], "stop_reason": "max_tokens"}, "request"),
    ],
)
def test_anthropic_may_say_nothing(served: Served, reply: dict[str, Any], kind: str) -> None:
    served.reply = answer(200, reply)
    with pytest.raises((ModelTrouble, ModelRefusal)) as raised:
        client(served, "anthropic", "claude-sonnet-4-5").complete(ASKED, 60)
    assert isinstance(raised.value, ModelTrouble | ModelRefusal)
    assert raised.value.kind == kind and raised.value.charged == (18, 3)


def test_ollama(served: Served) -> None:
    hosted = client(served, "ollama", "llama3.2", "json")
    line, _, body = sent(served, hosted, OLLAMA)
    assert line.startswith("POST /api/chat ") and body["stream"] is False and body["format"] == SHAPE
    assert body["options"] == {
        "temperature": 0.7,
        "top_p": 0.9,
        "seed": 3,
        "stop": ["END"],
        "num_predict": 50,
    }
    assert hosted.complete(ASKED, 60) == RawReply(JSON, Usage(11, 3), "stop")


@pytest.mark.parametrize("provider", ["openai", "anthropic", "together", "moonshot", "ollama"])
def test_without_the_capability_no_schema_is_sent(served: Served, provider: str) -> None:
    reply = REPLIES.get(provider, OPENAI)
    hosted = client(served, provider, "some-model")
    assert not hosted.has_schemas
    assert not {"response_format", "output_format", "tools", "format"} & set(sent(served, hosted, reply)[2])


def test_a_schema_that_is_not_strict_is_not_said_to_be(served: Served) -> None:
    loose = ReplySchema("loose", '{"type":"object","properties":{"a":{"type":"string"}}}')
    served.reply = answer(200, OPENAI)
    client(served, "openai", "m", "json").complete(LlmRequest("check", ASKED.messages, loose), 60)
    assert served.requests[0][2]["response_format"]["json_schema"]["strict"] is False


def test_a_model_with_only_another_api_is_refused_before_anything_is_sent(served: Served) -> None:
    served.reply = answer(200, OPENAI)
    with pytest.raises(ModelRefusal, match="nothing was sent") as raised:
        client(served, "openai", "o3-pro").complete(ASKED, 60)
    assert "Responses API" in str(raised.value.fix) and served.requests == []


@pytest.mark.parametrize("provider", ["openai", "anthropic", "together", "moonshot"])
def test_a_missing_key_names_its_variable(provider: str) -> None:
    endpoint = Endpoint("my-far-one", ModelUri(provider, "m"))
    with pytest.raises(ConfigInvalid, match="REJOINDER_KEY_MY_FAR_ONE"):
        open_client(endpoint, None)


def test_a_server_of_ones_own_may_want_no_key(served: Served) -> None:
    served.reply = answer(200, OPENAI)
    opened = open_client(Endpoint("near", ModelUri("openai", "m"), served.url), None)
    assert opened.complete(ASKED, 60).text == JSON
    assert served.requests[0][1]["authorization"] == "Bearer none"
    assert open_client(Endpoint("near", ModelUri("ollama", "llama3.2")), None) is not None


def test_a_missing_library_is_named_with_its_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet_litellm, "find_spec", lambda name: None)
    with pytest.raises(ConfigInvalid, match=r"pip install -e '\.\[models\]'"):
        open_client(Endpoint("far", ModelUri("ollama", "m")), None)


def test_tokens_are_counted_by_the_models_own_table_or_not_at_all(served: Served) -> None:
    def count(model: str, base_url: str | None = None) -> int | None:
        return open_client(Endpoint("far", ModelUri("openai", model), base_url), SecretStr("k")).count_tokens(
            "hello world"
        )

    assert count("gpt-4.1-mini") == count("gpt-4o") == 2
    # Its table does not come along; one's own server may serve another model under any name.
    assert count("gpt-oss-120b") is None and count("gpt-4.1-mini", served.url) is None
    hosted = client(served, "anthropic", "claude-sonnet-4-5")
    assert hosted.count_tokens("hello world") is None


def test_nothing_is_done_with_an_answer_once_it_is_given(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM would look through it in a thread of its own, for listeners, of which there are none."""
    quiet_litellm.quiet_litellm()
    from litellm.litellm_core_utils.litellm_logging import Logging
    from litellm.litellm_core_utils.thread_pool_executor import BoundedLoggingThreadPoolExecutor, executor

    looked_through: list[object] = []
    monkeypatch.setattr(Logging, "success_handler", lambda self, result, *more: looked_through.append(result))
    served.reply = answer(200, OPENAI)
    assert client(served, "openai", "gpt-4.1-mini").complete(ASKED, 60).text == JSON
    # What was handed over before this was begun before this is done.
    BoundedLoggingThreadPoolExecutor.submit(executor, int).result(60)
    assert looked_through == []


def test_many_threads_may_ask_first_and_the_library_comes_late() -> None:
    code = """
import asyncio, gc, sys, threading
from pydantic import SecretStr
from rejoinder.llm.endpoints import Endpoint, ModelUri
from rejoinder.llm.requests import LlmRequest, Message
from rejoinder.errors import ModelTrouble
from resources.llm.providers.hosted import open_client
client = open_client(Endpoint("far", ModelUri("openai", "m"), "http://127.0.0.1:9"), SecretStr("k"))
assert not {"litellm", "openai"} & set(sys.modules)
kinds = []
def ask():
    try:
        client.complete(LlmRequest("check", (Message("user", "?"),)), 30)
    except ModelTrouble as trouble:
        kinds.append(trouble.kind)
threads = [threading.Thread(target=ask) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
ask()
print(kinds[:8])
# An event loop that a call had made in this thread would be left open now.
asyncio.run(asyncio.sleep(0))
gc.collect()
"""
    done = subprocess.run(
        [sys.executable, "-W", "always::ResourceWarning", "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"{['connection'] * 8}\n", "")
