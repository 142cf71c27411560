"""The header of a GGUF file: what its metadata say, and whether the weights that it announces are there.

What belongs here: reading the header alone. Every length is checked against the file before anything is read, so that a
damaged or hostile file costs a message and no memory. The format: docs/gguf.md of the project ggml, versions 2 and 3.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rejoinder.errors import InputUnreadable

MAGIC = b"GGUF"
VERSIONS = (2, 3)
STRING, ARRAY = 8, 9
# Number of a value's type -> its form for the module struct.
SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
# Number of a weight's type -> (values in a block, bytes of a block), as ggml.h and ggml-quants have them.
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 30: (1, 2),
}  # fmt: skip
MOST_DIMENSIONS = 4
# No list of lists is written by any converter; a few levels are read, endless ones are refused.
DEEPEST = 3


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What stands before the weights: metadata by name, and the type of every tensor by the tensor's name."""

    version: int
    metadata: dict[str, Any]
    tensor_types: dict[str, int]

    @property
    def architecture(self) -> str:
        """Kind of the network, such as "llama"; empty where it is not said."""
        return str(self.metadata.get("general.architecture", ""))

    @property
    def context_tokens(self) -> int | None:
        """Tokens of question and answer that the model was trained for, None where it is not said."""
        found = self.metadata.get(f"{self.architecture}.context_length")
        return found if isinstance(found, int) and found > 0 else None


def read_header(path: Path) -> GgufHeader:
    """Read a file's header and check that the file is as long as its tensors need.

    Raises:
        InputUnreadable: it is no GGUF file, of a version that is not known, damaged or cut off.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        reader = _Reader(file, path.stat().st_size)
        if reader.take(4) != MAGIC:
            raise InputUnreadable(f"{path} is no GGUF file: it does not begin with {MAGIC.decode()}.")
        version = reader.number("<I")
        if version not in VERSIONS:
            raise InputUnreadable(f"{path} is GGUF of version {version}; versions 2 and 3 are read.")
        n_tensors, n_values = reader.number("<Q"), reader.number("<Q")
        metadata = dict(reader.entry() for _ in reader.times(n_values))
        tensors = [reader.tensor() for _ in reader.times(n_tensors)]
        reader.check_weights(tensors, metadata.get("general.alignment", 32))
    return GgufHeader(version, metadata, {tensor.name: tensor.type for tensor in tensors})


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    type: int
    offset: int
    n_values: int

    @property
    def end(self) -> int:
        """Byte after its last, counted from where the weights begin; its first where the type is not known."""
        per_block, n_bytes = BLOCKS.get(self.type, (1, 0))
        return self.offset + self.n_values // per_block * n_bytes


class _Reader:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size

    def take(self, n_bytes: int) -> bytes:
        if n_bytes > self.size - self.file.tell():
            raise InputUnreadable(f"{self.file.name} is cut off or damaged: its header reaches past its end.")
        return self.file.read(n_bytes)

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def times(self, count: int) -> range:
        """A range of so many things, of which each takes a byte at least."""
        if count > self.size:
            raise InputUnreadable(f"{self.file.name} is damaged: it announces {count} entries.")
        return range(count)

    def string(self) -> str:
        return self.take(self.number("<Q")).decode("utf-8", errors="replace")

    def entry(self) -> tuple[str, Any]:
        return self.string(), self.value(self.number("<I"))

    def value(self, kind: int, depth: int = 0) -> Any:
        if kind == STRING:
            return self.string()
        if kind == ARRAY and depth < DEEPEST:
            inner, count = self.number("<I"), self.number("<Q")
            if inner in SCALARS:
                return self.numbers(SCALARS[inner], count)
            return [self.value(inner, depth + 1) for _ in self.times(count)]
        if kind not in SCALARS:
            raise InputUnreadable(
                f"{self.file.name} is damaged: it holds a value of the unknown type {kind}."
            )
        return self.number(SCALARS[kind])

    def numbers(self, form: str, count: int) -> list[Any]:
        many = f"<{len(self.times(count))}{form[1]}"
        return list(struct.unpack(many, self.take(struct.calcsize(many))))

    def tensor(self) -> _Tensor:
        name, n_dimensions = self.string(), self.number("<I")
        if n_dimensions > MOST_DIMENSIONS:
            raise InputUnreadable(f"{self.file.name} is damaged: a tensor has {n_dimensions} dimensions.")
        n_values = math.prod(self.number("<Q") for _ in range(n_dimensions))
        return _Tensor(name, self.number("<I"), self.number("<Q"), n_values)

    def check_weights(self, tensors: list[_Tensor], alignment: object) -> None:
        if not isinstance(alignment, int) or alignment < 1:
            raise InputUnreadable(f"{self.file.name} is damaged: its alignment is {alignment!r}.")
        if not tensors:
            raise InputUnreadable(f"{self.file.name} holds no weights.")
        start = -(-self.file.tell() // alignment) * alignment
        needed = start + max(tensor.end for tensor in tensors)
        if needed > self.size:
            raise InputUnreadable(
                f"{self.file.name} is cut off: its weights end at byte {needed:,}, the file at {self.size:,}."
            )
