"""Sources read where nothing can happen to this process: hostile or huge files go to a child with limits.

PDF, Word files and web pages are read by libraries that a crafted file can keep busy for hours or make ask for
all the memory there is. Their bytes go to a fresh interpreter over a pipe (no fork, so threads do no harm), its
answer comes back as JSON. What exceeds a limit is InputUnreadable, and its reason says which.
"""

import json
import os
import resource
import subprocess
import sys

from pydantic import TypeAdapter, ValidationError

from rejoinder.corpus.reading import Kind, kind_of, read_source
from rejoinder.corpus.values import Transcript
from rejoinder.errors import InputUnreadable

LARGEST_SOURCE_BYTES = 64 * 2**20
# Address space, of which the interpreter and its libraries take some 0.4 GiB.
MAX_MEMORY_BYTES = 3 * 2**29
# Text of this size is read in about a second; beyond it even a harmless file gets a child.
_DIRECT_BYTES = 2 * 2**20
# The language model is unpacked to a file of 100 MB and more.
LARGEST_FILE_BYTES = 2**29
_UNREADABLE = 65
_OUT_OF_MEMORY = 75
# Nothing of our own environment: a file that takes the child over finds no secrets in it.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_TRANSCRIPT = TypeAdapter(Transcript)


def extract(name: str, data: bytes, media_type: str | None = None, *, timeout_s: float) -> Transcript:
    """Read a source as read_source does, within limits of time and memory.

    Args:
        name: the file's name.
        data: its bytes.
        media_type: what its server said it is.
        timeout_s: for reading it, in seconds, > 0. Transcripts of usual size are read directly and come
            nowhere near it.

    Raises:
        InputUnreadable: it can't be read, or reading it exceeded a limit.
    """
    if len(data) > LARGEST_SOURCE_BYTES:
        raise InputUnreadable(f"larger than {LARGEST_SOURCE_BYTES // 2**20} MiB")
    if kind_of(data) is Kind.TEXT and len(data) <= _DIRECT_BYTES:
        return read_source(name, data, media_type=media_type)
    limits = {"cpu_s": int(timeout_s) + 1, "memory_bytes": MAX_MEMORY_BYTES}
    head = json.dumps({"name": name, "media_type": media_type, **limits})
    try:
        child = subprocess.run(
            [sys.executable, "-I", "-X", "utf8", "-m", __name__],
            input=head.encode() + b"\n" + data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputUnreadable(f"reading it takes longer than {timeout_s:g} s") from None
    return _answer(child.returncode, child.stdout)


def _answer(code: int, answer: bytes) -> Transcript:
    """The child's transcript.

    Raises:
        InputUnreadable: with the child's reason, or why it came to its end.
    """
    if code == _UNREADABLE:
        raise InputUnreadable(answer.decode("utf-8", "replace"))
    if code == _OUT_OF_MEMORY:
        raise InputUnreadable(f"reading it takes more than {MAX_MEMORY_BYTES / 2**30:g} GiB of memory")
    if code:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise InputUnreadable(f"the program that reads it broke down over it ({how})")
    try:
        return _TRANSCRIPT.validate_json(answer)
    except ValidationError as error:
        raise InputUnreadable("the program that reads it gave no transcript") from error


def main() -> None:
    """The child: reads a line of JSON and the file's bytes, writes the transcript as JSON or the reason."""
    # Whatever a library prints must not get into the answer.
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)
        code, words = _read(sys.stdin.buffer.readline())
        answer.write(words)
    # No clean-up: there may be gigabytes to free, and destructors of a broken library.
    os._exit(code)


def _read(head: bytes) -> tuple[int, bytes]:
    asked = json.loads(head)
    _limit(asked["cpu_s"], asked["memory_bytes"])
    try:
        data = sys.stdin.buffer.read()
        transcript = read_source(asked["name"], data, media_type=asked["media_type"])
        return 0, _TRANSCRIPT.dump_json(transcript)
    except InputUnreadable as error:
        return _UNREADABLE, str(error).encode("utf-8", "replace")
    except MemoryError:
        return _OUT_OF_MEMORY, b""


def _limit(cpu_s: int, memory_bytes: int) -> None:
    """Limits that the system keeps, also when the parent is gone."""
    for kind, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, LARGEST_FILE_BYTES),
    ):
        _, hard = resource.getrlimit(kind)
        highest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (highest, hard))


if __name__ == "__main__":
    main()
