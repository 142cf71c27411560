"""Which files a local model's name stands for now: what tells them from others under the same name.

What belongs here: the part of an answer's key that is for local models alone. No weights are read for it.
"""

import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.endpoints import Endpoint
from resources.llm.local_models.packaged import NAME, WEIGHTS
from resources.llm.local_models.store import SUFFIX, find_model, models_dir


def identity_of(endpoint: Endpoint, home: Path) -> str | None:
    """One text for the files behind an endpoint of this machine, another one for others; None where there are none.

    In the store these are the hashes that were written down when the model was put in; at a path the files' sizes and
    times, as hashing gigabytes takes too long.
    """
    wanted, store = endpoint.uri.model, models_dir(home)
    try:
        if "/" in wanted or wanted.endswith(SUFFIX):
            return _of_path(Path(os.path.expanduser(wanted)))
        if wanted == NAME and not (store / NAME).exists():
            return WEIGHTS.sha256
        files = find_model(store, wanted).manifest.files
    except (ConfigInvalid, OSError):
        return None
    return _digest(f"{file.path} {file.sha256}" for file in files)


def _of_path(path: Path) -> str:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    told = ((file.name, file.stat()) for file in files if file.is_file() or file == path)
    return _digest(f"{name} {seen.st_size} {seen.st_mtime_ns}" for name, seen in told)


def _digest(lines: Iterable[str]) -> str:
    return sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
