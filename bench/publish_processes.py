"""What runs in a fault campaign: the sandbox, publishers that are killed and started again, and PostgreSQL."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from time import sleep

import httpx

from bench.publish_child import PRELOADED, publish_until_stopped
from resources.embedded.cluster import is_running, open_cluster
from resources.embedded.places import find_places
from resources.embedded.private_files import write_private
from resources.settings import Settings, child_environment
from resources.supervisor import leash

log = logging.getLogger("rejoinder.bench")

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_S = 60.0
PUBLISHERS_LOG = "publishers.log"
STOP_S = 40.0


@contextmanager
def running_sandbox(home: Path, posts: Path) -> Iterator[httpx.Client]:
    """A sandbox in a process of its own, spoken to over HTTP; it ends with the block."""
    command = [*tied(), sys.executable, "-m", "resources.sandbox", "--state", str(home / "sandbox.db")]
    command += ["--posts", str(posts), "--account", "bench_first"]
    with (home / "sandbox.log").open("ab") as log:
        running = subprocess.Popen(
            command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=log, env=child_environment()
        )
        try:
            line = running.stdout.readline() if running.stdout else ""
            if not line:
                raise RuntimeError(f"the sandbox did not start; {home / 'sandbox.log'} says why")
            with httpx.Client(base_url=json.loads(line)["url"], timeout=TIMEOUT_S) as control:
                yield control
        finally:
            running.terminate()
            running.wait(20)
            if running.stdout:
                running.stdout.close()


def tied() -> list[str]:
    """The start of a command whose process goes when this one does."""
    return [sys.executable, leash.__file__, str(os.getpid())]


@dataclass(slots=True)
class Publishers:
    """Publisher processes, forked off one that has imported all they need; ends counts those nobody asked to end."""

    orders: tuple[Path, ...]
    log: Path
    running: dict[int, ForkServerProcess] = field(default_factory=dict)
    kills: int = 0
    ends: int = 0

    def keep_up(self) -> None:
        """Let every publisher run that does not."""
        for number, order in enumerate(self.orders):
            process = self.running.get(number)
            if process is not None and process.is_alive():
                continue
            if process is not None:
                self.ends += 1
                log.warning("publisher %d ended by itself:\n%s", number, self._last_words())
            self.running[number] = _begin(order)

    def _last_words(self) -> str:
        return self.log.read_text("utf-8", errors="replace")[-1500:]

    def kill(self, number: int) -> None:
        """SIGKILL one; it is started again by `keep_up`."""
        process = self.running.pop(number, None)
        if process is not None:
            process.kill()
            process.join()
            self.kills += 1

    def stop(self) -> None:
        """Ask all to end, and wait for it."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.join(STOP_S)
            process.kill()
            process.join()
        self.running.clear()


def _begin(order: Path) -> ForkServerProcess:
    context = get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    process = context.Process(target=publish_until_stopped, args=(str(order),), daemon=True)
    process.start()
    return process


def write_orders(home: Path, url: str, clocks: list[Path]) -> tuple[Path, ...]:
    """What each publisher is told, in files that only their owner may read: the address holds a password."""
    orders = []
    for number, clock in enumerate(clocks):
        path = home / f"publisher-{number}.json"
        told = {"home": home, "url": url, "clock": clock, "log": home / PUBLISHERS_LOG}
        write_private(path, json.dumps(told, default=str))
        orders.append(path)
    return tuple(orders)


def crash_postgres(settings: Settings) -> None:
    """Shut the embedded PostgreSQL down at once, as a crash would, and start it again; it recovers from its log.

    Source: PostgreSQL manual, "Shutting Down the Server": SIGQUIT is the immediate shutdown.
    """
    places = find_places(settings.home_dir, settings.system_data)
    pid = int((places.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    while is_running(places):
        sleep(0.05)
    open_cluster(settings.home_dir, settings.system_data)
