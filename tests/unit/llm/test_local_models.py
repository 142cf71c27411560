"""The store of local models: put in whole or not at all, found unchanged, told when damaged."""

import json
import os
import signal
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from gguf_writing import METADATA, write_gguf

from rejoinder.errors import ConfigInvalid, InputUnreadable
from rejoinder.llm.endpoints import Endpoint, parse_uri
from resources.llm.local_models import adding, store
from resources.llm.local_models.adding import GIB, Wish
from resources.llm.local_models.examining import examine
from resources.llm.local_models.finding import find_files

ROOT = Path(__file__).resolve().parents[3]
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def put(
    path: Path, home: Path, name: str = "mine", *, link: bool = False, gib: float = 1.0
) -> store.LocalModel:
    wish = Wish(name, link, gib * GIB)
    return adding.add(examine(path), wish, store.models_dir(home), now=NOON, progress=lambda _n: None)


def endpoint(model: str) -> Endpoint:
    return Endpoint("small", parse_uri(f"llamacpp::{model}"))


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    return write_gguf(tmp_path / "given.gguf")


def write_folder(folder: Path, **config: Any) -> Path:
    """A folder of Hugging Face's form with one tensor."""
    from tokenizers import Tokenizer, models

    folder.mkdir()
    (folder / "config.json").write_text(
        json.dumps({"model_type": "llama", "max_position_embeddings": 512} | config)
    )
    (folder / "tokenizer_config.json").write_text("{}")
    Tokenizer(models.BPE()).save(str(folder / "tokenizer.json"))
    write_weights(folder / "model.safetensors")
    (folder / "program.py").write_text("raise SystemExit")
    return folder


def write_weights(path: Path, *, lost_bytes: int = 0) -> None:
    head = json.dumps({"w": {"dtype": "F32", "shape": [8], "data_offsets": [0, 32]}}).encode()
    path.write_bytes((struct.pack("<Q", len(head)) + head + b"\1" * 32)[: -lost_bytes or None])


def test_a_file_is_copied_hashed_and_found_by_its_name(gguf: Path, tmp_path: Path) -> None:
    model = put(gguf, tmp_path)
    kept = model.manifest
    assert (kept.kind, kept.architecture, kept.context_tokens, kept.added_at) == ("gguf", "llama", 2048, NOON)
    assert kept.source == str(gguf)
    assert model.main_path.read_bytes() == gguf.read_bytes()
    assert find_files(endpoint("mine"), tmp_path) == model.main_path
    assert store.verify(model, lambda _n: None) == []
    gguf.unlink()
    assert find_files(endpoint("mine"), tmp_path).is_file()


def test_a_folder_is_copied_without_its_programs(tmp_path: Path) -> None:
    model = put(write_folder(tmp_path / "given"), tmp_path)
    names = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert {file.path for file in model.manifest.files} == names
    assert {path.name for path in model.folder.iterdir()} == names | {store.MANIFEST}
    assert (model.main_path, model.manifest.context_tokens) == (model.folder, 512)


def test_a_link_takes_no_room_and_leaves_its_file_where_it_is(gguf: Path, tmp_path: Path) -> None:
    model = put(gguf, tmp_path, link=True, gib=0)
    assert model.main_path.is_symlink()
    assert adding.disk_bytes(store.list_models(store.models_dir(tmp_path)), store.models_dir(tmp_path)) == 0
    store.remove(model.folder)
    assert gguf.is_file()
    assert store.list_models(store.models_dir(tmp_path)) == ([], [])


def test_the_budget_counts_all_models(gguf: Path, tmp_path: Path) -> None:
    size = gguf.stat().st_size
    put(gguf, tmp_path, "one", gib=1.5 * size / GIB)
    with pytest.raises(ConfigInvalid, match=r"models\.disk_gib"):
        put(gguf, tmp_path, "two", gib=1.5 * size / GIB)
    assert [model.manifest.name for model in store.list_models(store.models_dir(tmp_path)).models] == ["one"]


@pytest.mark.parametrize("name", ["", "..", ".adding-x", "Big", "a/b", "x" * 81, "x.gguf"])
def test_what_is_no_name_is_refused(gguf: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigInvalid, match="no name"):
        put(gguf, tmp_path, name)


def test_a_name_that_is_taken_is_refused(gguf: Path, tmp_path: Path) -> None:
    put(gguf, tmp_path)
    with pytest.raises(ConfigInvalid, match="already"):
        put(gguf, tmp_path)


def test_a_changed_file_is_told_when_it_would_be_loaded(gguf: Path, tmp_path: Path) -> None:
    model = put(gguf, tmp_path)
    content = bytearray(model.main_path.read_bytes())
    content[-1] ^= 1
    model.main_path.write_bytes(bytes(content))
    with pytest.raises(ConfigInvalid, match="another SHA-256"):
        find_files(endpoint("mine"), tmp_path)
    assert "another SHA-256" in store.verify(model, lambda _n: None)[0]
    model.main_path.write_bytes(bytes(content[:-1]))
    with pytest.raises(ConfigInvalid, match="bytes instead of"):
        find_files(endpoint("mine"), tmp_path)
    model.main_path.unlink()
    with pytest.raises(ConfigInvalid, match="is missing"):
        find_files(endpoint("mine"), tmp_path)


