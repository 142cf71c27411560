"""Object storage: raw input as it came, under the SHA-256 of its bytes.

A folder by default, a bucket where REJOINDER_OBJECT_STORE names one; fsspec speaks to either. An object is written
whole or not at all, never changed, and compared with its name whenever it is read.
"""

import copy
import errno
import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rejoinder.errors import ConfigInvalid, InputUnreadable, PassingTrouble, RejoinderError
from resources.settings import Settings

INSTALL_S3 = "pip install 's3fs>=2026.3'"
# So that a store which hangs is found out within the time that a step has.
_S3_OPTIONS = {"config_kwargs": {"connect_timeout": 5, "read_timeout": 10, "retries": {"max_attempts": 1}}}
_KEY = re.compile(r"sha256/([0-9a-f]{2})/([0-9a-f]{64})")


class StorageFailed(RejoinderError):
    """The object store could not give this object, though it gives others: try again later."""


class StoreAway(StorageFailed, PassingTrouble):
    """The object store does not answer, cannot be written or is not mounted: no object would fare better."""


class BytesLost(InputUnreadable):
    """An object is gone or damaged, though the store is there."""


def object_key(data: bytes) -> str:
    """Where these bytes belong.

    >>> object_key(b"")
    'sha256/e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    """
    digest = hashlib.sha256(data).hexdigest()
    return f"sha256/{digest[:2]}/{digest}"


def hash_of(key: str) -> str:
    """The SHA-256 that a key names, in hex.

    Raises:
        ValueError: it is no key.
    """
    found = _KEY.fullmatch(key)
    if found is None or not found[2].startswith(found[1]):
        raise ValueError(f"not a key of the object store: {key!r}")
    return found[2]


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """Bytes by their hash, in any file system that fsspec knows; is_local says that a rename is atomic there."""

    filesystem: Any
    root: str
    is_local: bool

    def put(self, data: bytes) -> str:
        """Keep the bytes; their key. Safe to repeat, and to be interrupted at any moment.

        Raises:
            StoreAway: the store does not answer, is full or may not be written at all.
            StorageFailed: this object cannot be written, though others might.
        """
        key = object_key(data)
        try:
            if not self._has(key, data):
                self._write(self._path(key), data)
        except Exception as error:  # what a driver raises depends on the kind of store
            raise self._failure(
                "written", error, is_away=_is_full(error) or self._is_forbidden(error)
            ) from error
        return key

    def get(self, key: str) -> bytes:
        """The bytes of a key, compared with it.

        Raises:
            StoreAway: the store does not answer, or holds nothing at all.
            StorageFailed: this object cannot be read, though the store answers.
            BytesLost: the object is gone or damaged; giving the input again mends it.
        """
        digest = hash_of(key)
        try:
            data: bytes = self.filesystem.cat_file(self._path(key))
        except FileNotFoundError:
            self._refuse_empty()
            raise BytesLost("its raw bytes are gone from the object store: give it again") from None
        except Exception as error:  # what a driver raises depends on the kind of store
            raise self._failure("read", error) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise BytesLost("its raw bytes were damaged in the object store: give it again")
        return data

    def _failure(self, deed: str, error: Exception, *, is_away: bool = False) -> StorageFailed:
        """Whether no object would fare better, or only this one failed."""
        away = is_away or isinstance(error, TimeoutError | ConnectionError) or not self._answers()
        failure = StoreAway if away else StorageFailed
        return failure(f"the object store could not be {deed} ({type(error).__name__})")

    def _is_forbidden(self, error: Exception) -> bool:
        """Whether it is the whole store that may not be written; credentials of a bucket hold for all of it."""
        if not isinstance(error, PermissionError):
            return False
        return not self.is_local or not os.access(f"{self.root}/sha256", os.W_OK | os.X_OK)

    def _refuse_empty(self) -> None:
        """Tell a missing object from a store that is not there: a disk that is not mounted is an empty folder.

        Raises:
            StoreAway: nothing at all is in it.
        """
        if not self._answers():
            raise StoreAway("the object store holds nothing: is its disk mounted, is its bucket there?")

    def _answers(self) -> bool:
        """Whether the folder can be looked at in which every object is."""
        try:
            return bool(self.filesystem.info(f"{self.root}/sha256"))
        except Exception:  # as above
            return False

    def _path(self, key: str) -> str:
        hash_of(key)
        return f"{self.root}/{key}"

    def _has(self, key: str, data: bytes) -> bool:
        """Whether the object is there and whole: read where that is cheap, else by its size."""
        path = self._path(key)
        try:
            if self.is_local:
                return bool(self.filesystem.cat_file(path) == data)
            return bool(self.filesystem.info(path)["size"] == len(data))
        except FileNotFoundError:
            return False

    def _write(self, path: str, data: bytes) -> None:
        if not self.is_local:  # buckets show an object only once all of it has arrived
            self.filesystem.pipe_file(path, data)
            return
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


def _is_full(error: Exception) -> bool:
    """Whether no byte can be written there by anybody: no space left, over quota, or mounted read-only."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def open_store(settings: Settings) -> ObjectStore:
    """The object store of these settings: the folder ``objects`` of the home unless an address is set.

    Raises:
        ConfigInvalid: the address cannot be read, or a driver is missing; the message says what to install.
    """
    return open_store_at(settings.object_store or (settings.home_dir / "objects").as_uri())


@lru_cache(maxsize=4)
def open_store_at(url: str) -> ObjectStore:
    """The object store at an address such as ``file:///srv/raw`` or ``s3://bucket/prefix``.

    Raises:
        ConfigInvalid: as `open_store`.
    """
    import fsspec

    try:
        # Copied, since the driver writes into what it is given.
        options = copy.deepcopy(_S3_OPTIONS) if url.startswith("s3:") else {}
        filesystem, root = fsspec.core.url_to_fs(url, use_listings_cache=False, **options)
    except ImportError as error:
        fix = f"Install it: {INSTALL_S3}" if url.startswith("s3") else "Install what the message names."
        raise ConfigInvalid(f"REJOINDER_OBJECT_STORE needs a driver: {error}", fix=fix) from None
    except ValueError as error:
        raise ConfigInvalid(f"REJOINDER_OBJECT_STORE cannot be used: {error}") from None
    is_local = "file" in (
        filesystem.protocol if isinstance(filesystem.protocol, tuple) else (filesystem.protocol,)
    )
    return ObjectStore(filesystem, root.rstrip("/"), is_local)
