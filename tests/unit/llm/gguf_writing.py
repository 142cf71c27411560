"""Small GGUF files for tests, written from the format's description and not by the code that reads them."""

import struct
from pathlib import Path
from typing import Any


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def value(given: Any) -> bytes:
    if isinstance(given, str):
        return struct.pack("<I", 8) + text(given)
    if isinstance(given, list):
        inner = value(given[0])[:4] if given else struct.pack("<I", 8)
        return (
            struct.pack("<I", 9)
            + inner
            + struct.pack("<Q", len(given))
            + b"".join(value(v)[4:] for v in given)
        )
    return struct.pack("<If", 6, given) if isinstance(given, float) else struct.pack("<II", 4, given)


METADATA = {
    "general.architecture": "llama",
    "llama.context_length": 2048,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.tokens": ["a", "b"],
    "tokenizer.ggml.scores": [0.5, 1.0],
}


def gguf_bytes(metadata: dict[str, Any] | None = None, *, n_values: int = 64, version: int = 3) -> bytes:
    told = METADATA if metadata is None else metadata
    head = b"GGUF" + struct.pack("<IQQ", version, 1, len(told))
    head += b"".join(text(name) + value(given) for name, given in told.items())
    head += text("token_embd.weight") + struct.pack("<IQIQ", 1, n_values, 0, 0)
    return head + b"\0" * (-len(head) % 32) + b"\1" * (4 * n_values)


def write_gguf(path: Path, metadata: dict[str, Any] | None = None, **values: Any) -> Path:
    path.write_bytes(gguf_bytes(metadata, **values))
    return path
