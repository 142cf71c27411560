"""Keeps a set of children running until it is asked to stop."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from resources.supervisor.child import Child, State, Surroundings
from resources.supervisor.logs import ChildLog
from resources.supervisor.order import dependents, start_order
from resources.supervisor.record import RunRecord, write_record
from resources.supervisor.requests import StopRequests
from resources.supervisor.restarts import Restarts
from resources.supervisor.specs import STOP_GRACE_S, ChildSpec

LOOK_EVERY_S = 0.1
CHORE_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the start of all children came out; addresses and seconds of those that are healthy only."""

    addresses: Mapping[str, str]
    healthy_after_s: Mapping[str, float]
    gave_up: tuple[str, ...]


class Chore:
    """Something that is done every few seconds beside the children, in a thread of its own.

    What it does may return a line to say.
    """

    def __init__(self, do: Callable[[], str | None], say: Callable[[str], None]) -> None:
        self._do, self._say = do, say
        self._next_at = 0.0
        self._running: Future[str | None] | None = None

    def look(self, now: float, pool: Executor) -> None:
        """Start it if it is due and no longer at work; a failure is said and tried again the next time."""
        if self._running and self._running.done():
            if line := self._running.exception() or self._running.result():
                self._say(str(line))
            self._running, self._next_at = None, now + CHORE_EVERY_S
        elif not self._running and now >= self._next_at:
            self._running = pool.submit(self._do)


class Supervisor:
    """Starts children in order, looks after them, stops them in reverse order."""

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        *,
        home: Path,
        env: Mapping[str, str],
        say: Callable[[str], None],
        stop_grace_s: float = STOP_GRACE_S,
        restarts: Callable[[], Restarts] = Restarts,
        chore: Callable[[], str | None] | None = None,
    ) -> None:
        self._specs = start_order(specs)
        self._home, self._say = home, say
        self._prober = ThreadPoolExecutor(max_workers=len(specs) + 1, thread_name_prefix="probe")
        self._chore = Chore(chore, say) if chore else None
        around = Surroundings(env, self._tell, self._prober, stop_grace_s)
        logs = home / "logs"
        self.children = {s.name: Child(s, ChildLog(logs, s.name), around, restarts()) for s in self._specs}

    def run(self, stop: StopRequests, when_settled: Callable[[Outcome], None] | None = None) -> None:
        """Keep the children running until a stop is asked for, then stop them all.

        Args:
            stop: asked once, it stops in order; asked twice, it kills.
            when_settled: called once, when each child is healthy or was given up.
        """
        is_settled = False
        try:
            while not stop.is_stop:
                self._look(time.monotonic())
                if self._chore:
                    self._chore.look(time.monotonic(), self._prober)
                if not is_settled and (is_settled := self._is_settled()) and when_settled:
                    when_settled(self._outcome())
                time.sleep(LOOK_EVERY_S)
        finally:
            self._stop_all(stop)

    def _look(self, now: float) -> None:
        for child in self.children.values():
            child.look(now, may_start=all(self.children[name].is_ready for name in child.spec.needs))

    def _is_settled(self) -> bool:
        """Nothing is on its way up any more: what still waits, waits for something that was given up."""
        states = {child.state for child in self.children.values()}
        if not states - {State.UP, State.DONE, State.GAVE_UP}:
            return True
        return State.GAVE_UP in states and not states & {State.STARTING, State.BACKING_OFF}

    def _outcome(self) -> Outcome:
        children = self.children.values()
        return Outcome(
            addresses={c.spec.name: c.spec.address for c in children if c.is_ready and c.spec.address},
            healthy_after_s={c.spec.name: round(c.healthy_after_s or 0.0, 1) for c in children if c.is_ready},
            gave_up=tuple(c.spec.name for c in children if not c.is_ready),
        )

    def _addresses(self) -> dict[str, str]:
        return {s.name: s.address for s in self._specs if s.address}

    def _stop_all(self, stop: StopRequests) -> None:
        gone: set[str] = set()
        while len(gone) < len(self.children):
            now = time.monotonic()
            for name, child in reversed(self.children.items()):
                may_stop = gone.issuperset(dependents(self._specs, name))
                if child.look_while_stopping(now, may_stop=may_stop, is_hurry=stop.is_hurry):
                    gone.add(name)
            time.sleep(LOOK_EVERY_S)
        self._prober.shutdown(wait=True, cancel_futures=True)
        for child in self.children.values():
            child.log.close()

    def _tell(self, child: Child, detail: str) -> None:
        if child.state is State.STARTING:
            self._write_record()
        widths = max(len(s.name) for s in self._specs), max(len(s.address) for s in self._specs)
        name, address = child.spec.name, child.spec.address or "-"
        self._say(f"{name:<{widths[0]}}  {address:<{widths[1]}}  {child.state} {detail}".rstrip())

    def _write_record(self) -> None:
        pids = {name: c.process.pid for name, c in self.children.items() if c.process}
        try:
            write_record(self._home, RunRecord(os.getpid(), self._addresses(), pids))
        except OSError as error:  # a full disk must not end what already runs
            self._say(f"{self._home}: {error.strerror}")