def test_a_file_that_was_only_touched_is_used(gguf: Path, tmp_path: Path) -> None:
    model = put(gguf, tmp_path)
    os.utime(model.main_path, (1, 1))
    assert find_files(endpoint("mine"), tmp_path) == model.main_path


def test_what_cannot_be_read_is_told(gguf: Path, tmp_path: Path) -> None:
    (tmp_path / "first").symlink_to(tmp_path / "second")
    (tmp_path / "second").symlink_to(tmp_path / "first")
    for path in (tmp_path / "first", tmp_path / "none", tmp_path / ("a" * 300)):
        with pytest.raises(InputUnreadable, match=r"There is no file|cannot be read"):
            examine(path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file whose first byte nobody can read")
def test_a_file_that_cannot_be_read_is_told_like_one_that_was_changed(gguf: Path, tmp_path: Path) -> None:
    model = put(gguf, tmp_path)
    model.main_path.unlink()
    model.main_path.symlink_to("/proc/self/mem")
    assert "cannot be read" in store.verify(model, lambda _n: None)[0]


def test_a_damaged_manifest_is_told(gguf: Path, tmp_path: Path) -> None:
    model = put(gguf, tmp_path)
    (model.folder / store.MANIFEST).write_text("{")
    with pytest.raises(ConfigInvalid, match="no readable"):
        find_files(endpoint("mine"), tmp_path)


def test_a_damaged_model_stands_beside_the_others_and_counts_in_the_budget(
    gguf: Path, tmp_path: Path
) -> None:
    put(gguf, tmp_path, "good")
    (put(gguf, tmp_path, "bad").folder / store.MANIFEST).write_text("{")
    (put(gguf, tmp_path, "empty").folder / store.MANIFEST).unlink()
    folder = store.models_dir(tmp_path)
    found, damaged = store.list_models(folder)
    assert [model.manifest.name for model in found] == ["good"]
    assert [(one.name, "models remove" in one.fix) for one in damaged] == [("bad", True), ("empty", True)]
    assert adding.disk_bytes(store.list_models(folder), folder) >= 3 * gguf.stat().st_size


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({}, "architecture"),
        ({"general.architecture": "llama"}, "no tokenizer"),
        ({**METADATA, "general.type": "adapter"}, "adapter"),
        ({**METADATA, "split.count": 3}, "join them"),
    ],
)
def test_files_that_are_no_whole_model_are_refused(
    tmp_path: Path, metadata: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputUnreadable, match=said):
        examine(write_gguf(tmp_path / "m.gguf", metadata))


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("config.json", "no config.json"),
        ("tokenizer.json", "no tokenizer"),
        ("tokenizer_config.json", "no tokenizer_config.json"),
        ("model.safetensors", "no weights"),
    ],
)
def test_folders_that_lack_something_are_refused(tmp_path: Path, lost: str, said: str) -> None:
    folder = write_folder(tmp_path / "given")
    (folder / lost).unlink()
    with pytest.raises(InputUnreadable, match=said):
        examine(folder)


def test_damaged_parts_of_a_folder_are_told(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "given")
    write_weights(folder / "model.safetensors", lost_bytes=3)
    with pytest.raises(InputUnreadable, match="cut off or damaged"):
        examine(folder)
    (folder / "model.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(InputUnreadable, match="no safetensors file"):
        examine(folder)
    write_weights(folder / "model.safetensors")
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"w": "model-2.safetensors"}}')
    with pytest.raises(InputUnreadable, match="lacks model-2"):
        examine(folder)
    (folder / "tokenizer.json").write_text('{"model": 1}')
    with pytest.raises(InputUnreadable, match=r"tokenizer\.json cannot be read"):
        examine(folder)


def test_a_model_that_wants_to_run_its_own_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match="never run"):
        examine(write_folder(tmp_path / "given", model_file="program.py"))


SLOW = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from resources.llm.local_models import adding, store
from resources.llm.local_models.examining import examine
def copied(n):
    print("copying", flush=True)
    time.sleep(120)
adding.add(examine(Path(sys.argv[1])), adding.Wish("mine", False, 1e12), store.models_dir(Path(sys.argv[2])),
           now=datetime.now(UTC), progress=copied)
"""


def test_a_kill_leaves_nothing_that_looks_like_a_model(gguf: Path, tmp_path: Path) -> None:
    one = put(gguf, tmp_path, "one")
    command = [sys.executable, "-c", SLOW, str(gguf), str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as adds:
        assert adds.stdout is not None and adds.stdout.readline() == "copying\n"
        with pytest.raises(ConfigInvalid, match="Another process"):
            put(gguf, tmp_path, "second")
        with pytest.raises(ConfigInvalid, match="Another process"):
            store.remove(one.folder)
        assert one.main_path.is_file()
        adds.send_signal(signal.SIGKILL)
    folder = store.models_dir(tmp_path)
    store.remove(one.folder)
    with pytest.raises(ConfigInvalid, match="no model named one"):
        store.remove(one.folder)
    assert [path.name.startswith(store.UNFINISHED) for path in folder.iterdir() if path.is_dir()] == [True]
    assert store.list_models(folder) == ([], [])
    with pytest.raises(ConfigInvalid):
        find_files(endpoint("mine"), tmp_path)
    put(gguf, tmp_path)
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["mine"]
