"""Sources read where nothing can happen to this process: hostile or huge files go to a child with limits.

PDF, Word files and web pages are read by libraries that a crafted file can keep busy for hours or make ask for
all the memory there is. Their bytes go to a fresh interpreter over a pipe (no fork, so threads do no harm), its
answer comes back as JSON. What the file brings about is InputUnreadable, limits included, and its reason says which;
what the machine or the installation brings about is ReaderFailed. The child says when it has all it needs to begin:
what happens before that is never the file's doing.
"""

import errno
import json
import os
import resource
import selectors
import signal
import subprocess
import sys

from pydantic import TypeAdapter, ValidationError

from rejoinder.corpus.reading import Kind, kind_of, load_parser, read_source
from rejoinder.corpus.values import Transcript
from rejoinder.errors import InputUnreadable, RejoinderError

LARGEST_SOURCE_BYTES = 64 * 2**20
# Address space, of which the interpreter and its libraries take some 0.4 GiB.
MAX_MEMORY_BYTES = 3 * 2**29
# Text of this size is read in about a second; beyond it even a harmless file gets a child.
_DIRECT_BYTES = 2 * 2**20
# The language model is unpacked to a file of 100 MB and more.
LARGEST_FILE_BYTES = 2**29
# What starting takes of the time on a processor, amply.
_START_CPU_S = 20
_READY = b"R"
_UNREADABLE = 65
_NOT_ITS_FAULT = 70
_OUT_OF_MEMORY = 75
# Sent by the system for want of memory, by whoever stops a service, by a terminal; or the program is for another
# processor.
_FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGILL}
# Errors of the machine and the installation that no file can cause.
_MACHINE = {
    errno.ENOENT, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE,
    errno.ENFILE, errno.EAGAIN,
}  # fmt: skip
# Nothing of our own environment: a file that takes the child over finds no secrets in it.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_TRANSCRIPT = TypeAdapter(Transcript)


class ReaderFailed(RejoinderError):
    """The program that reads sources failed for a reason that is not the file's: worth another try."""


def extract(
    name: str, data: bytes, media_type: str | None = None, *, timeout_s: float, start_s: float = 60.0
) -> Transcript:
    """Read a source as read_source does, within limits of time and memory.

    Args:
        name: the file's name.
        data: its bytes.
        media_type: what its server said it is.
        timeout_s: for reading it, in seconds, > 0. Transcripts of usual size are read directly and come
            nowhere near it.
        start_s: for starting the program that reads it, in seconds, > 0.

    Raises:
        InputUnreadable: it can't be read, or reading it exceeded a limit.
        ReaderFailed: the machine or the installation is in the way.
    """
    if len(data) > LARGEST_SOURCE_BYTES:
        raise InputUnreadable(f"larger than {LARGEST_SOURCE_BYTES // 2**20} MiB")
    kind = kind_of(data)
    if kind is Kind.TEXT and len(data) <= _DIRECT_BYTES:
        return read_source(name, data, media_type=media_type)
    limits = {"cpu_s": int(timeout_s) + 1 + _START_CPU_S, "memory_bytes": MAX_MEMORY_BYTES}
    head = json.dumps({"name": name, "media_type": media_type, "kind": kind, **limits}).encode()
    with _started() as child:
        try:
            _await_ready(child, head, start_s)
            answer, _ = child.communicate(data, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise InputUnreadable(f"reading it takes longer than {timeout_s:g} s") from None
        finally:
            child.kill()
    return _answer(child.returncode, answer)


def _started() -> "subprocess.Popen[bytes]":
    """The child, waiting for what it is to read.

    Raises:
        ReaderFailed: the system starts no process.
    """
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_ENVIRONMENT,
        )
    except OSError as error:
        raise ReaderFailed(f"the program that reads it cannot be started: {error.strerror}") from error


