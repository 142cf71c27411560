"""Golden cases asked of a model over HTTP: from the command through program and gateway to the sandbox and back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import build_app
from resources.evaluation.golden import CASE_TYPES
from resources.evaluation.golden_programs import PROGRAMS

QUOTE = "With hard water you want to descale a kettle about once a month."
GOOD = {
    "quotes": [{"evidence": 1, "text": QUOTE}],
    "text": f"One take on that: “{QUOTE}” (Kitchen Physics, 12:34)",
}
INVENTED = {
    "quotes": [{"evidence": 1, "text": "A filter takes out the lime"}],
    "text": "“A filter takes out the lime” and saves 300 euros a year, see Kitchen Physics, 15:10.",
}
NOTHING = {"quotes": [], "text": ""}

Evaluate = Callable[..., Any]


@pytest.fixture
def evaluate(models: Any, environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Evaluate:
    """The command on four cases of replies, asking the sandbox's model."""
    monkeypatch.setenv("REJOINDER_KEY_OPENAI", models.get("credentials")["openai"]["api_key"])
    monkeypatch.chdir(tmp_path)
    wanted = ("kettle-descale", "kettle-filter", "nothing-fits", "sleep-nap")
    rows = Path(__file__).resolve().parents[2] / "evals" / "replies.jsonl"
    kept = [line for line in rows.read_text("utf-8").splitlines() if json.loads(line)["id"] in wanted]
    (tmp_path / "four.jsonl").write_text("\n".join(kept), "utf-8")

    def run(*given: str, task: str = "replies") -> Any:
        common = ["--cases", "four.jsonl", "--baseline", "kept.json", "--no-track", "--json"]
        made = ["--base-url", f"{models.url}/openai/v1", "--price-in", "1", "--price-out", "2"]
        asked = ["eval", task, *common, *given]
        return CliRunner().invoke(build_app(), asked if "--endpoint" in given else [*asked, *made])

    return run


def script(models: Any, match: str, answer: Any) -> None:
    models.post("models/answers", match=match, answers=[answer])


def test_answers_of_a_model_are_scored_and_one_that_gives_none_is_named(
    models: Any, evaluate: Evaluate
) -> None:
    script(models, "descale my kettle", {"json": GOOD})
    script(models, "water filter", {"json": INVENTED})
    script(models, "board game", {"json": NOTHING})
    script(models, "nap for two hours", {"raw": "I would rather not answer in JSON."})
    done = evaluate("--model", "openai::rehearsal", "--save-baseline")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["model"], report["prompt"].split("@")[0]) == ("openai::rehearsal", "reply.v1")
    cases = {case["id"]: case for case in report["cases"]}
    assert cases["kettle-descale"]["scored"]["score"] == 1.0
    assert cases["kettle-descale"]["cost_usd"] > 0
    assert cases["kettle-filter"]["scored"]["checks"]["figures"] == 0.0
    assert 0 < cases["kettle-filter"]["scored"]["score"] < 1
    assert cases["nothing-fits"]["scored"]["checks"] == {"answered": 1.0, "abstains": 1.0}
    assert cases["sleep-nap"]["failure"].startswith("ReplyInvalid: ")
    assert cases["sleep-nap"]["scored"]["score"] == 0.0
    assert report["totals"]["checks"]["answered"]["mean"] == 0.75


TASKS = {
    "claims": (
        "kettle-power",
        "kettle draws",
        {
            "claims": [
                {"text": "My kettle draws 2,200 watts when it boils.", "kind": "statistic", "score": 0.9}
            ]
        },
        {"claims": [{"text": "I love how quick it is!", "kind": "cause", "score": 0.9}]},
    ),
    "verdicts": (
        "wool-temp",
        "60 degrees",
        {"verdicts": [{"why": "Another temperature.", "sentence": 1, "verdict": "disputes"}]},
        {"verdicts": [{"why": "The same wool.", "sentence": 1, "verdict": "related"}]},
    ),
    "replies": ("kettle-descale", "descale my kettle", GOOD, NOTHING),
    "summaries": (
        "figures-dense",
        "village hall",
        {
            "sentences": [
                {"passages": [2, 3], "text": "Of 14,200 euros that the village hall took, 1,300 are left."},
                {"passages": [5, 6], "text": "New windows cost 9,500 euros, of which the county pays half."},
            ]
        },
        {"sentences": [{"passages": [1], "text": "The figures of the village hall are told as promised."}]},
    ),
}


