"""One child over its whole life: what state it is in and what is done about it at each look."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from enum import StrEnum

from resources.supervisor.logs import ChildLog
from resources.supervisor.probes import is_healthy
from resources.supervisor.processes import ChildProcess
from resources.supervisor.restarts import Restarts
from resources.supervisor.specs import STOP_GRACE_S, ChildSpec

PROBE_EVERY_S = 0.5
PROBE_HEALTHY_EVERY_S = 5.0
FAILED_PROBES = 3


class State(StrEnum):
    """Where a child is; each value is the word that a person reads."""

    WAITING = "waiting"
    STARTING = "starting"
    UP = "up"
    DONE = "done"
    SILENT = "not answering"
    BACKING_OFF = "died"
    GAVE_UP = "gave up"
    STOPPING = "stopping"
    STOPPED = "stopped"


ALIVE = {State.STARTING, State.UP, State.SILENT}
RUNNING = {*ALIVE, State.STOPPING}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every child shares: its environment, where a change of state is told, who runs the probes."""

    env: Mapping[str, str]
    tell: Callable[["Child", str], None]
    prober: Executor
    stop_grace_s: float = STOP_GRACE_S


class Child:
    """A child process that is kept running."""

    def __init__(self, spec: ChildSpec, log: ChildLog, around: Surroundings, restarts: Restarts) -> None:
        self.spec, self.log, self._around, self._restarts = spec, log, around, restarts
        self.state = State.WAITING
        self.process: ChildProcess | None = None
        self.healthy_after_s: float | None = None
        self._since = self._due_at = self._probe_at = 0.0
        self._failed_probes = 0
        self._probe: Future[bool] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether children that need this one may start."""
        return self.state in {State.UP, State.DONE}

    def look(self, now: float, *, may_start: bool) -> None:
        """Do what is due: start it, see whether it lives and answers, start it again.

        Args:
            now: seconds on a clock that never goes back.
            may_start: whether all that it needs is ready.
        """
        if self._is_due(now) or (self.state is State.WAITING and may_start):
            self._start(now)
        elif self.state in ALIVE:
            self._watch(now)

    def _is_due(self, now: float) -> bool:
        """Whether it is time for another try, and nothing of the last one is left to hold its port."""
        if self.state is not State.BACKING_OFF or now < self._due_at:
            return False
        return self.process is None or self.process.is_gone()

    def _start(self, now: float) -> None:
        self._since, self._failed_probes, self._probe = now, 0, None
        env = {**self._around.env, **self.spec.env}
        self.process = ChildProcess(self.spec.argv, env, self.log)
        self._move(State.STARTING)

    def _watch(self, now: float) -> None:
        code = self.process.exit_code() if self.process else None
        if code is not None:
            self._ended(code, now)
        elif self.spec.is_one_shot:
            self._expire(now)
        elif self.spec.probe is None:
            self._settle(now)
        else:
            self._take_probe(now)

    def _ended(self, code: int, now: float) -> None:
        if self.spec.is_one_shot and code == 0:
            self.healthy_after_s = now - self._since
            self._move(State.DONE, f"after {self.healthy_after_s:.1f} s")
            return
        self._died(f"signal {-code}" if code < 0 else f"exit code {code}", now)

    def _died(self, why: str, now: float) -> None:
        if self.process:
            self.process.kill()
        delay = self._restarts.after_death(now)
        words = f"{why}; it said: {self.log.last_words() or 'nothing'}"
        if delay is None:
            self._move(State.GAVE_UP, f"having {self._restarts.describe()} ({words}). See {self.log.path}")
            return
        self._due_at = now + delay
        self._move(State.BACKING_OFF, f"({words}), starting again in {delay:.0f} s")

    def _take_probe(self, now: float) -> None:
        """Probes run in threads of their own, so that a child that hangs holds up nothing else."""
        if self._probe is None:
            if now >= self._probe_at and self.spec.probe:
                self._probe = self._around.prober.submit(is_healthy, self.spec.probe)
            return
        if not self._probe.done():
            return
        answered, self._probe = self._probe.result(), None
        self._probe_at = now + (PROBE_HEALTHY_EVERY_S if answered else PROBE_EVERY_S)
        self._failed_probes = 0 if answered else self._failed_probes + 1
        if answered:
            self._is_up(now)
        else:
            self._has_no_answer(now)

    def _settle(self, now: float) -> None:
        if now - self._since >= self.spec.settle_s:
            self._is_up(now)

    def _is_up(self, now: float) -> None:
        if self.state is State.UP:
            return
        if self.healthy_after_s is None or self.state is State.STARTING:
            self.healthy_after_s = now - self._since
        self._move(
            State.UP, f"after {self.healthy_after_s:.1f} s" if self.state is State.STARTING else "again"
        )

    def _has_no_answer(self, now: float) -> None:
        if self.state is State.STARTING:
            self._expire(now)
        elif self.state is State.UP and self._failed_probes >= FAILED_PROBES:
            self._move(State.SILENT)

    def _expire(self, now: float) -> None:
        if now - self._since > self.spec.start_timeout_s:
            self._died(f"not ready within {self.spec.start_timeout_s:.0f} s", now)

    def look_while_stopping(self, now: float, *, may_stop: bool, is_hurry: bool) -> bool:
        """Bring it to its end; True once nothing of it runs.

        Args:
            now: seconds on the same clock.
            may_stop: whether all that need it are gone.
            is_hurry: kill it at once.
        """
        if self.process is None or (self.state not in RUNNING and self.process.is_gone()):
            return True
        if self.state is not State.STOPPING and (may_stop or is_hurry):
            self._since = now
            self._move(State.STOPPING)
            self.process.terminate()
        return self.state is State.STOPPING and self._has_stopped(self.process, now, is_hurry)

    def _has_stopped(self, process: ChildProcess, now: float, is_hurry: bool) -> bool:
        if process.is_gone():
            self._move(State.STOPPED, f"after {now - self._since:.1f} s")
            return True
        if is_hurry or now - self._since > self._around.stop_grace_s:
            process.kill()
        return False

    def _move(self, state: State, detail: str = "") -> None:
        self.state = state
        self._around.tell(self, detail)
