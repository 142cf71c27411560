"""Files that hold secrets: readable for their owner only, from their first byte on, and never half written."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 0600, in one step: whoever reads it sees the old text or the new one.

    Callers take turns with `one_at_a_time`; what a killed one left behind is written anew.
    """
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    _keep_name(path.parent)


def _keep_name(folder: Path) -> None:
    """The name, too, is to be there after a power cut: what was sealed with a new key lies elsewhere by then."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def one_at_a_time(lock_file: Path) -> Iterator[None]:
    """Hold the lock of this file; another process that asks for it waits until the block ends."""
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
