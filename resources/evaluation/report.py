"""What an evaluation of retrieval found, as values: figures with intervals, gains, latencies.

What belongs here: from each system's rankings to its row of the report. The same seed gives the same intervals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rejoinder.corpus.retrieval.significance import Interval, bootstrap_mean, paired_gain
from resources.evaluation.peers import Ranked
from resources.evaluation.task import Task

SEED = 11


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of one stage over all questions."""

    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class SystemReport:
    """One system: its figures, its gain in the headline figure over another one, and its stages' latency."""

    system: str
    figures: Mapping[str, Interval]
    over: str | None
    gain: Interval | None
    latency: Mapping[str, Latency]


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """Every system on one task, side by side. settings are all choices that the figures depend on."""

    benchmark: str
    split: str
    headline: str
    n_questions: int
    n_passages: int
    systems: tuple[SystemReport, ...]
    settings: Mapping[str, str | int | float]
    notes: tuple[str, ...] = ()

    def metrics(self) -> dict[str, float]:
        """Every figure, gain and latency under a name of its own, as an experiment tracker keeps them."""
        found: dict[str, float] = {}
        for system in self.systems:
            start = system.system.replace(": ", "_").replace(" ", "_").replace("-", "_")
            named = {name: interval.mean for name, interval in system.figures.items()}
            if system.gain:
                named |= {
                    "gain": system.gain.mean,
                    "gain_low": system.gain.low,
                    "gain_high": system.gain.high,
                }
            named |= {f"{stage}.p95": latency.p95_ms for stage, latency in system.latency.items()}
            found |= {f"{start}.{name}".replace("@", "_at_"): value for name, value in named.items()}
        return found


@dataclass(frozen=True, slots=True)
class SystemRun:
    """What one system found, and the system that its gain is measured over."""

    system: str
    found: Mapping[str, Ranked]
    over: str | None = None


def report_runs(
    task: Task, runs: Sequence[SystemRun], settings: Mapping[str, str | int | float]
) -> RetrievalReport:
    """Judge every run on the same questions.

    Raises:
        KeyError: a run lacks a question, or is measured over a system that did not run.
    """
    judged = {run.system: _judge(task, run) for run in runs}
    return RetrievalReport(
        benchmark=task.name,
        split=task.split,
        headline=task.headline,
        n_questions=len(task.questions),
        n_passages=len(task.passages),
        systems=tuple(_row(task, run, judged) for run in runs),
        settings=settings,
        notes=task.notes,
    )


Judged = Mapping[str, list[float]]


def _judge(task: Task, run: SystemRun) -> Judged:
    """Every figure's scores, one per question, in the task's order."""
    rows = [task.judge(asked.key, run.found[asked.key].keys) for asked in task.questions]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _row(task: Task, run: SystemRun, judged: Mapping[str, Judged]) -> SystemReport:
    own = judged[run.system]
    gain = None
    if run.over is not None:
        gain = paired_gain(own[task.headline], judged[run.over][task.headline], rng=_rng())
    return SystemReport(
        system=run.system,
        figures={name: bootstrap_mean(scores, rng=_rng()) for name, scores in own.items()},
        over=run.over,
        gain=gain,
        latency=_latency([run.found[asked.key] for asked in task.questions]),
    )


def _rng() -> np.random.Generator:
    return np.random.default_rng(SEED)


def _latency(found: Sequence[Ranked]) -> dict[str, Latency]:
    """Each stage, and all stages together."""
    names = list(dict.fromkeys(name for ranked in found for name in ranked.stages_ms))
    columns = {name: [ranked.stages_ms.get(name, 0.0) for ranked in found] for name in names}
    if len(names) > 1:
        columns["total_ms"] = [sum(ranked.stages_ms.values()) for ranked in found]
    return {
        name: Latency(*(round(float(ms), 2) for ms in np.quantile(column, [0.5, 0.95])))
        for name, column in columns.items()
    }
