"""`rejoinder bench`: speed, always as a ratio against a peer or a limit of the same run."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import AsJson, print_json, print_table, reporting


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(bench)


def bench(
    name: Annotated[str, typer.Argument(help="Which benchmark: pipeline, ingest or retrieval.")] = "pipeline",
    posts: Annotated[int, typer.Option(min=10, max=100_000, help="pipeline: how many posts.")] = 2000,
    chunks: Annotated[int, typer.Option(min=100, max=2_000_000, help="retrieval: how many chunks.")] = 20_000,
    data: Annotated[
        Path | None, typer.Option(help="retrieval: a folder of texts; the samples where not given.")
    ] = None,
    embed: Annotated[
        int,
        typer.Option(min=10, help="retrieval: chunks embedded for real; other vectors are mixed of theirs."),
    ] = 2_000,
    rounds: Annotated[int, typer.Option(min=2, max=1000, help="ingest: how many rounds.")] = 9,
    recording: Annotated[
        Path | None,
        typer.Option(
            help="ingest: a long transcript, instead of one of five hours made up.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure in a home of its own, which is removed afterwards.

    pipeline: posts per second to a draft. ingest: embedding through the pipeline beside the bare model, and the memory
    of a recording of five hours. retrieval: milliseconds of a search.
    """
    with reporting(as_json):
        if name == "ingest":
            result = _ingest(rounds, recording, as_json)
        else:
            result = _measure(name, posts, chunks, data, embed, as_json)
        if as_json:
            print_json(result)
        else:
            print_table(f"bench {name}", ("figure", "value"), [(k, str(v)) for k, v in result.items()])


def _ingest(rounds: int, recording: Path | None, quiet: bool) -> dict[str, Any]:
    from bench.ingest import measure_ingest
    from cli.progress import progress_bar

    with progress_bar("rounds", total=rounds + 1, quiet=quiet) as advance:
        return measure_ingest(rounds=rounds, recording=recording, advance=advance)


def _measure(
    name: str, posts: int, chunks: int, data: Path | None, embed: int, is_quiet: bool
) -> dict[str, Any]:
    from cli.progress import progress_bar
    from rejoinder.errors import ConfigInvalid

    if name == "pipeline":
        from bench.pipeline import WALK, measure_pipeline

        with progress_bar("assets", total=len(WALK), quiet=is_quiet) as advance:
            return measure_pipeline(posts, advance=advance)
    if name == "retrieval":
        from bench.retrieval import N_QUERIES, measure_retrieval

        with progress_bar(
            "chunks and queries", total=chunks + 2 * (N_QUERIES + 1), quiet=is_quiet
        ) as advance:
            return measure_retrieval(chunks, data=data, n_embedded=embed, advance=advance)
    raise ConfigInvalid(f"There is no benchmark named {name}; there are: pipeline, ingest, retrieval.")
