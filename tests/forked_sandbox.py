"""Sandboxes in processes of their own, forked off one that has imported the program: a start takes no imports.

They run `resources.sandbox` with its command line, as ``python -m resources.sandbox`` does, and are killed alike.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, NoReturn

ROOT = Path(__file__).resolve().parents[1]
LONGEST_REQUEST = 1 << 16


class ForkedSandbox:
    """A running sandbox, with as much of `subprocess.Popen` as tests use."""

    def __init__(self, stdout: IO[str], status: IO[str]) -> None:
        self.stdout, self._status = stdout, status
        self.pid = int(status.readline())
        self.returncode: int | None = None

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the end of the process was seen."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def wait(self) -> int:
        """Wait for the end; the exit code, or the signal that killed it as a negative number."""
        if self.returncode is None:
            with self._status:
                self.returncode = os.waitstatus_to_exitcode(int(self._status.readline()))
        return self.returncode


def start_sandbox(arguments: Sequence[str], *, errors: IO[str]) -> ForkedSandbox:
    """Start a sandbox with this command line; its one line is on ``stdout``, what it complains of goes to the file."""
    control = _mother()
    out, out_of_child = os.pipe()
    status, status_of_child = os.pipe()
    request = json.dumps(list(arguments)).encode()
    socket.send_fds(control, [request], [out_of_child, errors.fileno(), status_of_child])
    os.close(out_of_child)
    os.close(status_of_child)
    return ForkedSandbox(os.fdopen(out), os.fdopen(status))


@lru_cache(maxsize=1)
def _mother() -> socket.socket:
    """The process that forks, by the socket that it is asked on; it ends when this process does."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, __file__, str(theirs.fileno())]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
    )
    theirs.close()
    atexit.register(process.wait)
    atexit.register(ours.close)  # which it waits for; what was registered last is done first
    return ours


def _fork_on_request(control: socket.socket) -> None:
    """Fork a sandbox for each request, until nobody can ask any more."""
    import resources.sandbox.__main__  # noqa: F401 (what forks find imported)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how the keepers end
    while True:
        request, files, *_ = socket.recv_fds(control, LONGEST_REQUEST, 3)
        if not request:
            return
        if os.fork() == 0:
            _keep(control, json.loads(request), files)
        for file in files:
            os.close(file)


def _keep(control: socket.socket, arguments: list[str], files: list[int]) -> NoReturn:
    """Start the sandbox, say its number, and once it has ended, how."""
    out, errors, status = files
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    control.close()
    sandbox = os.fork()
    if sandbox == 0:
        os.dup2(out, 1)
        os.dup2(errors, 2)
        for file in files:
            os.close(file)
        _run(arguments)
    os.close(out)
    os.write(status, b"%d\n" % sandbox)
    os.write(status, b"%d\n" % os.waitpid(sandbox, 0)[1])
    os._exit(0)


def _run(arguments: list[str]) -> NoReturn:
    """Be the program, to its end."""
    from resources.sandbox.__main__ import main

    code = 1
    try:
        code = main(arguments)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _fork_on_request(socket.socket(fileno=int(sys.argv[1])))
