"""The provider mlx with a folder of Hugging Face's form: a tiny network, made here, is loaded and generates."""

import json
from pathlib import Path
from typing import Any

import pytest

from rejoinder.errors import ModelRefusal
from rejoinder.llm.endpoints import Endpoint, parse_uri
from rejoinder.llm.requests import LlmRequest, Message, ReplySchema, Sampling
from resources.llm.local_models.examining import examine
from resources.llm.local_models.gguf_header import read_header
from resources.llm.local_models.packaged import packaged_file
from resources.llm.providers.mlx_gguf import _tokenizer
from resources.llm.providers.mlx_models import open_client
from resources.llm.providers.trial import trouble_loading

SHAPE: dict[str, Any] = {
    "model_type": "llama", "hidden_size": 32, "num_hidden_layers": 1, "intermediate_size": 32,
    "num_attention_heads": 2, "num_key_value_heads": 1, "rms_norm_eps": 1e-5, "vocab_size": 49152,
    "max_position_embeddings": 256, "tie_word_embeddings": True,
}  # fmt: skip
ASKED = (Message("user", "Say hello."),)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights with the tokenizer of the packaged one."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm.models.llama import Model, ModelArgs

    made = tmp_path_factory.mktemp("tiny")
    (made / "config.json").write_text(json.dumps(SHAPE))
    mx.random.seed(3)
    weights = tree_flatten(Model(ModelArgs(**SHAPE)).parameters(), destination={})
    mx.save_safetensors(str(made / "model.safetensors"), dict(weights))
    _tokenizer(read_header(packaged_file()))._tokenizer.save_pretrained(str(made))
    return made


def test_a_folder_generates_and_keeps_to_a_schema(folder: Path) -> None:
    examined = examine(folder)
    assert (examined.architecture, examined.context_tokens) == ("llama", 256)
    assert trouble_loading(examined) is None
    client = open_client(Endpoint("tiny", parse_uri(f"mlx::{folder}")), None)
    drawn = Sampling(max_tokens=40, temperature=1.0, seed=1)
    schema = ReplySchema("answer", json.dumps({"enum": ["glad", "sad"]}))
    assert client.complete(LlmRequest("reply", ASKED, None, Sampling(max_tokens=3)), 60.0).text
    assert json.loads(client.complete(LlmRequest("reply", ASKED, schema, drawn), 60.0).text) in (
        "glad",
        "sad",
    )
    # The context is the model's own, though the endpoint says nothing.
    with pytest.raises(ModelRefusal, match="too long"):
        client.complete(LlmRequest("reply", (Message("user", "word " * 300),)), 60.0)


def test_a_seed_draws_the_same_words_again(folder: Path) -> None:
    client = open_client(Endpoint("tiny", parse_uri(f"mlx::{folder}")), None)
    asked = [LlmRequest("reply", ASKED, None, Sampling(6, temperature=1.0, seed=seed)) for seed in (7, 7, 8)]
    first, again, other = (client.complete(request, 60.0).text for request in asked)
    assert first == again != other


def with_config(folder: Path, odd: Path, config: dict[str, Any]) -> Path:
    odd.mkdir()
    for path in folder.iterdir():
        (odd / path.name).symlink_to(path)
    (odd / "config.json").unlink()
    (odd / "config.json").write_text(json.dumps(config))
    return odd


@pytest.mark.parametrize(
    "lacking", [{"hidden_size": None}, {"num_attention_heads": "two"}, {"hidden_size": 48}]
)
def test_a_folder_whose_settings_are_wrong_is_refused_as_such(
    folder: Path, tmp_path: Path, lacking: dict[str, Any]
) -> None:
    config = {name: value for name, value in (SHAPE | lacking).items() if value is not None}
    client = open_client(
        Endpoint("odd", parse_uri(f"mlx::{with_config(folder, tmp_path / 'odd', config)}")), None
    )
    with pytest.raises(ModelRefusal, match="cannot load odd") as caught:
        client.complete(LlmRequest("reply", ASKED), 60.0)
    assert caught.value.kind == "unknown_model"


def test_an_architecture_that_mlx_lm_has_not_is_told_before_anything_is_copied(
    folder: Path, tmp_path: Path
) -> None:
    odd = with_config(folder, tmp_path / "odd", SHAPE | {"model_type": "nosuchnet"})
    assert trouble_loading(examine(odd)) == "mlx-lm has no architecture nosuchnet"
    client = open_client(Endpoint("odd", parse_uri(f"mlx::{odd}")), None)
    with pytest.raises(ModelRefusal, match="cannot load"):
        client.complete(LlmRequest("reply", ASKED), 60.0)
