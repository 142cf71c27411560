"""Runs on golden cases: what fails scores 0 and is named; a worse answerer is a regression, an equal one is not."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rejoinder.errors import (
    BudgetSpent,
    ConfigInvalid,
    ModelRefusal,
    ModelTrouble,
    RejoinderError,
    ReplyInvalid,
)
from rejoinder.evaluation.claim_scores import GivenClaim
from rejoinder.triage.claims import extract_claims
from resources.evaluation.golden import load_cases
from resources.evaluation.golden_answers import Answering
from resources.evaluation.golden_baselines import (
    Baselines,
    baseline_file,
    compared,
    load_baselines,
    save_baseline,
)
from resources.evaluation.golden_record import evaluation_record
from resources.evaluation.golden_run import GoldenReport, run_golden

CASES = load_cases("claims")


def by_rules(case: Any) -> list[GivenClaim]:
    return [GivenClaim(claim.text, claim.kind) for claim in extract_claims(case.post)]


def ran(ask: Callable[[Any], Any], model: str = "local::extractive", prompt: str = "rules") -> GoldenReport:
    ticks = itertools.count()
    answerer = Answering(model, prompt, ask)
    return run_golden("claims", CASES, answerer, split="all", clock=lambda: next(ticks) / 100)


def failing(*errors: RejoinderError | None) -> Callable[[Any], list[GivenClaim]]:
    """By rules, but the first cases meet these errors."""
    left = list(errors)

    def ask(case: Any) -> list[GivenClaim]:
        if left and (error := left.pop(0)) is not None:
            raise error
        return by_rules(case)

    return ask


def known(report: GoldenReport, folder: Path) -> Baselines:
    save_baseline(report, folder / "claims.json")
    return load_baselines("claims", folder / "claims.json")


def test_equal_answers_are_no_regression(tmp_path: Path) -> None:
    report = ran(by_rules)
    found = compared(report, known(report, tmp_path)).comparison
    assert found is not None
    assert (found.is_regression, found.changes, found.gain.mean, found.gain.n) == (False, (), 0.0, len(CASES))


def test_equal_scores_that_a_file_rounded_up_are_no_regression(tmp_path: Path) -> None:
    two_thirds = replace(ran(by_rules).cases[0].scored, score=2 / 3)
    report = ran(by_rules)
    report = replace(report, cases=tuple(replace(case, scored=two_thirds) for case in report.cases))
    found = compared(report, known(report, tmp_path)).comparison
    assert found is not None
    assert (found.is_regression, found.gain.high) == (False, 0.0)


def test_answers_that_are_worse_beyond_the_interval_are_a_regression(tmp_path: Path) -> None:
    baselines = known(ran(by_rules), tmp_path)
    worse = compared(ran(lambda case: [GivenClaim(case.post, "statement")]), baselines).comparison
    none = compared(ran(lambda case: by_rules(case)[:0]), baselines).comparison
    assert worse is not None and none is not None
    assert none.is_regression
    assert none.gain.high < 0
    assert [change.id for change in none.changes if change.after > change.before] == [
        "inject-json",
        "rhetorical",
    ]


def test_one_case_that_is_worse_is_told_and_no_regression(tmp_path: Path) -> None:
    baselines = known(ran(by_rules), tmp_path)
    found = compared(ran(failing(ReplyInvalid("no JSON"))), baselines)
    assert found.comparison is not None
    assert not found.comparison.is_regression


@pytest.mark.parametrize(("n_worse", "expected"), [(3, False), (4, True)])
def test_four_cases_that_are_worse_with_none_better_are_a_regression(
    tmp_path: Path, n_worse: int, expected: bool
) -> None:
    report = ran(by_rules)
    right = tuple(replace(case, scored=replace(case.scored, score=1.0)) for case in report.cases)
    worse = tuple(replace(case, scored=replace(case.scored, score=0.9)) for case in right[:n_worse])
    baselines = known(replace(report, cases=right), tmp_path)
    found = compared(replace(report, cases=(*worse, *right[n_worse:])), baselines).comparison
    assert found is not None
    assert found.is_regression is expected


def test_a_case_without_an_answer_scores_0_and_says_why() -> None:
    errors = [
        ReplyInvalid("no JSON"),
        ModelRefusal("content", "not that"),
        ModelTrouble("timeout", "too slow"),
    ]
    report = ran(failing(*errors))
    assert [case.failure for case in report.cases[:4]] == [
        "ReplyInvalid: no JSON", "ModelRefusal: not that", "ModelTrouble: too slow", None,
    ]  # fmt: skip
    assert [case.scored.score for case in report.cases[:3]] == [0.0, 0.0, 0.0]
    assert report.totals.checks["answered"].mean == pytest.approx(1 - 3 / len(CASES))
    assert len(report.cases) == len(CASES)
    assert {case.latency_ms for case in report.cases} == {10.0}


@pytest.mark.parametrize(
    "error",
    [
        ModelRefusal("key", "the key is wrong"),
        ModelRefusal("unknown_model", "no such model"),
        ModelRefusal("price", "what does it cost"),
        BudgetSpent("nothing left today"),
        ConfigInvalid("no endpoint"),
    ],
)
def test_what_every_case_would_meet_ends_the_run(error: RejoinderError) -> None:
    with pytest.raises(type(error)):
        ran(failing(None, error))


def test_a_model_that_stays_away_ends_the_run() -> None:
    away = [ModelTrouble("connection", "nobody there")] * 3
    assert len(ran(failing(*away[:2], None, *away[:2])).cases) == len(CASES)
    with pytest.raises(ModelTrouble):
        ran(failing(None, *away))


def test_scores_of_a_model_that_was_away_are_no_baseline(tmp_path: Path) -> None:
    report = ran(failing(ModelTrouble("timeout", "too slow")))
    with pytest.raises(ConfigInvalid, match="The model was away for kettle-power"):
        save_baseline(report, tmp_path / "claims.json")


def test_a_baseline_replaces_its_own_and_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "claims.json"
    for report in (ran(by_rules), ran(by_rules, "openai::m", "claims.v1@a"), ran(by_rules)):
        save_baseline(report, path)
    part = ran(by_rules)
    save_baseline(replace(part, cases=part.cases[:3]), path)
    runs = load_baselines("claims", path).runs
    assert [run.model for run in runs] == ["openai::m", "local::extractive"]
    assert {len(run.scores) for run in runs} == {len(CASES)}


def test_whom_a_run_is_compared_with(tmp_path: Path) -> None:
    path = tmp_path / "claims.json"
    for model, prompt in (("openai::m", "claims.v1@a"), ("local::extractive", "rules"), ("openai::n", "p")):
        save_baseline(ran(by_rules, model, prompt), path)
    baselines = load_baselines("claims", path)

    def with_whom(model: str, prompt: str, against: str | None = None) -> str | None:
        return compared(ran(by_rules, model, prompt), baselines, against=against).baseline

    assert with_whom("openai::m", "claims.v1@a") == "openai::m, claims.v1@a"
    assert with_whom("openai::m", "claims.v2@b") == "openai::m, claims.v1@a"
    assert with_whom("openai::new", "claims.v2@b") == "local::extractive, rules"
    assert with_whom("openai::m", "claims.v1@a", "openai::n") == "openai::n, p"
    assert with_whom("openai::m", "claims.v1@a", "local") == "local::extractive, rules"
    with pytest.raises(
        ConfigInvalid, match="no baseline of openai::q; there are: local::extractive, openai::m"
    ):
        with_whom("openai::m", "claims.v1@a", "openai::q")


def test_a_case_that_was_worded_anew_is_not_compared(tmp_path: Path) -> None:
    baselines = known(ran(by_rules), tmp_path)
    report = ran(by_rules)
    anew = replace(report, cases=(replace(report.cases[0], case_hash="other"), *report.cases[1:]))
    found = compared(anew, baselines).comparison
    assert found is not None
    assert found.not_compared == (report.cases[0].id,)
    all_anew = replace(report, cases=tuple(replace(case, case_hash="other") for case in report.cases))
    with pytest.raises(ConfigInvalid, match="No case is in the baseline"):
        compared(all_anew, baselines)
    assert compared(all_anew, baselines, is_replaced=True).comparison is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "is no baseline file"),
        (b'{"task": "claims", "runs": [{}]}', "is no baseline file"),
        (b'{"task": "replies", "runs": []}', "is of the task replies, not claims"),
    ],
)
def test_a_file_that_is_no_baseline_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "b.json").write_bytes(data)
    with pytest.raises(ConfigInvalid, match=said):
        load_baselines("claims", tmp_path / "b.json")


def test_what_mlflow_keeps(tmp_path: Path) -> None:
    report = compared(ran(by_rules), load_baselines("claims", baseline_file("claims")))
    record = evaluation_record(report, b"{}")
    assert (record.experiment, record.report) == ("golden-claims", b"{}")
    assert record.parameters["model"] == "local::extractive"
    assert record.parameters["prompt_version"] == "rules"
    assert record.parameters["n"] == len(CASES)
    metrics = record.metrics
    assert metrics["score.low"] < metrics["score"] < metrics["score.high"]
    assert {"check.recall", "tag.injection.low", "gain.high", "failed", "cost_usd"} <= set(metrics)
