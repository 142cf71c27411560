"""The store of local models: a folder per model under <home>/models, with a manifest of its files and their hashes.

What belongs here: finding, listing, checking and removing what is there. Putting a model in is adding.py.
"""

import fcntl
import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rejoinder.errors import ConfigInvalid

MANIFEST = "model.json"
# What is being put in has a name that no model can have, so that what a kill leaves behind is never taken for one.
UNFINISHED = ".adding-"
LOCK = ".lock"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
# By it a path is told from a name.
SUFFIX = ".gguf"
MIB = 1024**2
PIECE = 4 * MIB

Kind = Literal["gguf", "huggingface"]
Progress = Callable[[int], None]


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelFile(_Written):
    """A file of a model: its path inside the model's folder, and what it was when it was put in."""

    path: str
    n_bytes: int
    mtime_ns: int
    sha256: str


class Manifest(_Written):
    """What is kept about a model beside its files.

    source is where it was taken from; with is_linked its files still are there, and only links are in the store.
    """

    name: str
    kind: Kind
    architecture: str
    context_tokens: int | None
    added_at: datetime
    source: str
    is_linked: bool
    files: Annotated[tuple[ModelFile, ...], Field(min_length=1)]

    @property
    def n_bytes(self) -> int:
        """Bytes of all its files."""
        return sum(file.n_bytes for file in self.files)


class LocalModel(BaseModel):
    """A model in the store."""

    model_config = ConfigDict(frozen=True)

    folder: Path
    manifest: Manifest

    @property
    def main_path(self) -> Path:
        """What a provider loads: the GGUF file, or the folder."""
        return self.folder / self.manifest.files[0].path if self.manifest.kind == "gguf" else self.folder


class Damaged(NamedTuple):
    """A model that cannot be used: why, and what helps."""

    name: str
    trouble: str
    fix: str


class Listed(NamedTuple):
    """What is in a store, each by name."""

    models: list[LocalModel]
    damaged: list[Damaged]


def models_dir(home: Path) -> Path:
    """Where an installation keeps its local models."""
    return home / "models"


def list_models(store: Path) -> Listed:
    """All models; one whose manifest is missing or damaged stands beside the others."""
    listed = Listed([], [])
    for folder in sorted(_folders(store)):
        try:
            listed.models.append(find_model(store, folder.name))
        except ConfigInvalid as error:
            listed.damaged.append(Damaged(folder.name, str(error), error.fix or ""))
    return listed


def find_model(store: Path, name: str) -> LocalModel:
    """The model of a name.

    Raises:
        ConfigInvalid: there is none, or its manifest is missing or damaged.
    """
    folder = folder_of(store, name)
    try:
        return LocalModel(
            folder=folder, manifest=Manifest.model_validate_json((folder / MANIFEST).read_bytes())
        )
    except (OSError, ValidationError):
        raise ConfigInvalid(
            f"The model {name} has no readable {MANIFEST} in {folder}.", fix=_again(name)
        ) from None


def folder_of(store: Path, name: str) -> Path:
    """The folder of the model of a name, whatever is in it.

    Raises:
        ConfigInvalid: there is none.
    """
    if not NAME.fullmatch(name) or not (store / name).is_dir():
        raise ConfigInvalid(
            f"There is no model named {name} on this machine.",
            fix="See `rejoinder models list`; put one in with `rejoinder models add PATH --name NAME`.",
        )
    return store / name


def check_unchanged(model: LocalModel) -> None:
    """Compare sizes and times with the manifest, as a model is loaded; where only a time differs, the hash.

    Raises:
        ConfigInvalid: a file is missing or is not what was put in.
    """
    for file in model.manifest.files:
        trouble = _quick_trouble(model.folder / file.path, file)
        if trouble:
            raise changed(model.manifest.name, f"{file.path} {trouble}")


def changed(name: str, trouble: str) -> ConfigInvalid:
    """The error of a model whose files are not what was put in."""
    return ConfigInvalid(f"The model {name} is damaged: {trouble}.", fix=_again(name))


def _again(name: str) -> str:
    return (
        f"Put it in again: `rejoinder models remove {name}`, then `rejoinder models add PATH --name {name}`."
    )


def verify(model: LocalModel, progress: Progress) -> list[str]:
    """Read every file of a model and compare its hash; the troubles found, none where all is well.

    Args:
        model: which one.
        progress: told the number of bytes just read.
    """
    found = []
    for file in model.manifest.files:
        path = model.folder / file.path
        try:
            if not path.is_file():
                found.append(f"{file.path} is missing")
            elif sha256_of(path, progress) != file.sha256:
                found.append(f"{file.path} has another SHA-256 than when it was put in")
        except OSError as error:
            found.append(f"{file.path} cannot be read: {error.strerror}")
    return found


def remove(folder: Path) -> None:
    """Take a model's folder out of the store, a damaged one too; files that are only linked stay where they are.

    The folder first gets the name of something unfinished, so that a kill leaves no half of a model behind.

    Raises:
        ConfigInvalid: it is gone by now, or another process changes the store.
    """
    with only_one(folder.parent):
        leaving = folder.with_name(UNFINISHED + folder.name)
        shutil.rmtree(leaving, ignore_errors=True)
        folder_of(folder.parent, folder.name).rename(leaving)
        shutil.rmtree(leaving)


@contextmanager
def only_one(store: Path) -> Iterator[None]:
    """Change the store inside alone.

    Raises:
        ConfigInvalid: another process changes it.
    """
    with (store / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigInvalid(
                "Another process is putting a model in, or taking one out.",
                fix="Wait for it, then run the command again.",
            ) from None
        yield


def sha256_of(path: Path, progress: Progress) -> str:
    """SHA-256 of a file, read in pieces; progress is told the bytes of each."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            progress(len(piece))
    return digest.hexdigest()


def _folders(store: Path) -> Iterator[Path]:
    if store.is_dir():
        yield from (found for found in store.iterdir() if found.is_dir() and NAME.fullmatch(found.name))


def _quick_trouble(path: Path, file: ModelFile) -> str | None:
    if not path.is_file():
        return "is missing"
    now = path.stat()
    if now.st_size != file.n_bytes:
        return f"has {now.st_size:,} bytes instead of {file.n_bytes:,}"
    if now.st_mtime_ns != file.mtime_ns and sha256_of(path, lambda _n: None) != file.sha256:
        return "was changed: it has another SHA-256 than when it was put in"
    return None
