"""From NAME_OR_PATH, as a model's URI has it, to the files that a provider loads."""

import os
from pathlib import Path

from rejoinder.errors import ConfigInvalid, InputUnreadable
from rejoinder.llm.endpoints import Endpoint
from resources.llm.local_models.gguf_header import GgufHeader, read_header
from resources.llm.local_models.packaged import NAME, packaged_file
from resources.llm.local_models.store import SUFFIX, check_unchanged, find_model, models_dir


def find_files(endpoint: Endpoint, home: Path) -> Path:
    """The GGUF file or the folder that an endpoint's model is loaded from, unchanged since it was put in.

    A path stands for itself; a name is looked for in the store of the installation, then among what packages bring.

    Raises:
        ConfigInvalid: there is no such model, or its files are not what was put in.
    """
    wanted, store = endpoint.uri.model, models_dir(home)
    if "/" in wanted or wanted.endswith(SUFFIX):
        return _at(Path(os.path.expanduser(wanted)), endpoint)
    if wanted == NAME and not (store / NAME).exists():
        return packaged_file()
    model = find_model(store, wanted)
    check_unchanged(model)
    return model.main_path


def header_of(path: Path, endpoint: Endpoint) -> GgufHeader:
    """The header of an endpoint's GGUF file.

    Raises:
        ConfigInvalid: it is no GGUF file, or damaged.
    """
    try:
        return read_header(path)
    except (InputUnreadable, OSError) as error:
        raise ConfigInvalid(f"endpoints.{endpoint.name}: {error}") from None


def _at(path: Path, endpoint: Endpoint) -> Path:
    if not path.exists():
        raise ConfigInvalid(
            f"endpoints.{endpoint.name}: there is no model at {path}.",
            fix="Correct the path, or put the model into the store: `rejoinder models add PATH --name NAME`.",
        )
    return path.resolve()
