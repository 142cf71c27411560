"""`rejoinder eval claims|verdicts|replies|summaries`: golden cases through a prompt and a model, beside a baseline."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import AsJson, fail, plain, print_json, print_table, reporting, say, shortened

if TYPE_CHECKING:
    from rejoinder.corpus.retrieval.significance import Interval
    from rejoinder.errors import RejoinderError
    from resources.evaluation.golden import TaskName
    from resources.evaluation.golden_baselines import Baselines
    from resources.evaluation.golden_models import Choice
    from resources.evaluation.golden_run import GoldenReport

# Cases shown of those that went wrong, and under how many an interval is left out.
SHOWN, FEW = 12, 5
ABOUT: "dict[TaskName, str]" = {
    "claims": "Find the check-worthy claims of posts: F1 over the words that the right ones cover.",
    "verdicts": "Judge claims by evidence (supports, disputes, related): accuracy, recall of each verdict, macro F1.",
    "replies": "Draft replies from evidence: share of the checks that each passes.",
    "summaries": "Summarise passages: share of the facts that have to be in, less what is invented or too long.",
}
MORE = """

Without --model the answers without a language model are looked at. With one, each case costs a call that counts for
the day's budget; what was asked before comes out of the cache of answers. A model that rejoinder.toml has no endpoint
for needs its key in REJOINDER_KEY_<PROVIDER>, and its price unless it runs on a machine of your own.

The scores are compared case by case with a baseline (evals/baselines): exit code 1 where they are worse and the whole
95 % interval of the difference lies below zero, else 0. Choose a prompt on the cases of the split dev, and believe only
what it does on held_out.
"""

Model = Annotated[
    str | None,
    typer.Option(
        metavar="URI", help="provider::model, such as openai::gpt-4.1-mini; default local: no model."
    ),
]
Endpoint = Annotated[
    str | None, typer.Option(metavar="NAME", help="An endpoint of rejoinder.toml instead of --model.")
]
BaseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Address of the model where its provider has no usual one.")
]
PriceIn = Annotated[
    float | None, typer.Option(min=0, metavar="USD", help="What a million tokens read cost, for the budget.")
]
PriceOut = Annotated[
    float | None, typer.Option(min=0, metavar="USD", help="What a million tokens written cost.")
]
Prompt = Annotated[
    str | None, typer.Option(metavar="TASK.vN", help="Prompt file; default the one that is in force.")
]
Split = Annotated[str, typer.Option(help="Cases to run: dev, held_out or all.")]
CasesFile = Annotated[
    Path | None,
    typer.Option("--cases", metavar="FILE", help="Cases of your own, in the form of evals/README.md."),
]
Baseline = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Scores to compare with; default evals/baselines/TASK.json."),
]
Against = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="Whose scores; default the same model and prompt, else the same model, else local.",
    ),
]
Save = Annotated[bool, typer.Option("--save-baseline", help="Keep these scores as the baseline.")]
Track = Annotated[bool, typer.Option("--track/--no-track", help="Keep the run in MLflow.")]


def register_golden(group: typer.Typer) -> None:
    """Add a command per task to the group."""
    for task, about in ABOUT.items():
        short = f"Golden cases of {task}, for any prompt and model."
        group.command(task, help=about + MORE, short_help=short)(_command(task))


def _command(task: "TaskName") -> Callable[..., None]:
    def evaluate(
        model: Model = None,
        endpoint: Endpoint = None,
        prompt: Prompt = None,
        split: Split = "all",
        cases: CasesFile = None,
        baseline: Baseline = None,
        against: Against = None,
        save_baseline: Save = False,
        base_url: BaseUrl = None,
        price_in: PriceIn = None,
        price_out: PriceOut = None,
        track: Track = True,
        as_json: AsJson = False,
    ) -> None:
        from resources.evaluation.golden_models import Choice

        choice = Choice(model, endpoint, prompt, base_url, price_in, price_out)
        with reporting(as_json):
            # Read before anything is asked: a run may take long and cost money.
            known = _known(task, baseline, against, is_to_be_made=save_baseline)
            report = _run(task, choice, split, cases, as_json)
            report = _compared(report, known, against, is_to_be_made=save_baseline)
        run_id, trouble = _keep(report, baseline, is_tracked=track, is_saved=save_baseline)
        shown = {**plain_golden(report), "mlflow_run_id": run_id}
        if not as_json:
            _print(report, run_id)
        if trouble:
            fail(trouble, as_json, beside=shown)
        if as_json:
            print_json(shown)
        if report.comparison and report.comparison.is_regression:
            raise typer.Exit(1)

    return evaluate


def _run(task: "TaskName", choice: "Choice", split: str, cases: Path | None, quiet: bool) -> "GoldenReport":
    from time import perf_counter

    from cli.progress import progress_bar
    from resources.evaluation.golden import load_cases
    from resources.evaluation.golden_models import open_answerer
    from resources.evaluation.golden_run import run_golden
    from resources.settings import load_settings

    loaded = load_cases(task, cases, split=split)
    with (
        open_answerer(task, choice, load_settings()) as answerer,
        progress_bar(task, total=len(loaded), quiet=quiet) as told,
    ):
        return run_golden(task, loaded, answerer, split=split, clock=perf_counter, progress=told)


def _known(
    task: "TaskName", baseline: Path | None, against: str | None, *, is_to_be_made: bool
) -> "Baselines":
    """The scores to compare with; none where the file is only to be made, or ours is not there."""
    from resources.evaluation.golden_baselines import Baselines, baseline_file, load_baselines, runs_of

    path = baseline or baseline_file(task)
    if not path.exists() and (is_to_be_made or baseline is None):
        return Baselines(task=task)
    known = load_baselines(task, path)
    if against is not None:
        runs_of(known, against)
    return known


def _compared(
    report: "GoldenReport", known: "Baselines", against: str | None, *, is_to_be_made: bool
) -> "GoldenReport":
    from resources.evaluation.golden_baselines import compared

    return compared(report, known, against=against, is_replaced=is_to_be_made)


def _keep(
    report: "GoldenReport", baseline: Path | None, *, is_tracked: bool, is_saved: bool
) -> "tuple[str | None, RejoinderError | None]":
    """The run's id in MLflow, and what could not be kept: what was found out is shown all the same."""
    from rejoinder.errors import RejoinderError
    from resources.evaluation.golden_baselines import baseline_file, save_baseline

    run_id = None
    try:
        if is_saved:
            save_baseline(report, baseline or baseline_file(report.task))
        if is_tracked:
            run_id = _track(report)
    except RejoinderError as error:
        return run_id, error
    return run_id, None


