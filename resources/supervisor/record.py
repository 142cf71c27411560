"""What runs for a home: a lock that the running supervisor holds, and a file that says what it started.

The lock tells the truth even after a kill: the system lets go of it. The file is read only to find out whom
to ask for a stop, and to clear away what a killed supervisor left behind.
"""

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from rejoinder.errors import ConfigInvalid, ServiceUnavailable
from resources.supervisor.processes import session_members

PID_FILE = "up.json"
LOCK_FILE = "up.lock"
HOME_VARIABLE = "REJOINDER_HOME"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Process ids of a supervisor and its children, and the addresses people open."""

    pid: int
    addresses: Mapping[str, str] = field(default_factory=dict)
    children: Mapping[str, int] = field(default_factory=dict)


def read_record(home: Path) -> RunRecord | None:
    """The home's record, or None where there is none that can be read."""
    try:
        return RunRecord(**json.loads((home / PID_FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_record(home: Path, record: RunRecord) -> None:
    """Put the record in place of the old one, whole or not at all."""
    partial = home / (PID_FILE + ".partial")
    partial.write_text(json.dumps(asdict(record), indent=1), "utf-8")
    partial.replace(home / PID_FILE)


@contextmanager
def only_supervisor(home: Path) -> Iterator[None]:
    """Be the home's one supervisor while the block runs; first clears away what a killed one left.

    Raises:
        ConfigInvalid: another one runs; the message has its process id and addresses.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigInvalid(_already_runs(home)) from None
        clear_leftovers(home)
        write_record(home, RunRecord(os.getpid()))
        try:
            yield
        finally:
            (home / PID_FILE).unlink(missing_ok=True)


def _already_runs(home: Path) -> str:
    record = read_record(home)
    where = "".join(
        f"\n  {name}  {address}" for name, address in (record.addresses if record else {}).items()
    )
    who = f" (process {record.pid})" if record else ""
    return f"Rejoinder already runs for {home}{who}. `rejoinder down` stops it.{where}"


def is_running(home: Path) -> bool:
    """Whether a supervisor runs for this home."""
    try:
        with (home / LOCK_FILE).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def stop_running(home: Path, *, patience_s: float = 90.0) -> bool:
    """Ask the home's supervisor to stop and wait until it has; False if none ran.

    Whatever happens, nothing that it started is left running.

    Raises:
        ServiceUnavailable: it neither stopped nor could be killed.
    """
    if not is_running(home):
        clear_leftovers(home)
        return False
    record = _wait_for_record(home)
    for number, seconds in ((signal.SIGTERM, patience_s), (signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
        with suppress(ProcessLookupError):
            os.kill(record.pid, number)
        if _wait_until_gone(home, seconds):
            clear_leftovers(home)
            return True
    raise ServiceUnavailable(f"Process {record.pid} does not stop.")


def _wait_for_record(home: Path) -> RunRecord:
    """The record of a supervisor that may have taken the lock only just now."""
    for _ in range(50):
        if record := read_record(home):
            return record
        time.sleep(0.1)
    raise ServiceUnavailable(
        f"Rejoinder runs for {home}, but {home / PID_FILE} does not say as which process."
    )


def _wait_until_gone(home: Path, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not is_running(home):
            return True
        time.sleep(0.1)
    return not is_running(home)


def clear_leftovers(home: Path) -> int:
    """End what a killed supervisor of this home left running; how many processes that were.

    A process id may have been given to a stranger since: only processes that carry this home are ended.
    """
    record = read_record(home)
    left = [p for pid in (record.children.values() if record else ()) for p in _ours(pid, home)]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=5)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    (home / PID_FILE).unlink(missing_ok=True)
    return len(left)


def _ours(leader: int, home: Path) -> list[psutil.Process]:
    found = []
    for process in session_members(leader):
        with suppress(psutil.Error):
            if process.environ().get(HOME_VARIABLE) == str(home):
                found.append(process)
    return found