def _await_ready(child: "subprocess.Popen[bytes]", head: bytes, start_s: float) -> None:
    """Hand over what it is to know before the file, and wait until it has all it needs.

    Raises:
        ReaderFailed: it came to its end before, or does not come to be ready.
    """
    if child.stdin is None or child.stdout is None:
        raise ReaderFailed("the program that reads it has no pipes")
    try:
        child.stdin.write(head + b"\n")
        child.stdin.flush()
    except OSError:  # it is gone already: why is told below
        pass
    with selectors.DefaultSelector() as waiting:
        waiting.register(child.stdout, selectors.EVENT_READ)
        if not waiting.select(start_s):
            raise ReaderFailed(f"the program that reads it did not start within {start_s:g} s")
    if os.read(child.stdout.fileno(), len(_READY)) != _READY:
        _, said = child.communicate()
        last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise ReaderFailed(f"the program that reads it cannot start: {last or _how(child.returncode)}")


def _answer(code: int, answer: bytes) -> Transcript:
    """The child's transcript.

    Raises:
        InputUnreadable: with the child's reason, or why it came to its end.
        ReaderFailed: it came to its end by somebody else's hand, or for want of something of the machine's.
    """
    words = answer.decode("utf-8", "replace")
    if code == _UNREADABLE:
        raise InputUnreadable(words)
    if code == _OUT_OF_MEMORY:
        raise InputUnreadable(f"reading it takes more than {MAX_MEMORY_BYTES / 2**30:g} GiB of memory")
    if code == _NOT_ITS_FAULT:
        raise ReaderFailed(f"the program that reads it failed: {words}")
    if code == -signal.SIGXCPU:
        raise InputUnreadable("reading it takes more of the processor's time than the step has")
    if -code in _FROM_OUTSIDE:
        raise ReaderFailed(
            f"the program that reads it was ended from outside ({_how(code)}), perhaps for want of memory"
        )
    if code:
        raise InputUnreadable(f"the program that reads it broke down over it ({_how(code)})")
    try:
        return _TRANSCRIPT.validate_json(answer)
    except ValidationError as error:
        raise InputUnreadable("the program that reads it gave no transcript") from error


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def main() -> None:
    """The child: reads a line of JSON, says that it is ready, reads the file, writes the transcript or the reason."""
    # Whatever a library prints must not get into the answer.
    with os.fdopen(os.dup(1), "wb", buffering=0) as answer:
        os.dup2(2, 1)
        asked = json.loads(sys.stdin.buffer.readline())
        _limit(asked["cpu_s"], asked["memory_bytes"])
        load_parser(Kind(asked["kind"]))
        _hush()
        answer.write(_READY)
        code, words = _read(asked["name"], asked["media_type"])
        _write_all(answer.fileno(), words)
    # No clean-up: there may be gigabytes to free, and destructors of a broken library.
    os._exit(code)


def _hush() -> None:
    """From now on nothing that is printed goes anywhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _write_all(file: int, words: bytes) -> None:
    left = memoryview(words)
    while left:
        left = left[os.write(file, left) :]


def _read(name: str, media_type: str | None) -> tuple[int, bytes]:
    try:
        transcript = read_source(name, sys.stdin.buffer.read(), media_type=media_type)
        return 0, _TRANSCRIPT.dump_json(transcript)
    except Exception as error:  # a crafted file can bring about any
        return _verdict(error)


def _verdict(error: Exception) -> tuple[int, bytes]:
    """Exit code and words for what kept a file from being read."""
    words = f"{type(error).__name__}: {error}".encode("utf-8", "replace")
    if isinstance(error, InputUnreadable):
        return _UNREADABLE, str(error).encode("utf-8", "replace")
    # A library that finds no room to be loaded says so in an ImportError.
    if isinstance(error, MemoryError) or "annot allocate memory" in str(error):
        return _OUT_OF_MEMORY, b""
    if isinstance(error, ImportError) or (isinstance(error, OSError) and error.errno in _MACHINE):
        return _NOT_ITS_FAULT, words
    return _UNREADABLE, f"the program that reads it broke down over it ({type(error).__name__})".encode()


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