def _track(report: "GoldenReport") -> str:
    """Keep the report as a run of the task's experiment in MLflow; the run's id."""
    from resources.evaluation.golden_record import evaluation_record
    from resources.provision import prepare
    from resources.settings import load_settings
    from resources.tracking import Tracker

    settings = load_settings()
    tracker = Tracker(prepare(settings).mlflow, settings.home_dir)
    stored = json.dumps(plain_golden(report), ensure_ascii=False).encode()
    return tracker.record_evaluation(evaluation_record(report, stored))


def plain_golden(report: "GoldenReport") -> dict[str, object]:
    """The report in types that JSON knows, all the way down."""
    read: dict[str, object] = json.loads(json.dumps(report, default=plain))
    return {**read, "is_regression": bool(report.comparison and report.comparison.is_regression)}


def _print(report: "GoldenReport", run_id: str | None) -> None:
    totals = report.totals
    rows = [("score", totals.score), *totals.others.items(), *totals.checks.items()]
    print_table(
        f"{report.task}: {report.model} with {report.prompt}, {len(report.cases)} cases ({report.split})",
        ("figure", "mean", "in 95 %", "cases"),
        [_row(name, interval) for name, interval in rows],
    )
    print_table(
        "score by kind of case", ("cases with", "mean", "in 95 %", "cases"),
        [_row(tag, interval) for tag, interval in totals.tags.items()],
    )  # fmt: skip
    _print_worst(report)
    _print_comparison(report)
    if report.cost_usd:
        say(f"It cost {report.cost_usd:.4f} US dollars.")
    if run_id:
        say(f"Kept in MLflow as run {run_id}.")


def _print_worst(report: "GoldenReport") -> None:
    worst = sorted(
        (case for case in report.cases if case.scored.score < 1), key=lambda case: case.scored.score
    )
    print_table(
        f"lowest scores, {min(SHOWN, len(worst))} of {len(worst)} below 1 (all with --json)",
        ("case", "score", "what is wrong"),
        [
            (
                case.id,
                f"{case.scored.score:.2f}",
                shortened(case.failure or "; ".join(case.scored.faults), 100),
            )
            for case in worst[:SHOWN]
        ],
        empty="Every case has a score of 1.",
    )


def _print_comparison(report: "GoldenReport") -> None:
    found = report.comparison
    if found is None:
        say("There is no baseline to compare with; --save-baseline makes one.")
        return
    print_table(
        f"changes from the baseline ({report.baseline})",
        ("case", "before", "after"),
        [(c.id, f"{c.before:.2f}", f"{c.after:.2f}") for c in found.changes],
        empty=f"No case changed from the baseline ({report.baseline}).",
    )
    if found.not_compared:
        say(f"Not in the baseline as worded now: {', '.join(found.not_compared)}.")
    gain = found.gain
    verdict = (
        "a regression" if found.is_regression else "better" if gain.is_above_zero else "no difference shown"
    )
    say(f"Difference over {gain.n} cases: {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]: {verdict}.")


def _row(name: str, interval: "Interval") -> tuple[str, str, str, int]:
    """A figure with its interval, which says nothing of a few cases."""
    told = f"[{interval.low:.3f}, {interval.high:.3f}]" if interval.n >= FEW else ""
    return name, f"{interval.mean:.3f}", told, interval.n
