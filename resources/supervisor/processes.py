"""One running process with all that it started: how it begins and how it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from resources.supervisor.logs import ChildLog

LEASH = Path(__file__).with_name("leash.py")


class ChildProcess:
    """A process that leads a session of its own, so that everything it starts can be found and ended."""

    def __init__(self, argv: tuple[str, ...], env: Mapping[str, str], log: ChildLog) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-I", str(LEASH), str(os.getpid()), *argv],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._strays: set[psutil.Process] = set()
        self.pid = self._popen.pid
        if self._popen.stdout:
            log.follow(self._popen.stdout)

    def exit_code(self) -> int | None:
        """The exit code, negative for a signal, or None while it runs."""
        return self._popen.poll()

    def terminate(self) -> None:
        """Ask it and all that it started to stop."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and all that it started at once."""
        self._signal(signal.SIGKILL)

    def is_gone(self) -> bool:
        """Whether nothing of it runs any more."""
        return self._popen.poll() is not None and not any(self._living())

    def _signal(self, number: signal.Signals) -> None:
        self._remember_strays()
        for process in set(self._living()):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _remember_strays(self) -> None:
        """Keep descendants in mind that left the session: once their parent is gone nothing links them to us."""
        with suppress(psutil.NoSuchProcess):
            if self._popen.poll() is None:
                self._strays.update(psutil.Process(self.pid).children(recursive=True))

    def _living(self) -> Iterator[psutil.Process]:
        yield from session_members(self.pid)
        for process in self._strays:
            with suppress(psutil.NoSuchProcess):
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    yield process


def session_members(leader: int) -> Iterator[psutil.Process]:
    """Every living process of the session that the process ``leader`` opened, itself included."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                yield process
