"""`rejoinder bench`: speed and size, always as a ratio against a peer or a limit of the same run."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import AsJson, print_json, print_table, reporting, say

# Documents stored at the four sizes, and questions asked at each: only for the length of the progress bar.
CONTEXT_STEPS = 2_000


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(bench)


def bench(
    name: Annotated[
        str,
        typer.Argument(
            help="Which benchmark: pipeline, ingest, listen-ingest, listen-stream, retrieval, context, gateway, json "
            "publish-faults or publish-overhead."
        ),
    ] = "pipeline",
    posts: Annotated[
        int | None,
        typer.Option(min=10, max=1_000_000, help="How many posts; pipeline: 2,000, listen-ingest: 100,000."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="context, retrieval: the folder of the data sets, or of texts.", show_default=False
        ),
    ] = None,
    chunks: Annotated[int, typer.Option(min=100, max=2_000_000, help="retrieval: how many chunks.")] = 20_000,
    embed: Annotated[
        int,
        typer.Option(min=10, help="retrieval: chunks embedded for real; other vectors are mixed of theirs."),
    ] = 2_000,
    documents: Annotated[
        int, typer.Option(min=100, max=10_000, help="context: how many real documents.")
    ] = 1000,
    distractors: Annotated[
        int, typer.Option(min=0, max=100_000, help="context: how many made-up documents come after them.")
    ] = 9000,
    questions: Annotated[
        int | None,
        typer.Option(min=10, help="context: how many questions at each size; all of them where not given."),
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(help="context, retrieval: where vectors are kept from run to run.", show_default=False),
    ] = None,
    rounds: Annotated[int, typer.Option(min=2, max=1000, help="ingest: how many rounds.")] = 9,
    recording: Annotated[
        Path | None,
        typer.Option(
            help="ingest: a long transcript, instead of one of five hours made up.", show_default=False
        ),
    ] = None,
    pairs: Annotated[
        int, typer.Option(min=20, max=10_000, help="gateway: calls through it, and as many beside it.")
    ] = 200,
    calls: Annotated[
        int, typer.Option(min=100, max=1_000_000, help="gateway: calls over which memory is watched.")
    ] = 10_000,
    latency: Annotated[
        float, typer.Option(min=0, max=10_000, help="gateway: milliseconds the model takes for an answer.")
    ] = 100,
    seconds: Annotated[
        float, typer.Option(min=5, max=86_400, help="listen-stream: how long posts come.")
    ] = 600,
    rate: Annotated[
        float, typer.Option(min=1, max=2_000, help="listen-stream: posts per second; X's own cap is 250.")
    ] = 250,
    faults: Annotated[
        bool, typer.Option("--faults", help="listen-stream: something breaks every few seconds.")
    ] = False,
    model: Annotated[str, typer.Option(help="json: a model on this machine.")] = "llamacpp::smollm2",
    cases: Annotated[int, typer.Option(min=1, max=10_000, help="json: how many answers.")] = 100,
    publications: Annotated[
        int | None,
        typer.Option(
            min=10,
            max=100_000,
            help="How many replies are approved; publish-faults: 2,000, publish-overhead: 10,000.",
        ),
    ] = None,
    publishers: Annotated[
        int, typer.Option(min=1, max=16, help="publish-faults: publishers side by side.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="publish-faults: draws what breaks, and when.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Measure in a home of its own, which is removed afterwards.

    pipeline: posts per second from triage to draft, with Dagster's own share apart. ingest: embedding through the
    pipeline beside the bare model, and the memory of a recording of five hours. listen-ingest: archived posts per
    second into PostgreSQL beside a plain COPY. retrieval: milliseconds of a search over many chunks, with filters,
    without and with a re-scorer, and what it finds of an exact scan. context: tokens of a context and recall of its
    evidence from ten documents on. gateway: milliseconds that the model gateway adds to a call of LiteLLM, its limit
    under 200 calls at once, its memory over many. json: answers of a model on this machine that keep to their JSON
    Schema. publish-faults: replies sent while everything breaks, and how many of them went wrong; the exit code is 1
    if any did. publish-overhead: milliseconds that the publisher adds to a reply beside two plain commits, and its
    memory while thousands of due replies drain at their limit's pace.
    """
    with reporting(as_json):
        measured: dict[str, Callable[[], dict[str, Any]]] = {
            "pipeline": lambda: _pipeline(posts or 2000, as_json),
            "ingest": lambda: _ingest(rounds, recording, as_json),
            "listen-ingest": lambda: _listen_ingest(posts or 100_000, as_json),
            "listen-stream": lambda: _listen_stream(seconds, rate, faults, as_json),
            "retrieval": lambda: _retrieval(chunks, data, embed, vectors, as_json),
            "context": lambda: _context(data, documents, distractors, questions, vectors, as_json),
            "gateway": lambda: _gateway(pairs, calls, latency, as_json),
            "json": lambda: _json_answers(model, cases, as_json),
            "publish-faults": lambda: _publish_faults(publications or 2000, publishers, seed),
            "publish-overhead": lambda: _publish_overhead(publications or 10_000),
        }
        if name not in measured:
            from rejoinder.errors import ConfigInvalid

            raise ConfigInvalid(f"There is no benchmark named {name}; there are: {', '.join(measured)}.")
        result = measured[name]()
        if as_json:
            print_json(result)
        else:
            _show(name, result)
    if not result.get("is_clean", True):
        raise typer.Exit(1)


