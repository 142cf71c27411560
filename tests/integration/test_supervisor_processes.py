"""The supervisor with real processes: children that die, hang, ignore signals, leave orphans."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import psutil
import pytest

from rejoinder.errors import ConfigInvalid
from resources.settings import child_environment
from resources.supervisor.record import (
    RunRecord,
    clear_leftovers,
    is_running,
    only_supervisor,
    read_record,
    stop_running,
    write_record,
)
from resources.supervisor.requests import StopRequests
from resources.supervisor.restarts import Restarts
from resources.supervisor.specs import ChildSpec, TcpProbe
from resources.supervisor.supervisor import Outcome, Supervisor

SLEEP = "import time; print('ready', flush=True); time.sleep(600)"
IGNORE_TERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEP
# A child that is deaf to SIGTERM and starts two more: one in its session, one in a session of its own.
FAMILY = (
    "import os, subprocess, sys\n"
    "deaf = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)'\n"
    "kin = [subprocess.Popen([sys.executable, '-c', deaf], start_new_session=s).pid for s in (False, True)]\n"
    "open(sys.argv[1], 'w').write(' '.join(map(str, [os.getpid(), *kin])))\n"
) + IGNORE_TERM
LISTEN_LATER = (
    "import socket, sys, time; time.sleep(0.5)\n"
    "server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
    "while True: server.accept()[0].close()"
)
# The part of a whole installation that a test can kill: the supervisor in a process of its own.
HOST = """
import sys
from pathlib import Path
from resources.settings import child_environment
from resources.supervisor.record import only_supervisor
from resources.supervisor.requests import count_signals
from resources.supervisor.specs import ChildSpec
from resources.supervisor.supervisor import Supervisor
home, *programs = Path(sys.argv[1]), *sys.argv[2:]
family = str(home / "family")
specs = [
    ChildSpec(f"c{i}", (sys.executable, "-c", p, family), settle_s=0.05) for i, p in enumerate(programs)
]
with count_signals() as stop, only_supervisor(home):
    Supervisor(specs, home=home, env=child_environment(), say=print, stop_grace_s=1.0).run(
        stop, lambda outcome: print("settled", flush=True)
    )