def test_every_task_has_a_program() -> None:
    assert set(TASKS) == set(PROGRAMS) == set(CASE_TYPES)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_with_a_program_scores_right_and_wrong_answers(
    task: str, models: Any, evaluate: Evaluate
) -> None:
    name, match, right, wrong = TASKS[task]
    rows = (Path(__file__).resolve().parents[2] / "evals" / f"{task}.jsonl").read_text("utf-8").splitlines()
    Path("four.jsonl").write_text(next(row for row in rows if json.loads(row)["id"] == name), "utf-8")
    models.post("models", id="other", kind="chat")
    scores = {}
    for model, answer in (("rehearsal", right), ("other", wrong)):
        models.post("models/answers", model=model, match=match, answers=[{"json": answer}])
        done = evaluate("--model", f"openai::{model}", "--save-baseline", task=task)
        scores[model] = (done.exit_code, json.loads(done.stdout)["totals"]["score"]["mean"])
    # The second is worse than the first, which was the only one to compare with.
    assert scores == {"rehearsal": (0, 1.0), "other": (1, 0.0)}


def test_a_model_that_became_worse_ends_with_1_and_the_cache_pays_for_the_second_time(
    models: Any, evaluate: Evaluate
) -> None:
    models.post("models", id="other", kind="chat")
    models.post("models/answers", model="rehearsal", answers=[{"json": NOTHING}])
    assert evaluate("--model", "openai::rehearsal", "--save-baseline").exit_code == 0
    again = evaluate("--model", "openai::rehearsal")
    assert again.exit_code == 0, again.output
    assert {case["cost_usd"] for case in json.loads(again.stdout)["cases"]} == {0.0}
    known = json.loads(Path("kept.json").read_text("utf-8"))
    for one in known["runs"][0]["scores"].values():
        one["score"] = 1.0
    known["runs"][0]["scores"]["nothing-fits"]["score"] = 0.9
    Path("kept.json").write_text(json.dumps(known), "utf-8")
    models.post("models/answers", model="other", answers=[{"json": {**NOTHING, "text": "Ask the moon."}}])
    worse = evaluate("--model", "openai::other", "--against", "openai::rehearsal")
    assert worse.exit_code == 1, worse.output
    assert json.loads(worse.stdout)["is_regression"] is True


def test_a_wrong_key_ends_the_run_and_says_so(
    models: Any, evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REJOINDER_KEY_OPENAI", "wrong")
    done = evaluate("--model", "openai::rehearsal", "--save-baseline")
    assert done.exit_code == 2, done.output
    assert not Path("kept.json").exists()
    assert "key" in json.loads(done.stdout)["error"]
    assert "wrong" not in json.loads(done.stdout)["error"].replace("the key is wrong", "")


def test_an_endpoint_of_the_tuning_is_asked_by_name(
    models: Any, evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "rejoinder.toml").write_text(
        f'[endpoints.big]\nuri = "openai::rehearsal"\nbase_url = "{models.url}/openai/v1"\nkey = "openai"\n'
        'capabilities = ["text", "json"]\nprice_in = 1.0\nprice_out = 2.0\n',
        "utf-8",
    )
    models.post("models/answers", answers=[{"json": NOTHING}])
    done = evaluate("--endpoint", "big", "--save-baseline", "--prompt", "reply.v1")
    assert done.exit_code == 0, done.output
    assert [case["scored"]["score"] for case in json.loads(done.stdout)["cases"]].count(1.0) == 1


def test_a_key_that_is_missing_is_named(
    models: Any, environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REJOINDER_KEY_OPENAI", raising=False)
    given = ["--model", "openai::m", "--price-in", "1", "--price-out", "2", "--no-track", "--json"]
    done = CliRunner().invoke(build_app(), ["eval", "replies", *given])
    assert done.exit_code == 2, done.output
    assert "REJOINDER_KEY_OPENAI" in json.loads(done.stdout)["error"]


def test_what_cannot_be_kept_is_told_beside_the_report(models: Any, evaluate: Evaluate) -> None:
    models.post("models/answers", answers=[{"json": NOTHING}])
    models.post("models/faults", kind="503", times=3, match="water filter")
    done = evaluate("--model", "openai::rehearsal", "--save-baseline")
    report = json.loads(done.stdout)
    assert done.exit_code == 2, done.output
    assert report["error"].startswith("The model was away for kettle-filter")
    assert [case["failure"] is None for case in report["cases"]].count(False) == 1
    assert not Path("kept.json").exists()
