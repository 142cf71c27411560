"""Fixtures of the end-to-end tests: homes of their own, commands as subprocesses, a sandbox."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from forked_sandbox import ForkedSandbox, start_sandbox

from resources.postgres import Database
from resources.provision import prepare
from resources.services import SANDBOX_PORT
from resources.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = REPOSITORY / "resources" / "samples"
COMMAND = [sys.executable, "-c", "from cli.app import main; main()"]


class Installation:
    """A home, and the command line on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {
            **{
                k: v for k, v in os.environ.items() if not k.startswith(("REJOINDER_", "DAGSTER_", "MLFLOW_"))
            },
            "REJOINDER_HOME": str(home),
            "PYTHONPATH": str(REPOSITORY),
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and leave it running."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, code: int = 0, stdin: str | None = None) -> str:
        """Run a command to its end; its standard output."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            env=self.environment,
            text=True,
            capture_output=True,
            input=stdin,
            timeout=600,
        )
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with --json; its one JSON object."""
        return json.loads(self.run(*arguments, "--json", code=code))


def living_workers(home: Path) -> int:
    """How many workers hold their lock in the home's database."""
    database = Database(prepare(Settings(home=home)).app, max_size=1).open()
    try:
        with database.transaction() as tx:
            row = tx.connection.execute("select count(*) as n from living_worker").fetchone()
    finally:
        database.close()
    return int(row["n"]) if row else 0


def wait_until_it_works(process: subprocess.Popen[str], home: Path) -> None:
    """Return as soon as a run in the home holds a worker's lock, or has ended."""
    while process.poll() is None and not living_workers(home):
        time.sleep(0.05)


@pytest.fixture(scope="session", autouse=True)
def preferred_port() -> Iterator[None]:
    """Hold the port that a demo's sandbox takes if it can: demos of tests at once may not meet there.

    Nobody listens, so whoever asks there is refused without waiting.
    """
    with socket.socket() as holder:
        with suppress(OSError):  # somebody else has it, which is as good
            holder.bind(("127.0.0.1", SANDBOX_PORT))
        yield


@pytest.fixture(scope="session")
def until_it_works() -> Callable[[subprocess.Popen[str], Path], None]:
    """Waits for a started run to begin its work, however fast the machine is."""
    return wait_until_it_works


@pytest.fixture
def installation(home_factory: Callable[[], Path]) -> Installation:
    """A fresh home; its PostgreSQL is stopped at the end of the session."""
    return Installation(home_factory())


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Starts sandboxes; gives their address."""
    started: list[ForkedSandbox] = []

    def start(posts: Path = SAMPLES / "posts.jsonl", state: Path = tmp_path / "sandbox.sqlite") -> str:
        arguments = ["--state", str(state), "--posts", str(posts), "--account", "rejoinder_demo"]
        with state.with_suffix(".stderr").open("a") as errors:
            process = start_sandbox(arguments, errors=errors)
        started.append(process)
        return str(json.loads(process.stdout.readline())["url"])

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def witness_log(url: str) -> list[dict[str, Any]]:
    """Every write request that the sandbox saw."""
    entries: list[dict[str, Any]] = httpx.get(f"{url}/sandbox/log", timeout=60).json()
    return entries


@pytest.fixture(scope="session")
def walked(home_factory: Callable[[], Path]) -> "Walked":
    """A home in which the demo walked the whole loop once; tests may look, those that break things copy rows."""
    place = Installation(home_factory())
    return Walked(place, place.json("demo", "--auto-review"))


class Walked:
    """An installation after the demo, and what the demo reported."""

    def __init__(self, installation: Installation, report: dict[str, Any]) -> None:
        self.installation = installation
        self.report = report
