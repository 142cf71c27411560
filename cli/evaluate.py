"""`rejoinder eval`: how good a part is, on public data or golden cases, with the uncertainty of each figure."""

import json
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.golden import register_golden
from cli.output import AsJson, console, plain, print_json, print_table, reporting, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rejoinder.corpus.retrieval.significance import Interval
    from rejoinder.llm.ports import Embedder
    from resources.evaluation.report import RetrievalReport, SystemReport
    from resources.evaluation.retrieval import Systems
    from resources.evaluation.task import Task
    from resources.tuning import Tuning

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
    typer.Option(
        "--rescorer",
        metavar="SPLIT",
        help="Train a re-scorer on this split and add it; without it the one that rejoinder.toml names, if any.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    group = typer.Typer(
        help="Measure quality, on public data and on golden cases.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("retrieval")(retrieval)
    group.command("length")(length)
    register_golden(group)
    app.add_typer(group, name="eval")


def retrieval(
    data: Data,
    split: Split = "test",
    rescorer: Learn = None,
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="QMSum: search all meetings, not only the one asked about.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option("--save-rescorer", metavar="FILE", help="Keep the trained re-scorer as a JSON file."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Embedding model; without it the one that rejoinder.toml names.")
    ] = None,
    peer: Annotated[bool, typer.Option("--bm25s/--no-bm25s", help="Run the library bm25s beside.")] = True,
    track: Annotated[bool, typer.Option("--track/--no-track", help="Keep the run in MLflow.")] = True,
    as_json: AsJson = False,
) -> None:
    """Measure search on public data.

    BM25, exact dense search and our engine stage by stage, side by side in one run.
    """
    with reporting(as_json):
        _check_saving(save, rescorer)
        from rejoinder.corpus.retrieval.rescorer import dump
        from resources.evaluation.retrieval import Systems, evaluate_retrieval
        from resources.llm.embedding_endpoints import shelf_of
        from resources.retrieval import configured_reranker
        from resources.settings import load_settings
        from resources.tuning import load_tuning

        tuning = load_tuning(load_settings())
        embedder = shelf_of(tuning).named(model or tuning.embedding.model)
        task = load_task(data, split, embedder, tuning, everywhere=everywhere)
        learnt = load_task(data, rescorer, embedder, tuning, everywhere=everywhere) if rescorer else None
        configured = None if learnt else configured_reranker(tuning.retrieval, embedder.model)
        systems = Systems(peer, learnt, configured)
        with _progress(task, systems, as_json) as told:
            report = evaluate_retrieval(task, embedder, tuning.retrieval, systems, progress=told)
        run_id = _track(report) if track else None
        if save and report.rescorer:
            save.write_bytes(dump(report.rescorer))
        if as_json:
            print_json({**plain_report(report), "mlflow_run_id": run_id})
        else:
            _print(report, run_id)


def length(
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="conformance/validate.yml of github.com/twitter/twitter-text.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Compare how we count with how X does.

    On twitter-text's own cases (configuration 3); exit code 1 where one differs.

    A reply that is too long is refused by X, one that is counted too long is shortened for nothing.
    """
    with reporting(as_json):
        from resources.evaluation.conformance import check_lengths

        results = check_lengths(data)
    failed = [(result.suite, case) for result in results for case in result.failed]
    if as_json:
        print_json({"name": "length", "suites": json.loads(json.dumps(results, default=plain))})
    else:
        rows = ((r.suite, r.n_cases, r.n_cases - len(r.failed)) for r in results)
        print_table("Weighted length on X", ("suite", "cases", "as expected"), rows)
    for suite, case in failed if not as_json else ():
        say(f"{suite}: {case.description}: expected {case.expected_length}, counted {case.length}")
    raise typer.Exit(int(bool(failed)))


def load_task(
    data: Path, split: str, embedder: "Embedder", tuning: "Tuning", *, everywhere: bool = False
) -> "Task":
    """The data as a task: a QMSum file, its meetings cut as the tuning has it, or a BEIR folder.

    Raises:
        ConfigInvalid: it is neither, or nothing in it can be used.
    """
    from rejoinder.errors import ConfigInvalid
    from resources.evaluation.beir import load_beir
    from resources.evaluation.meetings import load_meetings, part_of
    from resources.evaluation.task import document_task, meeting_task
    from resources.steps.chunking import cutting_rule

    if data.suffix == ".jsonl":
        meetings = part_of(load_meetings(data), split)
        return meeting_task(
            meetings,
            split=split,
            count_tokens=embedder.count_tokens,
            within_meeting=not everywhere,
            rule=cutting_rule(tuning),
            embed=embedder.embed,
        )
    if not data.is_dir():
        raise ConfigInvalid(f"{data} is neither a folder nor a .jsonl file.")
    return document_task(load_beir(data, split=split), count_tokens=embedder.count_tokens)


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


def _check_saving(path: Path | None, rescorer: str | None) -> None:
    """Before the long run, so that nothing is learned that then cannot be kept."""
    from rejoinder.errors import ConfigInvalid

    if path is None:
        return
    if rescorer is None:
        raise ConfigInvalid("There is no re-scorer to save.", fix="Name a split to learn from (--rescorer).")
    if not path.parent.is_dir() or path.is_dir():
        raise ConfigInvalid(f"{path} cannot be written.", fix="Name a file in a folder that is there.")


def plain_report(report: "RetrievalReport") -> dict[str, object]:
    """The report in types that JSON knows, all the way down."""
    read: dict[str, object] = json.loads(json.dumps(report, default=plain))
    return read


def _print(report: "RetrievalReport", run_id: str | None) -> None:
    names = list(report.systems[0].figures)
    print_table(
        f"{report.benchmark} {report.split}: {report.n_questions} questions, {report.n_passages} passages",
        ("system", *names, f"{report.headline} in 95 %", "p50 / p95 ms"),
        [_row(system, names, report.headline) for system in report.systems],
    )
    gains = [(s.system, other, gain) for s in report.systems for other, gain in s.gains.items()]
    print_table(
        f"gains in {report.headline}, question by question",
        ("system", "over", "gain", "in 95 %"),
        [(system, other, f"{gain.mean:+.4f}", _interval(gain)) for system, other, gain in gains],
    )
    for note in report.notes:
        say(f"note: {note}")
    if run_id:
        console().print(f"Kept in MLflow as run {run_id}.", markup=False, highlight=False)


def _row(system: "SystemReport", names: list[str], headline: str) -> list[str]:
    figures = [f"{system.figures[name].mean:.4f}" for name in names]
    last = list(system.latency.values())[-1:]
    latency = [f"{s.p50_ms:.1f} / {s.p95_ms:.1f}" for s in last] or [""]
    return [system.system, *figures, _interval(system.figures[headline]), *latency]


def _interval(interval: "Interval") -> str:
    return f"[{interval.low:.4f}, {interval.high:.4f}]"
