"""Puts a model into the store: copied or linked under a name that no model can have, hashed, then renamed at once.

What belongs here: the disk budget, copying with progress, and that neither a kill nor a second process leaves half of
a model behind.
"""

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from rejoinder.errors import ConfigInvalid
from resources.llm.local_models.examining import Examined
from resources.llm.local_models.store import (
    MANIFEST,
    NAME,
    PIECE,
    SUFFIX,
    UNFINISHED,
    Listed,
    LocalModel,
    Manifest,
    ModelFile,
    Progress,
    find_model,
    list_models,
    only_one,
    sha256_of,
)

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Wish:
    """How a model shall be put in: under what name, linked or copied, within how many bytes of all models."""

    name: str
    is_linked: bool
    budget_bytes: float


def name_from(path: Path) -> str:
    """The name that a model gets where none is given.

    >>> name_from(Path("/models/Qwen3 0.6B-Q8_0.gguf"))
    'qwen3-0.6b-q8_0'
    """
    stem = path.name.lower().removesuffix(SUFFIX)
    return re.sub(r"[^a-z0-9._-]+", "-", stem).strip("-._")[:80] or "model"


def add(examined: Examined, wish: Wish, store: Path, *, now: datetime, progress: Progress) -> LocalModel:
    """Put a model into the store.

    Args:
        examined: what was found at its source.
        wish: how.
        store: folder of all models.
        now: when, UTC.
        progress: told the number of bytes just copied, or read where it is linked.

    Raises:
        ConfigInvalid: as `check_wish`, or another process changes the store.
    """
    check_wish(examined, wish, store)
    store.mkdir(parents=True, exist_ok=True)
    with only_one(store):
        _remove_unfinished(store)
        # What others put in meanwhile takes room, too.
        check_wish(examined, wish, store)
        growing = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=store))
        try:
            _fill(growing, examined, wish, now, progress)
            growing.rename(store / wish.name)
        except BaseException:
            shutil.rmtree(growing, ignore_errors=True)
            raise
    return find_model(store, wish.name)


def _remove_unfinished(store: Path) -> None:
    """Take away what killed processes left; the lock says that nobody works on it."""
    for left in store.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)


def check_wish(examined: Examined, wish: Wish, store: Path) -> None:
    """Look whether a model may be put in, which takes no time; nothing is changed.

    Raises:
        ConfigInvalid: the name is taken or no name, or the budget or the disk has no room.
    """
    if not NAME.fullmatch(wish.name) or wish.name.endswith(SUFFIX):
        raise ConfigInvalid(
            f"{wish.name!r} is no name of a model.",
            fix="Give one with --name: small letters, digits, dots, dashes and underscores; "
            f"what ends in {SUFFIX} is taken for a path.",
        )
    if (store / wish.name).exists():
        raise ConfigInvalid(
            f"There is a model named {wish.name} already.",
            fix=f"Give another --name, or take that one out: `rejoinder models remove {wish.name}`.",
        )
    if not wish.is_linked:
        _check_room(examined, wish, store)


def _check_room(examined: Examined, wish: Wish, store: Path) -> None:
    new, kept = examined.n_bytes, disk_bytes(list_models(store), store)
    if kept + new > wish.budget_bytes:
        raise ConfigInvalid(
            f"The model takes {gib(new)} GiB; with the {gib(kept)} GiB of other models that is more than the "
            f"{gib(wish.budget_bytes)} GiB of models.disk_gib.",
            fix="Raise models.disk_gib in rejoinder.toml, remove a model, or leave it where it is with --link.",
        )
    if new > free_bytes(store):
        raise ConfigInvalid(
            f"The model takes {gib(new)} GiB, more than the disk of {store} has free.",
            fix="Free some space, or leave the model where it is with --link.",
        )


def disk_bytes(listed: Listed, store: Path) -> int:
    """Bytes that models take in the store, damaged ones too; linked ones take none."""
    whole = sum(model.manifest.n_bytes for model in listed.models if not model.manifest.is_linked)
    lost = (path for one in listed.damaged for path in (store / one.name).rglob("*"))
    return whole + sum(path.lstat().st_size for path in lost if path.is_file() and not path.is_symlink())


def free_bytes(folder: Path) -> int:
    """Bytes that the disk of a folder has free, also of one that is not there yet."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    return shutil.disk_usage(there).free


def gib(n_bytes: float) -> str:
    """Bytes as GiB with two digits.

    >>> gib(98_362_432)
    '0.09'
    """
    return f"{n_bytes / GIB:.2f}"


def _fill(growing: Path, examined: Examined, wish: Wish, now: datetime, progress: Progress) -> None:
    put = _linked if wish.is_linked else _copied
    files = tuple(put(examined.root / name, growing / name, progress) for name in examined.files)
    is_file = examined.kind == "gguf"
    manifest = Manifest(
        name=wish.name,
        kind=examined.kind,
        architecture=examined.architecture,
        context_tokens=examined.context_tokens,
        added_at=now,
        source=str(examined.root / examined.files[0] if is_file else examined.root),
        is_linked=wish.is_linked,
        files=files,
    )
    (growing / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
    growing.chmod(0o755)


def _copied(source: Path, target: Path, progress: Progress) -> ModelFile:
    digest = sha256()
    with source.open("rb") as given, target.open("wb") as kept:
        while piece := given.read(PIECE):
            kept.write(piece)
            digest.update(piece)
            progress(len(piece))
        kept.flush()
        os.fsync(kept.fileno())
    return _file(target, digest.hexdigest())


def _linked(source: Path, target: Path, progress: Progress) -> ModelFile:
    target.symlink_to(source.resolve())
    return _file(target, sha256_of(target, progress))


def _file(path: Path, hashed: str) -> ModelFile:
    now = path.stat()
    return ModelFile(path=path.name, n_bytes=now.st_size, mtime_ns=now.st_mtime_ns, sha256=hashed)
