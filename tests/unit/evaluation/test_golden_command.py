"""`rejoinder eval claims|verdicts|replies|summaries` without a model, against the baselines of the repository."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import CliRunner

from cli.app import build_app
from resources.evaluation.golden import TaskName, load_cases
from resources.evaluation.golden_baselines import baseline_file

TASKS: tuple[TaskName, ...] = get_args(TaskName)


def run(*given: str) -> Any:
    return CliRunner().invoke(build_app(), ["eval", *given, "--no-track"])


@pytest.mark.parametrize("task", TASKS)
def test_the_answers_without_a_model_are_no_worse_than_their_baseline(task: TaskName) -> None:
    done = run(task, "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["comparison"]["not_compared"] == []
    assert report["comparison"]["gain"]["n"] == len(load_cases(task)) == len(report["cases"])
    assert report["baseline"] == f"{report['model']}, {report['prompt']}"
    assert report["is_regression"] is False
    assert 0 < report["totals"]["score"]["low"] <= report["totals"]["score"]["high"] <= 1


@pytest.mark.parametrize("task", TASKS)
def test_answers_worse_than_the_baseline_end_with_exit_code_1(task: TaskName, tmp_path: Path) -> None:
    known = json.loads(baseline_file(task).read_text("utf-8"))
    for run_ in known["runs"]:
        for one in run_["scores"].values():
            one["score"] = min(1.0, one["score"] + 0.2) + 0.01
    better = tmp_path / "better.json"
    better.write_text(json.dumps(known), "utf-8")
    done = run(task, "--baseline", str(better))
    assert done.exit_code == 1, done.output
    assert "a regression" in done.stdout


def test_a_new_baseline_is_written_and_found_again(tmp_path: Path) -> None:
    kept = tmp_path / "claims.json"
    # A baseline that was named has to be there, unless it is to be made.
    assert run("claims", "--baseline", str(kept)).exit_code == 2
    assert run("claims", "--baseline", str(kept), "--save-baseline", "--split", "dev").exit_code == 0
    done = run("claims", "--baseline", str(kept), "--json")
    found = json.loads(done.stdout)["comparison"]
    assert (done.exit_code, found["gain"]["n"]) == (0, len(load_cases("claims", split="dev")))
    assert len(found["not_compared"]) == len(load_cases("claims", split="held_out"))


def test_what_people_see() -> None:
    done = run("claims", "--split", "dev")
    assert "claims: local::extractive with rules, 24 cases (dev)" in done.stdout
    assert "No case changed from the baseline" in done.stdout
    assert "no difference shown" in done.stdout


def test_frames_of_replies_are_a_prompt_too() -> None:
    done = run("replies", "--prompt", "reply_extractive.v1", "--json")
    assert json.loads(done.stdout)["prompt"].startswith("reply_extractive.v1@")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["claims", "--split", "test"], "no such split"),
        (["claims", "--cases", "no.jsonl"], "no.jsonl cannot be read"),
        (["replies", "--prompt", "reply_extractive.v"], "that is no prompt"),
        (["replies", "--prompt", "reply_extractive.v99"], "no prompt 'reply_extractive' of version 99"),
        (["replies", "--model", "openai::m", "--prompt", "claims.v1"], "a prompt of reply is needed"),
        (["replies", "--model", "openai::m", "--prompt", "reply"], "that is no prompt"),
        (["replies", "--model", "gpt"], "is no model"),
        (["replies", "--model", "openai::m"], "What openai::m costs is not known"),
        (["replies", "--model", "openai::m", "--price-in", "1"], "What openai::m costs is not known"),
        (["replies", "--endpoint", "big"], "no section [endpoints.big]; there are: none"),
        (["replies", "--endpoint", "big", "--model", "openai::m"], "--endpoint names all"),
        (["claims", "--prompt", "claims.v1"], "without a model only the frames of replies"),
    ],
)
def test_wrong_arguments_are_told_with_exit_code_2(given: list[str], said: str) -> None:
    done = run(*given, "--json")
    assert done.exit_code == 2, done.output
    assert said in json.loads(done.stdout)["error"]


def test_help_teaches_when_it_ends_with_1() -> None:
    told = CliRunner().invoke(build_app(), ["eval", "verdicts", "--help"]).stdout
    assert "exit code 1" in " ".join(told.split())
    assert "--model" in told
