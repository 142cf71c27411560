"""Headers of GGUF files: what they say, and that damage is told and never costs memory or a crash."""

import struct
from pathlib import Path

import pytest
from gguf_writing import METADATA, gguf_bytes, write_gguf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rejoinder.errors import InputUnreadable
from resources.llm.local_models.gguf_header import read_header
from resources.llm.local_models.packaged import packaged_file


def test_the_header_of_a_real_model_is_read() -> None:
    header = read_header(packaged_file())
    assert (header.version, header.architecture, header.context_tokens) == (3, "llama", 8192)
    assert len(header.metadata["tokenizer.ggml.tokens"]) == 49152
    assert len(header.tensor_types) == 272


@pytest.mark.parametrize("version", [2, 3])
def test_every_kind_of_value_is_read(tmp_path: Path, version: int) -> None:
    header = read_header(write_gguf(tmp_path / "m.gguf", version=version))
    assert header.metadata == METADATA
    assert header.tensor_types == {"token_embd.weight": 0}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cut off"),
        (b"GGML" + b"\0" * 60, "no GGUF file"),
        (gguf_bytes(version=9), "version 9"),
        (gguf_bytes()[:-1], "weights end at byte"),
        (gguf_bytes()[:100], "cut off or damaged"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60), "announces"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "no weights"),
        (gguf_bytes({**METADATA, "general.alignment": 0}), "alignment"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(InputUnreadable, match=said):
        read_header(path)


@given(at=st.integers(0, 400), byte=st.integers(0, 255), cut=st.integers(0, 700))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_damage_anywhere_is_read_or_told(tmp_path: Path, at: int, byte: int, cut: int) -> None:
    content = bytearray(gguf_bytes())
    content[at % len(content)] = byte
    path = tmp_path / "m.gguf"
    path.write_bytes(bytes(content[: len(content) - cut] if cut < 300 else content))
    try:
        read_header(path)
    except InputUnreadable as error:
        assert str(path) in str(error)
