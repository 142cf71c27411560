"""The provider mlx with real text from the packaged small model, on the processor: a few tokens are enough."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from gguf_writing import METADATA, write_gguf

from rejoinder.errors import ConfigInvalid, ModelRefusal, ModelTrouble
from rejoinder.llm.endpoints import Endpoint, parse_uri
from rejoinder.llm.requests import LlmRequest, Message, ReplySchema, Sampling
from resources.llm.local_models.gguf_header import GgufHeader
from resources.llm.providers import llamacpp
from resources.llm.providers.mlx_gguf import refusal
from resources.llm.providers.mlx_models import MlxClient, _read, open_client
from resources.llm.providers.places import Deadline

LONG_S = 120.0


def endpoint(uri: str = "mlx::smollm2") -> Endpoint:
    return Endpoint("small", parse_uri(uri), context_tokens=512)


def question(text: str, schema: dict[str, Any] | None = None, **sampling: Any) -> LlmRequest:
    shape = None if schema is None else ReplySchema("answer", json.dumps(schema))
    said = (Message("system", "Be short."), Message("user", text))
    return LlmRequest("reply", said, shape, Sampling(**{"max_tokens": 2, **sampling}))


@pytest.fixture(scope="module")
def client() -> MlxClient:
    return open_client(endpoint(), None)


def test_the_packaged_model_writes_text_and_says_what_it_took(client: MlxClient) -> None:
    reply = client.complete(question("Say hello."), LONG_S)
    assert reply.text.startswith("Hello")
    assert reply.usage is not None and reply.usage.tokens_out == 2 and 10 < reply.usage.tokens_in < 30
    assert reply.finish == "length"


def test_an_answer_keeps_to_its_schema(client: MlxClient) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 99}},
        "required": ["n"],
        "additionalProperties": False,
    }
    reply = client.complete(question("How many?", schema, max_tokens=12), LONG_S)
    jsonschema.validate(json.loads(reply.text), schema)
    assert (client.has_schemas, reply.finish) == (True, "stop")


def test_a_schema_that_is_not_known_is_refused(client: MlxClient) -> None:
    with pytest.raises(ModelRefusal, match="schema") as caught:
        client.complete(question("Hello", {"type": "nonsense"}), LONG_S)
    assert caught.value.kind == "request"


def test_what_is_longer_than_the_context_is_refused(client: MlxClient) -> None:
    with pytest.raises(ModelRefusal, match="too long") as caught:
        client.complete(question("word " * 512), LONG_S)
    assert caught.value.kind == "context"


def test_a_call_that_takes_too_long_ends_and_gives_its_place_back(client: MlxClient) -> None:
    with pytest.raises(ModelTrouble) as caught:
        client.complete(question("word " * 300), 0.05)
    assert caught.value.kind == "timeout"
    assert client.complete(question("Go.", max_tokens=1), LONG_S).usage


@pytest.mark.parametrize(
    "text",
    ["Hello world", "", "  two\n\n\nand 1,234.5", "Ünïcödé 中文 🌍 don't", "a\tb\r\nc   ", "<|im_end|>x"],
)
def test_tokens_are_those_that_llama_cpp_counts_in_the_same_file(client: MlxClient, text: str) -> None:
    other = llamacpp.open_client(Endpoint("other", parse_uri("llamacpp::smollm2"), context_tokens=512), None)
    assert client.count_tokens(text) == other.count_tokens(text)


def pieces(*texts: str) -> Iterator[Any]:
    for number, text in enumerate(texts, start=1):
        yield SimpleNamespace(text=text, prompt_tokens=5, generation_tokens=number, finish_reason="stop")


def test_words_that_end_an_answer_are_found_across_tokens_and_left_out() -> None:
    reply = _read(pieces("one ", "EN", "D two"), ("END",), Deadline(LONG_S))
    assert (reply.text, reply.finish) == ("one ", "stop")
    assert reply.usage is not None and reply.usage.tokens_out == 3


def test_nothing_more_is_drawn_after_the_deadline() -> None:
    deadline = Deadline(LONG_S)
    deadline.leave()
    with pytest.raises(ModelTrouble):
        _read(pieces("one"), (), deadline)


def test_a_model_that_is_not_there_names_the_command_that_puts_it_there() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        open_client(endpoint("mlx::nobody"), None)
    assert "rejoinder models add" in str(caught.value.fix)


def test_a_file_that_mlx_cannot_have_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    told = write_gguf(tmp_path / "other.gguf", {**METADATA, "general.architecture": "qwen3"})
    with pytest.raises(ConfigInvalid, match="qwen3") as caught:
        open_client(endpoint(f"mlx::{told}"), None)
    assert "llamacpp::" in str(caught.value.fix)


@pytest.mark.parametrize(
    ("architecture", "cut", "tensors", "said"),
    [
        ("qwen2", "smollm", {}, "qwen2"),
        ("llama", "llama-bpe", {}, "tokenizer"),
        ("llama", "smollm", {"rope_freqs.weight": 0}, "positions"),
        ("llama", "smollm", {}, None),
    ],
)
def test_files_that_were_not_seen_to_work_are_refused(
    architecture: str, cut: str, tensors: dict[str, int], said: str | None
) -> None:
    told = refusal(GgufHeader(3, {"general.architecture": architecture, "tokenizer.ggml.pre": cut}, tensors))
    assert (told is None) if said is None else (said in str(told))
