"""`rejoinder bench`: speed, always as a ratio against a peer or a limit of the same run."""

from typing import Annotated

import typer

from cli.output import AsJson, print_json, print_table, reporting


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(bench)


def bench(
    name: Annotated[str, typer.Argument(help="Which benchmark: pipeline.")] = "pipeline",
    posts: Annotated[int, typer.Option(min=10, max=100_000, help="How many posts.")] = 2000,
    as_json: AsJson = False,
) -> None:
    """Measure posts per second from triage to draft, with Dagster's own share apart, in a home of its own."""
    with reporting(as_json):
        from rejoinder.errors import ConfigInvalid

        if name != "pipeline":
            raise ConfigInvalid(f"There is no benchmark named {name}; there is: pipeline.")
        from bench.pipeline import WALK, measure_pipeline
        from cli.progress import progress_bar

        with progress_bar("assets", total=len(WALK), quiet=as_json) as advance:
            result = measure_pipeline(posts, advance=advance)
        if as_json:
            print_json(result)
        else:
            print_table(f"bench {name}", ("figure", "value"), [(k, str(v)) for k, v in result.items()])