def _pipeline(posts: int, quiet: bool) -> dict[str, Any]:
    from bench.pipeline import WALK, measure_pipeline
    from cli.progress import progress_bar

    with progress_bar("assets", total=len(WALK), quiet=quiet) as advance:
        return measure_pipeline(posts, advance=advance)


def _listen_ingest(posts: int, quiet: bool) -> dict[str, Any]:
    from bench.listen_ingest import PASSES, measure_listen_ingest
    from cli.progress import progress_bar

    with progress_bar("passes", total=len(PASSES), quiet=quiet) as advance:
        return measure_listen_ingest(posts, advance=advance)


def _listen_stream(seconds: float, rate: float, has_faults: bool, quiet: bool) -> dict[str, Any]:
    from bench.listen_stream import measure_listen_stream
    from cli.progress import progress_bar

    with progress_bar("seconds", total=int(seconds), quiet=quiet) as advance:
        return measure_listen_stream(seconds=seconds, rate_per_s=rate, has_faults=has_faults, advance=advance)


def _retrieval(
    chunks: int, data: Path | None, embed: int, vectors: Path | None, quiet: bool
) -> dict[str, Any]:
    from bench.retrieval import measure_retrieval, n_steps
    from cli.progress import progress_bar

    with progress_bar("chunks and queries", total=n_steps(chunks, embed), quiet=quiet) as advance:
        return measure_retrieval(chunks, data=data, n_embedded=embed, vectors=vectors, advance=advance)


def _ingest(rounds: int, recording: Path | None, quiet: bool) -> dict[str, Any]:
    from bench.ingest import measure_ingest
    from cli.progress import progress_bar

    with progress_bar("rounds", total=rounds + 1, quiet=quiet) as advance:
        return measure_ingest(rounds=rounds, recording=recording, advance=advance)


def _context(
    data: Path | None,
    documents: int,
    distractors: int,
    questions: int | None,
    vectors: Path | None,
    quiet: bool,
) -> dict[str, Any]:
    from bench.context import measure_context
    from cli.progress import progress_bar
    from rejoinder.errors import ConfigInvalid

    if data is None:
        raise ConfigInvalid(
            "The benchmark of contexts needs --data.", fix="Name the folder of the data sets."
        )
    with progress_bar("documents and questions", total=CONTEXT_STEPS + distractors, quiet=quiet) as advance:
        return measure_context(
            data,
            documents=documents,
            distractors=distractors,
            vectors=vectors,
            advance=advance,
            questions=questions,
        )


def _json_answers(model: str, cases: int, quiet: bool) -> dict[str, Any]:
    from bench.json_answers import measure_json
    from cli.progress import progress_bar

    with progress_bar("answers", total=cases, quiet=quiet) as advance:
        return measure_json(model, cases, advance=advance)


def _gateway(pairs: int, calls: int, latency_ms: float, quiet: bool) -> dict[str, Any]:
    from bench.gateway import measure_gateway, n_steps
    from cli.progress import progress_bar

    with progress_bar("calls", total=n_steps(pairs, calls), quiet=quiet) as advance:
        return measure_gateway(pairs=pairs, calls=calls, latency_ms=latency_ms, advance=advance)


def _publish_faults(publications: int, publishers: int, seed: int) -> dict[str, Any]:
    from bench.publish_faults import measure_publish_faults
    from cli.progress import progress_bar

    # Minutes long, so its progress shows on stderr whatever stdout is for.
    with progress_bar("approvals and publications", total=2 * publications) as advance:
        return measure_publish_faults(
            publications=publications, publishers=publishers, seed=seed, advance=advance
        )


def _publish_overhead(publications: int) -> dict[str, Any]:
    from bench.publish_overhead import TIMED, measure_publish_overhead
    from cli.progress import progress_bar

    total = 2 * (publications + min(TIMED, publications))
    with progress_bar("approvals and replies", total=total) as advance:
        return measure_publish_overhead(publications, advance=advance)


def _show(name: str, result: dict[str, Any]) -> None:
    levels = result.pop("levels", {})
    print_table(f"bench {name}", ("figure", "value"), [(k, str(v)) for k, v in result.items()])
    for size, line in levels.items():
        say(f"{size} documents: {', '.join(f'{k} {v}' for k, v in line.items())}")
