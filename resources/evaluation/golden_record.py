"""A run of golden cases as MLflow keeps it."""

from collections.abc import Iterator

from rejoinder.corpus.retrieval.significance import Interval
from resources.evaluation.golden_run import GoldenReport
from resources.tracking_values import EvaluationRecord


def evaluation_record(report: GoldenReport, stored: bytes) -> EvaluationRecord:
    """The record of a run in the experiment of its task.

    Args:
        report: what came of it.
        stored: the whole report as JSON, UTF-8.
    """
    return EvaluationRecord(
        experiment=f"golden-{report.task}",
        name=f"{report.model}, {report.prompt}",
        parameters={
            "model": report.model,
            "prompt_version": report.prompt,
            "n": len(report.cases),
            "split": report.split,
            "baseline": report.baseline or "none",
        },
        metrics=dict(_metrics(report)),
        tags={"task": report.task, "split": report.split},
        report=stored,
    )


def _metrics(report: GoldenReport) -> Iterator[tuple[str, float]]:
    totals = report.totals
    yield from _of("score", totals.score)
    for kind, found in (("", totals.others), ("check.", totals.checks), ("tag.", totals.tags)):
        for name, interval in found.items():
            yield from _of(f"{kind}{name}", interval)
    yield "cost_usd", report.cost_usd
    yield "failed", float(sum(case.failure is not None for case in report.cases))
    if report.comparison:
        yield from _of("gain", report.comparison.gain)


def _of(name: str, interval: Interval) -> Iterator[tuple[str, float]]:
    yield name, interval.mean
    yield f"{name}.low", interval.low
    yield f"{name}.high", interval.high
