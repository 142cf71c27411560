"""Baselines: what each prompt and model scored on each case, kept in the repository as evals/baselines/<task>.json."""

import json
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from rejoinder.errors import ConfigInvalid
from rejoinder.evaluation.regression import DECIMALS, KnownScore, compare_with
from resources.evaluation.golden import FOLDER, TaskName
from resources.evaluation.golden_run import SEED, GoldenReport
from resources.tuning_models import LOCAL, LOCAL_URI


class SavedScore(BaseModel):
    """The score of a case, and the case's hash when it was scored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    score: float
    case: str


class SavedRun(BaseModel):
    """The scores of one model with one prompt."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    prompt: str
    scores: dict[str, SavedScore]

    @property
    def name(self) -> str:
        """Model and prompt, for people."""
        return f"{self.model}, {self.prompt}"


class Baselines(BaseModel):
    """A baseline file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: TaskName
    runs: tuple[SavedRun, ...] = ()


def baseline_file(task: TaskName) -> Path:
    """Our own file of a task."""
    return FOLDER / "baselines" / f"{task}.json"


def load_baselines(task: TaskName, path: Path) -> Baselines:
    """The baselines of a file.

    Raises:
        ConfigInvalid: it cannot be read, breaks the form, or is of another task.
    """
    try:
        found = Baselines.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigInvalid(
            f"{path} cannot be read: {error.strerror}.",
            fix="Name a baseline file, or make this one with --save-baseline.",
        ) from None
    except ValidationError as error:
        raise ConfigInvalid(f"{path} is no baseline file: {error.errors()[0]['msg']}.") from None
    if found.task != task:
        raise ConfigInvalid(f"{path} is of the task {found.task}, not {task}.")
    return found


def compared(
    report: GoldenReport, known: Baselines, *, against: str | None = None, is_replaced: bool = False
) -> GoldenReport:
    """The report with its comparison.

    Args:
        report: what ran.
        known: runs to choose from.
        against: the model to compare with. Without it: the same model and prompt; else the same model, saved last;
            else the answers without a model; else what was saved last.
        is_replaced: the baseline is about to be written anew, so there need be nothing to compare.

    Raises:
        ConfigInvalid: there is no run of that model, or none of its cases is as it was.
    """
    if not known.runs:
        return report
    chosen = _chosen(report, known, against)
    scores = {name: KnownScore(one.score, one.case) for name, one in chosen.scores.items()}
    comparison = compare_with(report.cases, scores, seed=SEED)
    if comparison is None and is_replaced:
        return report
    if comparison is None:
        raise ConfigInvalid(
            f"No case is in the baseline of {chosen.name} as it is worded now.",
            fix="Save a new baseline with --save-baseline.",
        )
    return replace(report, comparison=comparison, baseline=chosen.name)


def runs_of(known: Baselines, model: str) -> list[SavedRun]:
    """The runs of a model, saved last at the end; ``local`` is the answers without a model.

    Raises:
        ConfigInvalid: there is none.
    """
    wanted = LOCAL_URI if model == LOCAL else model
    found = [run for run in known.runs if run.model == wanted]
    if not found:
        models = ", ".join(sorted({run.model for run in known.runs})) or "none"
        raise ConfigInvalid(f"There is no baseline of {model}; there are: {models}.")
    return found


def save_baseline(report: GoldenReport, path: Path) -> None:
    """Write the scores into the file, in place of those of the same model and prompt; cases not run keep theirs.

    Raises:
        ConfigInvalid: a case has no answer for a passing reason, or the file cannot be written.
    """
    away = [case.id for case in report.cases if (case.failure or "").startswith("ModelTrouble")]
    if away:
        raise ConfigInvalid(
            f"The model was away for {', '.join(away)}: such scores are no baseline.",
            fix="Run it again later.",
        )
    known = load_baselines(report.task, path) if path.exists() else Baselines(task=report.task)
    mine = {c.id: SavedScore(score=round(c.scored.score, DECIMALS), case=c.case_hash) for c in report.cases}
    before = [run for run in known.runs if (run.model, run.prompt) == (report.model, report.prompt)]
    others = [run for run in known.runs if run not in before]
    scores = {**(before[0].scores if before else {}), **mine}
    saved = SavedRun(model=report.model, prompt=report.prompt, scores=dict(sorted(scores.items())))
    _write(path, Baselines(task=report.task, runs=(*others, saved)))


def _chosen(report: GoldenReport, known: Baselines, against: str | None) -> SavedRun:
    if against is not None:
        return runs_of(known, against)[-1]
    preferences = (
        lambda run: (run.model, run.prompt) == (report.model, report.prompt),
        lambda run: run.model == report.model,
        lambda run: run.model == LOCAL_URI,
        lambda run: True,
    )
    return next(run for wanted in preferences for run in reversed(known.runs) if wanted(run))


def _write(path: Path, baselines: Baselines) -> None:
    text = json.dumps(baselines.model_dump(), ensure_ascii=False, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", "utf-8")
    except OSError as error:
        raise ConfigInvalid(f"{path} cannot be written: {error.strerror}.") from None