"""


def python(program: str, *arguments: object) -> tuple[str, ...]:
    return (sys.executable, "-c", program, *map(str, arguments))


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture
def home() -> Path:
    path = Path(child_environment()["REJOINDER_HOME"])
    path.mkdir()
    return path


class Bench:
    """A supervisor in a thread, with what it said."""

    def __init__(self, home: Path, specs: list[ChildSpec], grace_s: float = 5.0, most: int = 3) -> None:
        self.lines: list[str] = []
        self.outcomes: list[Outcome] = []
        self.stop = StopRequests()
        self.supervisor = Supervisor(
            [replace(spec, settle_s=0.05) for spec in specs],
            home=home,
            env=child_environment(),
            say=self.lines.append,
            stop_grace_s=grace_s,
            restarts=lambda: Restarts(most=most, first_delay_s=0.1),
        )
        self.thread = Thread(target=self.supervisor.run, args=(self.stop, self.outcomes.append))
        self.thread.start()

    def settle(self) -> Outcome:
        wait_for(lambda: self.outcomes)
        return self.outcomes[0]

    def pid(self, name: str) -> int:
        process = self.supervisor.children[name].process
        assert process
        return process.pid

    def end(self, times: int = 1) -> None:
        for _ in range(times):
            self.stop.add()
        self.thread.join(timeout=120)
        assert not self.thread.is_alive()

    def first(self, *words: str) -> int:
        """Number of the first line that has all the words."""
        return next(i for i, line in enumerate(self.lines) if all(word in line for word in words))


@pytest.fixture
def bench(home: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(specs: list[ChildSpec], **options: float) -> Bench:
        made.append(Bench(home, specs, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.end(times=2)


def test_children_start_when_what_they_need_answers_and_stop_the_other_way_round(
    bench: Callable[..., Bench], free_port: int
) -> None:
    web = ChildSpec("web", python(SLEEP), needs=("server", "once"))
    server = ChildSpec(
        "server", python(LISTEN_LATER, free_port), f"127.0.0.1:{free_port}", probe=TcpProbe(free_port)
    )
    once = ChildSpec("once", python("print('made')"), is_one_shot=True)
    b = bench([web, server, once])
    outcome = b.settle()
    assert outcome.gave_up == ()
    assert outcome.addresses == {"server": f"127.0.0.1:{free_port}"}
    assert set(outcome.healthy_after_s) == {"web", "server", "once"}
    assert b.first("server", "up after") < b.first("web", "starting")
    assert b.first("once", "done") < b.first("web", "starting")
    b.end()
    assert b.first("web", "stopped") < b.first("server", "stopping")


def test_a_child_that_dies_is_started_again(bench: Callable[..., Bench]) -> None:
    b = bench([ChildSpec("worker", python(SLEEP))])
    b.settle()
    first = b.pid("worker")
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: b.pid("worker") != first and alive(b.pid("worker")))
    assert b.first("worker", "signal 9", "starting again")


def test_a_child_that_dies_at_once_is_never_called_up(home: Path) -> None:
    lines: list[str] = []
    stop = StopRequests()
    broken = ChildSpec("broken", python("raise SystemExit(1)"))
    supervisor = Supervisor(
        [broken], home=home, env=child_environment(), say=lines.append,
        restarts=lambda: Restarts(most=2, first_delay_s=0.1),
    )  # fmt: skip
    supervisor.run(stop, lambda outcome: stop.add())
    assert not any("up after" in line for line in lines)
    assert "gave up having died 2 times in 5 minutes" in lines[-1]


def test_a_child_that_keeps_dying_is_given_up_and_the_rest_goes_on(bench: Callable[..., Bench]) -> None:
    broken = ChildSpec("broken", python("import sys; print('no such table'); sys.exit(3)"), needs=("fine",))
    b = bench([ChildSpec("fine", python(SLEEP)), broken, ChildSpec("after", python(SLEEP), needs=("once",)),
               ChildSpec("once", python("raise SystemExit(1)"), is_one_shot=True)])  # fmt: skip
    outcome = b.settle()
    assert set(outcome.gave_up) == {"broken", "once", "after"}
    line = b.lines[b.first("broken", "gave up")]
    assert "died 3 times in 5 minutes" in line
    assert "exit code 3" in line
    assert "no such table" in line
    assert "broken.log" in line
    assert alive(b.pid("fine"))
    assert b.supervisor.children["after"].process is None


def test_a_child_that_never_answers_counts_as_dead(bench: Callable[..., Bench], free_port: int) -> None:
    b = bench([ChildSpec("mute", python(SLEEP), probe=TcpProbe(free_port), start_timeout_s=0.3)])
    assert b.settle().gave_up == ("mute",)
    assert b.first("mute", "not ready within")
    wait_for(lambda: not alive(b.pid("mute")))


def test_a_deaf_family_is_killed_after_the_grace(bench: Callable[..., Bench], home: Path) -> None:
    family = home / "family"
    b = bench([ChildSpec("deaf", python(FAMILY, family))], grace_s=0.5)
    wait_for(lambda: family.exists() and len(family.read_text().split()) == 3)
    pids = [int(pid) for pid in family.read_text().split()]
    wait_for(lambda: "ready" in (home / "logs" / "deaf.log").read_text())
    assert all(alive(pid) for pid in pids)
    b.end()
    assert not any(alive(pid) for pid in pids)


def test_a_second_request_kills_at_once(bench: Callable[..., Bench], home: Path) -> None:
    b = bench([ChildSpec("deaf", python(IGNORE_TERM))], grace_s=3600)
    wait_for(lambda: "ready" in (home / "logs" / "deaf.log").read_text())
    pid = b.pid("deaf")
    b.end(times=2)
    assert not alive(pid)


def test_output_goes_to_the_log_of_the_child(bench: Callable[..., Bench], home: Path) -> None:
    talk = "import sys; print('to stdout'); print('to stderr', file=sys.stderr)"
    bench([ChildSpec("talker", python(talk), is_one_shot=True)]).settle()
    log = home / "logs" / "talker.log"
    wait_for(lambda: {"to stdout", "to stderr"} <= set(log.read_text().splitlines()))


def test_a_child_of_its_own_variables_sees_them(bench: Callable[..., Bench], home: Path) -> None:
    show = "import os; print(os.environ['MINE'], os.environ['REJOINDER_HOME'])"
    bench([ChildSpec("shower", python(show), env={"MINE": "yes"}, is_one_shot=True)]).settle()
    wait_for(lambda: f"yes {home}" in (home / "logs" / "shower.log").read_text())


@pytest.fixture
def host(home: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a supervisor in a process of its own; whatever is left at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*programs: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            python(HOST, home, *programs), env=child_environment(), stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout
        for line in process.stdout:
            if line.strip() == "settled":
                break
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    clear_leftovers(home)
    family = home / "family"
    for pid in family.read_text().split() if family.exists() else ():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def children_of(home: Path) -> list[int]:
    record = read_record(home)
    assert record
    return list(record.children.values())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_everything(
    host: Callable[..., "subprocess.Popen[str]"], home: Path, number: int
) -> None:
    process = host(SLEEP, SLEEP)
    pids = children_of(home)
    process.send_signal(number)
    assert process.wait(timeout=120) == 0
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)
    assert not (home / "up.json").exists()


def test_a_second_up_says_who_runs_and_starts_nothing(
    host: Callable[..., "subprocess.Popen[str]"], home: Path
) -> None:
    process = host(SLEEP)
    with (
        pytest.raises(ConfigInvalid, match=f"already runs.*{process.pid}.*rejoinder down"),
        only_supervisor(home),
    ):
        pytest.fail("two supervisors at once")
    assert read_record(home) is not None
    assert process.poll() is None


def test_down_stops_it_from_elsewhere_deaf_children_included(
    host: Callable[..., "subprocess.Popen[str]"], home: Path
) -> None:
    process = host(SLEEP, IGNORE_TERM)
    pids = children_of(home)
    assert is_running(home)
    assert stop_running(home) is True
    assert process.wait(timeout=120) == 0
    assert not any(alive(pid) for pid in pids)
    assert not is_running(home)
    assert stop_running(home) is False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent's life")
def test_children_end_with_a_supervisor_that_was_killed(
    host: Callable[..., "subprocess.Popen[str]"], home: Path
) -> None:
    process = host(SLEEP)
    pids = children_of(home)
    process.kill()
    wait_for(lambda: not any(alive(pid) for pid in pids))


def test_the_next_start_clears_away_what_a_killed_one_left(
    host: Callable[..., "subprocess.Popen[str]"], home: Path
) -> None:
    process = host(FAMILY)
    family = home / "family"
    wait_for(lambda: family.exists() and len(family.read_text().split()) == 3)
    in_session = [int(pid) for pid in family.read_text().split()][:2]
    process.kill()
    process.wait()
    assert all(alive(pid) for pid in in_session)
    with only_supervisor(home):
        assert not any(alive(pid) for pid in in_session)


def test_a_stranger_with_a_recorded_process_id_is_left_alone(home: Path) -> None:
    env = {name: value for name, value in child_environment().items() if name != "REJOINDER_HOME"}
    with subprocess.Popen(
        python(SLEEP), env=env, start_new_session=True, stdout=subprocess.DEVNULL
    ) as stranger:
        write_record(home, RunRecord(1, children={"web": stranger.pid}))
        assert clear_leftovers(home) == 0
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1, "surprise": 2}'])
def test_a_record_that_cannot_be_read_is_no_record(home: Path, text: str) -> None:
    (home / "up.json").write_text(text)
    assert read_record(home) is None
    with only_supervisor(home):
        assert read_record(home) == RunRecord(os.getpid(), {}, {})


def test_the_record_holds_no_variables(bench: Callable[..., Bench], home: Path) -> None:
    bench([ChildSpec("worker", python(SLEEP), env={"URL": "hunter2"})]).settle()
    written = json.loads((home / "up.json").read_text())
    assert set(written["children"]) == {"worker"}
    assert "hunter2" not in json.dumps(written)
