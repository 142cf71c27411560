"""Tries whether a model can be loaded, in a process of its own: a library that crashes takes only that one along.

What belongs here: what `rejoinder models add` asks before it copies anything.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from resources.llm.local_models.examining import Examined

LOADING_S = 300.0
CONTEXT_TOKENS = 256
LOAD_GGUF = """
import sys
from pathlib import Path
from rejoinder.errors import RejoinderError
from resources.llm.providers.llamacpp_server import LoadedModel, Shape
try:
    LoadedModel(Shape(Path(sys.argv[1]), int(sys.argv[2]), 1)).count_tokens("a", float(sys.argv[3]))
except RejoinderError as error:
    sys.exit(str(error).removesuffix("."))
"""


def trouble_loading(examined: Examined) -> str | None:
    """Why a model cannot be used here, None where nothing speaks against it or its library is not installed.

    A GGUF file is loaded as for a call; of a folder it is looked up whether mlx-lm has its architecture.
    """
    if examined.kind == "gguf":
        return _gguf_trouble(examined.root / examined.files[0]) if find_spec("xllamacpp") else None
    return _folder_trouble(examined.architecture)


def _gguf_trouble(path: Path) -> str | None:
    # -P: without it Python looks for modules where the command was called, beside the weights perhaps.
    command = [sys.executable, "-P", "-c", LOAD_GGUF, str(path), str(CONTEXT_TOKENS), str(LOADING_S)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=LOADING_S, check=False
        )
    except subprocess.TimeoutExpired:
        return None  # large, or the machine is busy: nothing was proven either way
    if done.returncode == 0:
        return None
    if done.returncode < 0:
        return f"llama.cpp crashed on it (signal {-done.returncode})"
    return (done.stderr.strip().splitlines() or ["llama.cpp cannot load it, and gives no reason"])[-1]


def _folder_trouble(architecture: str) -> str | None:
    """Why mlx-lm cannot have an architecture; the library is imported only where the name alone does not say."""
    found = find_spec("mlx_lm")
    if found is None or not found.submodule_search_locations:
        return None
    models = Path(found.submodule_search_locations[0]) / "models"
    if (models / f"{architecture}.py").is_file():
        return None
    from mlx_lm.utils import MODEL_REMAPPING

    if (models / f"{MODEL_REMAPPING.get(architecture, architecture)}.py").is_file():
        return None
    return f"mlx-lm has no architecture {architecture}"
