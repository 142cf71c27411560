"""Scores of cases, and what they come to over many, with how sure that is.

Intervals are 95 % percentile bootstrap intervals over cases (`rejoinder.corpus.retrieval.significance`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rejoinder.corpus.retrieval.significance import RESAMPLES, Interval, bootstrap_mean

ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Scored:
    """One answer's score in [0, 1], its checks by name, each in [0, 1], and what was found wrong, for a person."""

    score: float
    checks: Mapping[str, float]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case.

    answer is in plain types, None where there is none: then failure says why. label is what a verdict case expected
    and what it got, for figures that no mean over cases gives.
    """

    id: str
    case_hash: str
    tags: tuple[str, ...]
    scored: Scored
    answer: object = None
    failure: str | None = None
    latency_ms: float = 0.0
    cost_usd: float = 0.0
    label: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """The mean score, that of each check, and the score of the cases with each tag."""

    score: Interval
    checks: Mapping[str, Interval]
    tags: Mapping[str, Interval]
    others: Mapping[str, Interval] = field(default_factory=dict)


def no_answer() -> Scored:
    """The score of a case that failed."""
    return Scored(0.0, {ANSWERED: 0.0})


def total(results: Sequence[CaseResult], *, seed: int) -> Totals:
    """Means over cases with their intervals; a check counts over the cases that have it.

    Args:
        results: at least one.
        seed: of the draws; the same seed and scores give the same intervals.

    Raises:
        ValueError: there is no result.
    """
    checks = _grouped((name, value) for r in results for name, value in r.scored.checks.items())
    tags = _grouped((tag, r.scored.score) for r in results for tag in r.tags)
    labels = [r.label for r in results if r.label is not None]
    return Totals(
        score=_mean([r.scored.score for r in results], seed),
        checks={name: _mean(values, seed) for name, values in checks.items()},
        tags={tag: _mean(values, seed) for tag, values in sorted(tags.items())},
        others={"macro_f1": macro_f1(labels, seed=seed)} if labels else {},
    )


def macro_f1(labels: Sequence[tuple[str, str]], *, seed: int, resamples: int = RESAMPLES) -> Interval:
    """Mean over the expected classes of F1, with its interval over cases.

    Args:
        labels: expected and given, one pair per case; what is given may be a class that was never expected.
        seed: of the draws.
        resamples: how many draws, > 0. A class that a draw lacks counts 0 in it where it was given, else not.

    >>> macro_f1([("a", "a"), ("b", "b"), ("b", "a")], seed=1).mean.__round__(3)
    0.667
    """
    classes = sorted({expected for expected, _ in labels})
    expected = np.array([[e == c for c in classes] for e, _ in labels])
    given = np.array([[g == c for c in classes] for _, g in labels])
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(labels), size=(resamples, len(labels)))
    counts = np.stack([np.bincount(draw, minlength=len(labels)) for draw in draws])
    once = np.ones((1, len(labels)), dtype=counts.dtype)
    low, high = np.quantile(_mean_f1(expected, given, counts), [0.025, 0.975])
    return Interval(float(_mean_f1(expected, given, once)[0]), float(low), float(high), len(labels))


def _mean_f1(expected: "np.ndarray", given: "np.ndarray", counts: "np.ndarray") -> "np.ndarray":
    hits, wanted, said = counts @ (expected & given), counts @ expected, counts @ given
    f1 = 2 * hits / np.maximum(wanted + said, 1)
    seen = (wanted + said) > 0
    return np.asarray((f1 * seen).sum(axis=1) / np.maximum(seen.sum(axis=1), 1))


def _grouped(pairs: Iterable[tuple[str, float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _mean(values: Sequence[float], seed: int) -> Interval:
    return bootstrap_mean(values, rng=np.random.default_rng(seed))
