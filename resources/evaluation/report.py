"""What an evaluation of retrieval found, as values: figures with intervals, gains, latencies.

What belongs here: from each system's rankings to its row of the report. The same seed gives the same intervals.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rejoinder.corpus.retrieval.rescorer import Rescorer
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
    """One system: its figures, its gains in the headline figure over other systems, and its stages' latency."""

    system: str
    figures: Mapping[str, Interval]
    gains: Mapping[str, Interval]
    latency: Mapping[str, Latency]


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """Every system on one task, side by side.

    settings are all choices that the figures depend on; rescorer is the one that was trained, if one was.
    """

    benchmark: str
    split: str
    headline: str
    n_questions: int
    n_passages: int
    systems: tuple[SystemReport, ...]
    settings: Mapping[str, str | int | float]
    notes: tuple[str, ...] = ()
    rescorer: Rescorer | None = None

    def metrics(self) -> dict[str, float]:
        """Every figure, gain and latency under a name of its own, as an experiment tracker keeps them."""
        found: dict[str, float] = {}
        for system in self.systems:
            named = {name: interval.mean for name, interval in system.figures.items()}
            for other, gain in system.gains.items():
                over = f"over_{other}"
                named |= {over: gain.mean, f"{over}.low": gain.low, f"{over}.high": gain.high}
            named |= {f"{stage}.p95": latency.p95_ms for stage, latency in system.latency.items()}
            found |= {_metric_name(f"{system.system}.{name}"): value for name, value in named.items()}
        return found


def _metric_name(text: str) -> str:
    """In letters, digits, dots and underscores.

    >>> _metric_name("engine: re-scored.ndcg@10")
    'engine_re_scored.ndcg_at_10'
    """
    return re.sub(r"[^a-z0-9.]+", "_", text.replace("@", "_at_"))


@dataclass(frozen=True, slots=True)
class SystemRun:
    """What one system found, and the systems that its gains are measured over."""

    system: str
    found: Mapping[str, Ranked]
    over: tuple[str, ...] = ()


def report_runs(
    task: Task,
    runs: Sequence[SystemRun],
    settings: Mapping[str, str | int | float],
    *,
    rescorer: Rescorer | None = None,
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
        rescorer=rescorer,
    )


Judged = Mapping[str, list[float]]


def _judge(task: Task, run: SystemRun) -> Judged:
    """Every figure's scores, one per question, in the task's order."""
    rows = [task.judge(asked.key, run.found[asked.key].keys) for asked in task.questions]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _row(task: Task, run: SystemRun, judged: Mapping[str, Judged]) -> SystemReport:
    own = judged[run.system]
    gains = {
        other: paired_gain(own[task.headline], judged[other][task.headline], rng=_rng()) for other in run.over
    }
    return SystemReport(
        system=run.system,
        figures={name: bootstrap_mean(scores, rng=_rng()) for name, scores in own.items()},
        gains=gains,
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
