"""What a file or folder is that shall become a local model: checked before a byte of it is copied.

What belongs here: the checks that need no model library; whether it can really be loaded, a provider tries.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rejoinder.errors import InputUnreadable
from resources.llm.local_models.gguf_header import read_header
from resources.llm.local_models.store import MANIFEST, Kind

# What is taken from a folder; programs, which some publishers put beside the weights, are never taken.
PARTS = ("*.safetensors", "*.json", "*.jinja", "tokenizer.model", "merges.txt", "vocab.txt")
TOKENIZERS = ("tokenizer.json", "tokenizer.model")
INDEX = "model.safetensors.index.json"
LARGEST_HEADER = 100 * 1024**2
# Fields of config.json for the tokens of question and answer, the usual one first.
LENGTHS = ("max_position_embeddings", "n_positions", "max_sequence_length", "n_ctx")


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found: files are paths inside root, the one that a provider names first."""

    kind: Kind
    root: Path
    files: tuple[str, ...]
    architecture: str
    context_tokens: int | None

    @property
    def n_bytes(self) -> int:
        """Bytes of all files."""
        return sum((self.root / file).stat().st_size for file in self.files)


def examine(path: Path) -> Examined:
    """Check a GGUF file or a folder of Hugging Face's form.

    Raises:
        InputUnreadable: it is neither, something is missing, or a file is damaged or cut off; the message says what.
    """
    try:
        if path.is_dir():
            return _folder(path)
        if not path.is_file():
            raise InputUnreadable(f"There is no file or folder {path}.")
        return _gguf(path)
    except OSError as error:
        raise InputUnreadable(f"{error.filename or path} cannot be read: {error.strerror}.") from None


def _gguf(path: Path) -> Examined:
    header = read_header(path)
    told = header.metadata
    if not header.architecture:
        raise InputUnreadable(f"{path} does not say what architecture it has (general.architecture).")
    if told.get("general.type", "model") != "model":
        raise InputUnreadable(f"{path} is no model by itself but of the type {told['general.type']}.")
    if told.get("split.count", 1) > 1:
        raise InputUnreadable(
            f"{path} is one of {told['split.count']} parts; join them first with llama-gguf-split --merge."
        )
    if "tokenizer.ggml.model" not in told or "tokenizer.ggml.tokens" not in told:
        raise InputUnreadable(f"{path} has no tokenizer (tokenizer.ggml.model).")
    return Examined("gguf", path.parent, (path.name,), header.architecture, header.context_tokens)


def _folder(path: Path) -> Examined:
    config = _read_object(path / "config.json")
    kind = config.get("model_type")
    if not isinstance(kind, str) or not re.fullmatch(r"[A-Za-z0-9_.-]+", kind):
        raise InputUnreadable(f"{path / 'config.json'} does not say what architecture it has (model_type).")
    if "model_file" in config:
        raise InputUnreadable(
            f"{path} brings a program of its own ({config['model_file']}), which is never run."
        )
    if not any((path / name).is_file() for name in TOKENIZERS):
        raise InputUnreadable(f"{path} has no tokenizer: one of {', '.join(TOKENIZERS)} has to be there.")
    _read_object(path / "tokenizer_config.json")
    _check_tokenizer(path / "tokenizer.json")
    _check_weights(path)
    files = sorted(
        {found.name for part in PARTS for found in path.glob(part) if found.is_file()} - {MANIFEST}
    )
    return Examined("huggingface", path, tuple(files), kind, _length(config))


def _length(config: dict[str, Any]) -> int | None:
    found = (config.get(name) for name in LENGTHS)
    return next((value for value in found if isinstance(value, int) and value > 0), None)


def _read_object(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputUnreadable(f"{path.parent} has no {path.name}.") from None
    except ValueError as error:
        raise InputUnreadable(f"{path} is no JSON: {error}.") from None
    if not isinstance(read, dict):
        raise InputUnreadable(f"{path} is no JSON object.")
    return read


def _check_tokenizer(path: Path) -> None:
    if not path.exists():
        return
    from tokenizers import Tokenizer

    try:
        Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise InputUnreadable(f"{path} cannot be read: {str(error).splitlines()[0]}.") from None


def _check_weights(path: Path) -> None:
    found = {file.name for file in path.glob("model*.safetensors")}
    if not found:
        raise InputUnreadable(f"{path} has no weights: model*.safetensors (other forms are not read).")
    if (path / INDEX).exists():
        named: Iterable[Any] = _read_object(path / INDEX).get("weight_map", {}).values()
        missing = sorted(set(map(str, named)) - found)
        if missing:
            raise InputUnreadable(f"{path} lacks {', '.join(missing)}, which {INDEX} names.")
    for name in sorted(found):
        _check_safetensors(path / name)


def _check_safetensors(path: Path) -> None:
    """Check a file's header and that the file is as long as its tensors need (the format: safetensors' README)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(LARGEST_HEADER, size - 8):
            raise InputUnreadable(f"{path} is no safetensors file, or is cut off.")
        try:
            tensors = json.loads(file.read(length))
            ends = [tensor["data_offsets"][1] for name, tensor in tensors.items() if name != "__metadata__"]
            needed = 8 + length + max(ends)
        except (ValueError, LookupError, TypeError, AttributeError):
            raise InputUnreadable(f"{path} has a damaged header.") from None
    if needed != size:
        raise InputUnreadable(
            f"{path} is cut off or damaged: its weights need {needed:,} bytes, it has {size:,}."
        )
