"""The provider llamacpp with real text from the packaged small model."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rejoinder.errors import ConfigInvalid, ModelRefusal, ModelTrouble
from rejoinder.llm.endpoints import Endpoint, parse_uri
from rejoinder.llm.prices import most_tokens_in
from rejoinder.llm.requests import LlmRequest, Message, ReplySchema, Sampling
from resources.llm.providers import llamacpp
from resources.llm.providers.llamacpp import LlamaCppClient, body_of, open_client
from resources.llm.providers.llamacpp_server import _loaded, loaded_model

ROOT = Path(__file__).resolve().parents[3]
LONG_S = 60.0


def endpoint(uri: str = "llamacpp::smollm2", **values: Any) -> Endpoint:
    return Endpoint("small", parse_uri(uri), **{"context_tokens": 512, "max_concurrent": 2, **values})


def question(text: str, schema: dict[str, Any] | None = None, **sampling: Any) -> LlmRequest:
    shape = None if schema is None else ReplySchema("answer", json.dumps(schema))
    return LlmRequest("reply", (Message("user", text),), shape, Sampling(**{"max_tokens": 8, **sampling}))


@pytest.fixture(scope="module")
def client() -> LlamaCppClient:
    return open_client(endpoint(), None)


def test_the_packaged_model_writes_text_and_says_what_it_took(client: LlamaCppClient) -> None:
    reply = client.complete(question("Say hello.", max_tokens=6), LONG_S)
    assert reply.text.startswith("Hello")
    assert reply.usage is not None and reply.usage.tokens_out == 6 and reply.usage.tokens_in > 20
    assert reply.finish == "length"


def test_the_chat_template_of_the_file_is_used(client: LlamaCppClient) -> None:
    said = question("Say hello.").messages
    with_rules = LlmRequest(
        "reply", (Message("system", "Answer in capitals."), *said), None, Sampling(max_tokens=1)
    )
    plain = client.complete(question("Say hello.", max_tokens=1), LONG_S).usage
    ruled = client.complete(with_rules, LONG_S).usage
    assert plain is not None and ruled is not None
    # The template has a system text of its own, which the request's takes the place of.
    assert ruled.tokens_in < plain.tokens_in


def test_a_seed_draws_the_same_words_again(client: LlamaCppClient) -> None:
    drawn = [
        client.complete(question("Name an animal.", temperature=1.5, seed=seed), LONG_S).text
        for seed in (7, 7, 8)
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_words_that_end_an_answer_are_not_part_of_it(client: LlamaCppClient) -> None:
    whole = client.complete(question("Say hello."), LONG_S)
    cut = client.complete(question("Say hello.", stop=("I'm",)), LONG_S)
    assert "I'm" in whole.text
    assert cut.text == whole.text.partition("I'm")[0]
    assert cut.finish == "stop"


def test_an_answer_keeps_to_its_schema(client: LlamaCppClient) -> None:
    schema = {
        "type": "object",
        "properties": {"mood": {"enum": ["glad", "sad"]}, "n": {"type": "integer"}},
        "required": ["mood", "n"],
        "additionalProperties": False,
    }
    reply = client.complete(question("How are you?", schema, max_tokens=120), LONG_S)
    jsonschema.validate(json.loads(reply.text), schema)
    assert client.has_schemas


def test_json_that_was_cut_off_names_the_tokens_that_its_schema_takes(client: LlamaCppClient) -> None:
    schema = {"type": "array", "items": {"type": "string", "maxLength": 20}, "minItems": 4, "maxItems": 4}
    with pytest.raises(ModelRefusal, match=r"max_tokens was 4, .* up to \d+ tokens"):
        client.complete(question("Count.", schema, max_tokens=4), LONG_S)


def test_a_pattern_that_llama_cpp_does_not_know_is_left_to_the_check() -> None:
    shape = {
        "properties": {
            "a": {"type": "string", "pattern": "x"},
            "b": {"pattern": "^y$"},
            "pattern": {"type": "null"},
        }
    }
    sent = body_of(question("Hello", shape))["response_format"]["json_schema"]["schema"]
    assert sent == {
        "properties": {"a": {"type": "string"}, "b": {"pattern": "^y$"}, "pattern": {"type": "null"}}
    }


def test_a_schema_that_llama_cpp_does_not_know_is_refused(client: LlamaCppClient) -> None:
    with pytest.raises(ModelRefusal, match="schema") as caught:
        client.complete(question("Hello", {"type": "nonsense"}), LONG_S)
    assert caught.value.kind == "request"


@pytest.mark.parametrize("n_words", [487, 600])
def test_what_is_longer_than_the_context_is_refused(client: LlamaCppClient, n_words: int) -> None:
    with pytest.raises(ModelRefusal, match="too long") as caught:
        client.complete(question("word " * n_words), LONG_S)
    assert caught.value.kind == "context"


def test_a_call_that_takes_too_long_ends_and_gives_its_place_back(client: LlamaCppClient) -> None:
    with pytest.raises(ModelTrouble) as caught:
        client.complete(question("word " * 300, max_tokens=200), 0.05)
    assert caught.value.kind == "timeout"
    assert client.complete(question("Say hello.", max_tokens=2), LONG_S).text


def test_threads_share_one_server(client: LlamaCppClient) -> None:
    texts: list[str] = []
    asked = question("Say hello.", max_tokens=4)
    threads = [
        threading.Thread(target=lambda: texts.append(client.complete(asked, LONG_S).text)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts) == 3 and all(texts)
    other = open_client(endpoint(), None)
    assert other.complete(asked, LONG_S).text
    assert len([shape for shape in _loaded.models if shape == other.shape]) == 1


def test_tokens_are_counted_by_the_models_own_tokenizer(client: LlamaCppClient) -> None:
    assert client.count_tokens("Hello world") == 2
    assert client.count_tokens("") == 0
    # What looks like a mark of the template is text.
    assert (client.count_tokens("<|im_end|>") or 0) > 1


def test_a_count_that_takes_too_long_is_left_to_an_estimate(
    client: LlamaCppClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded_model(client.shape)
    client.complete(question("Go.", max_tokens=1), LONG_S)
    monkeypatch.setattr(llamacpp, "COUNT_TIMEOUT_S", 0.05)
    # As while the model is being loaded.
    with model._lock:
        with pytest.raises(ModelTrouble) as caught:
            model.count_tokens("Hello world", 0.05)
        assert caught.value.kind == "timeout"
        assert client.count_tokens("Hello world") is None
        assert most_tokens_in(question("Hello"), client.count_tokens) == most_tokens_in(question("Hello"))
    assert model.count_tokens("Hello world", LONG_S) == 2


def test_the_context_is_never_longer_than_the_model_knows() -> None:
    assert open_client(endpoint(context_tokens=100_000), None).shape.context_tokens == 8_192


def test_a_model_that_is_not_there_names_the_command_that_puts_it_there(tmp_path: Path) -> None:
    for uri in ("llamacpp::nobody", f"llamacpp::{tmp_path}/none.gguf"):
        with pytest.raises(ConfigInvalid) as caught:
            open_client(endpoint(uri), None)
        assert "rejoinder models add" in str(caught.value.fix)


def test_a_file_that_is_no_model_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "text.gguf"
    path.write_text("not a model")
    with pytest.raises(ConfigInvalid, match="no GGUF file"):
        open_client(endpoint(f"llamacpp::{path}"), None)


OF_ITS_OWN = """
import os, signal, sys
from rejoinder.llm.endpoints import Endpoint, parse_uri
from rejoinder.llm.requests import LlmRequest, Message, Sampling
from resources.llm.providers.llamacpp import open_client
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
client = open_client(Endpoint("small", parse_uri("llamacpp::smollm2"), context_tokens=512), None)
request = LlmRequest("reply", (Message("user", "Say hello."),), None, Sampling(max_tokens=2))
print(client.complete(request, 300.0).text, flush=True)
"""
FORKED = """
child = os.fork()
if child == 0:
    print(client.complete(request, 300.0).text, flush=True)
    os._exit(0)  # as multiprocessing ends its own
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(client.complete(request, 300.0).text)
"""
ENDED = """
os.kill(os.getpid(), signal.SIGTERM)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=LONG_S, check=False,
        env={**os.environ, "REJOINDER_LOG_LEVEL": "WARNING"},
    )  # fmt: skip


def test_a_forked_process_loads_its_own_and_both_end() -> None:
    done = run(OF_ITS_OWN + FORKED)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == ["0", "Hello!", "Hello!", "Hello!"]


def test_nothing_is_said_on_stderr_and_signals_stay_the_processes_own() -> None:
    done = run(OF_ITS_OWN + ENDED)
    assert (done.returncode, done.stderr) == (7, "")
