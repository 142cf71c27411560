"""Which files a local model stands for is part of the key of its answers."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gguf_writing import METADATA, write_gguf

from rejoinder.llm.endpoints import Endpoint, parse_uri
from rejoinder.llm.requests import LlmRequest, Message, RawReply
from resources.llm.gateway.calls import Call
from resources.llm.gateway.chains import Chains, Link
from resources.llm.local_models import adding, store
from resources.llm.local_models.adding import Wish
from resources.llm.local_models.examining import examine
from resources.llm.local_models.identity import identity_of
from resources.settings import load_settings
from resources.tuning_models import Models, TaskModels

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


class Nobody:
    """Is not asked."""

    def ask(self, call: Call, request: LlmRequest) -> RawReply:
        raise AssertionError("asked")


def endpoint(uri: str) -> Endpoint:
    return Endpoint("small", parse_uri(uri))


def put(home: Path, source: Path) -> store.LocalModel:
    wish = Wish("mine", False, 1e12)
    return adding.add(examine(source), wish, store.models_dir(home), now=NOON, progress=lambda _n: None)


def key(uri: str) -> bytes | None:
    """As a process that starts now makes it."""
    models = Models(tasks={"reply": TaskModels(endpoints=("small",))})
    chains = Chains(models, {"small": Link(endpoint(uri), Nobody())}, lambda _names: {})
    call = Call(LlmRequest("reply", (Message("user", "So?"),)), "champion", 1.0)
    return chains.of(call).keys(call.request).get("small")


def test_replaced_files_give_another_key_and_the_same_ones_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REJOINDER_HOME", str(tmp_path))
    load_settings.cache_clear()
    first, other = write_gguf(tmp_path / "a.gguf"), write_gguf(tmp_path / "b.gguf", {**METADATA, "x": 1})
    keys = []
    for source in (first, other, first):
        model = put(tmp_path, source)
        keys.append(key("llamacpp::mine"))
        assert key("mlx::mine") not in keys
        store.remove(model.folder)
    assert key("llamacpp::mine") is None
    load_settings.cache_clear()
    assert keys[0] == keys[2] != keys[1]


def test_a_file_at_a_path_counts_by_its_size_and_time(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "a.gguf")
    seen = [identity_of(endpoint(f"llamacpp::{path}"), tmp_path)]
    os.utime(path, (1, 1))
    (tmp_path / "config.json").write_text("{}")
    seen += [identity_of(endpoint(uri), tmp_path) for uri in (f"llamacpp::{path}", f"mlx::{tmp_path}")]
    assert len(set(seen)) == 3 and None not in seen


def test_what_is_not_there_or_damaged_has_none(tmp_path: Path) -> None:
    model = put(tmp_path, write_gguf(tmp_path / "a.gguf"))
    assert identity_of(endpoint("llamacpp::mine"), tmp_path) is not None
    (model.folder / store.MANIFEST).write_text("{")
    for name in ("mine", "nobody"):
        assert identity_of(endpoint(f"llamacpp::{name}"), tmp_path) is None
    assert identity_of(endpoint("llamacpp::smollm2"), tmp_path) is not None
