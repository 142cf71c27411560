"""`rejoinder eval`: how good a part is, on data in the field's own formats, with the uncertainty of each figure."""

import json
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import AsJson, console, plain, print_json, print_table, reporting, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rejoinder.corpus.retrieval.significance import Interval
    from resources.evaluation.report import RetrievalReport, SystemReport
    from resources.evaluation.retrieval import Systems
    from resources.evaluation.task import Task

Data = Annotated[
    Path,
    typer.Option(
        "--data", metavar="DIR", help="BEIR folder (corpus.jsonl, queries.jsonl, qrels/) or a QMSum file."
    ),
]
Split = Annotated[
    str,
    typer.Option(
        help="Judgements to use: a name in qrels/; for QMSum report, choose or all (of the meetings)."
    ),
]
Learn = Annotated[
    str | None,
    typer.Option("--rescorer", metavar="SPLIT", help="Train a re-scorer on this split and add it."),
]


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    group = typer.Typer(help="Measure quality on public data.", no_args_is_help=True, rich_markup_mode=None)
    group.command("retrieval")(retrieval)
    app.add_typer(group, name="eval")


def retrieval(
    data: Data,
    split: Split = "test",
    rescorer: Learn = None,
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="QMSum: search all meetings, not only the one asked about.")
    ] = False,
    peer: Annotated[bool, typer.Option("--bm25s/--no-bm25s", help="Run the library bm25s beside.")] = True,
    track: Annotated[bool, typer.Option("--track/--no-track", help="Keep the run in MLflow.")] = True,
    as_json: AsJson = False,
) -> None:
    """Rank passages with BM25, exact dense search and our engine stage by stage, side by side in one run."""
    with reporting(as_json):
        from resources.evaluation.retrieval import Systems, evaluate_retrieval
        from resources.llm.onnx_embedder import OnnxEmbedder
        from resources.settings import load_settings
        from resources.tuning import load_tuning

        embedder = OnnxEmbedder()
        task = _task(data, split, everywhere, embedder.count_tokens)
        learnt = _task(data, rescorer, everywhere, embedder.count_tokens) if rescorer else None
        systems = Systems(with_bm25s=peer, train=learnt)
        tuning = load_tuning(load_settings()).retrieval
        with _progress(task, systems, as_json) as told:
            report = evaluate_retrieval(task, embedder, tuning, systems, progress=told)
        run_id = _track(report) if track else None
        if as_json:
            print_json({**plain_report(report), "mlflow_run_id": run_id})
        else:
            _print(report, run_id)


def _task(data: Path, split: str, everywhere: bool, count_tokens: "Callable[[str], int]") -> "Task":
    """The data as a task: a QMSum file, or a BEIR folder."""
    from rejoinder.errors import ConfigInvalid
    from resources.evaluation.beir import load_beir
    from resources.evaluation.meetings import load_meetings, part_of
    from resources.evaluation.task import document_task, meeting_task

    if data.suffix == ".jsonl":
        meetings = part_of(load_meetings(data), split)
        return meeting_task(meetings, split=split, count_tokens=count_tokens, within_meeting=not everywhere)
    if not data.is_dir():
        raise ConfigInvalid(f"{data} is neither a folder nor a .jsonl file.")
    return document_task(load_beir(data, split=split), count_tokens=count_tokens)


@contextmanager
def _progress(task: "Task", systems: "Systems", quiet: bool) -> "Iterator[Callable[[str, int], None]]":
    """One bar per stage, each opened when its first item is done."""
    from cli.progress import progress_bar

    totals = {"embed": len(task.passages), "store": len(task.sources), "ask": len(task.questions)}
    if systems.train is not None:
        totals["learn"] = len(systems.train.questions)
    with ExitStack() as stack:
        bars: dict[str, Callable[[int], None]] = {}

        def told(stage: str, n: int) -> None:
            if stage not in bars:
                stack.close()
                bars[stage] = stack.enter_context(progress_bar(stage, total=totals[stage], quiet=quiet))
            bars[stage](n)

        yield told


def _track(report: "RetrievalReport") -> str:
    """Keep the report as a run of MLflow's experiment ``retrieval``; the run's id."""
    from resources.provision import prepare
    from resources.settings import load_settings
    from resources.tracking import Tracker
    from resources.tracking_values import EvaluationRecord

    settings = load_settings()
    tracker = Tracker(prepare(settings).mlflow, settings.home_dir)
    return tracker.record_evaluation(
        EvaluationRecord(
            experiment="retrieval",
            name=f"{report.benchmark}-{report.split}",
            parameters=report.settings,
            metrics=report.metrics(),
            tags={"benchmark": report.benchmark, "split": report.split},
            report=json.dumps(plain_report(report), ensure_ascii=False).encode(),
        )
    )


def plain_report(report: "RetrievalReport") -> dict[str, object]:
    """The report in types that JSON knows, all the way down."""
    read: dict[str, object] = json.loads(json.dumps(report, default=plain))
    return read


def _print(report: "RetrievalReport", run_id: str | None) -> None:
    names = list(report.systems[0].figures)
    print_table(
        f"{report.benchmark} {report.split}: {report.n_questions} questions, {report.n_passages} passages",
        ("system", *names, f"gain in {report.headline} over", "95 % interval", "p50 / p95 ms"),
        [_row(system, names) for system in report.systems],
    )
    for note in report.notes:
        say(f"note: {note}")
    if run_id:
        console().print(f"Kept in MLflow as run {run_id}.", markup=False, highlight=False)


def _row(system: "SystemReport", names: list[str]) -> list[str]:
    figures = [f"{system.figures[name].mean:.4f}" for name in names]
    gain = f"{system.gain.mean:+.4f} {system.over}" if system.gain else ""
    interval = _interval(system.gain or next(iter(system.figures.values())))
    last = list(system.latency.values())[-1:]
    return [system.system, *figures, gain, interval, *(f"{s.p50_ms:.1f} / {s.p95_ms:.1f}" for s in last)]


def _interval(interval: "Interval") -> str:
    return f"[{interval.low:.4f}, {interval.high:.4f}]"
