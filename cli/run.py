"""`rejoinder run`: work off what is due without a daemon."""

from typing import Annotated

import typer

from cli.output import AsJson, print_json, print_table, reporting

STAGES = "corpus, listening, triage, research, drafting, engagement, analytics"


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(run)


def run(
    stage: Annotated[
        str | None,
        typer.Argument(
            help=f"A group ({STAGES}) or one asset; without it everything, in the order of the walk."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Work off what is due, as one Dagster run in this process.

    It shows in Dagster's pages too.
    Work is committed item by item: a run that is killed loses nothing that was done, and the next one goes on.
    Ctrl-C finishes the item in hand. Nothing is published here: see `rejoinder publish`.
    """
    with reporting(as_json):
        from cli.assets import run_assets
        from rejoinder.errors import ConfigInvalid, StopAsked

        try:
            outcome = run_assets(stage)
        except KeyError:
            raise ConfigInvalid(f"There is no stage or asset named {stage}; there are {STAGES}.") from None
        except StopAsked as stopped:
            typer.echo(str(stopped), err=True)
            raise typer.Exit(130) from None
        if as_json:
            print_json(outcome)
        else:
            rows = [
                (name, f"{seconds:.2f}") for name, seconds in outcome.seconds.items() if "check" not in name
            ]
            print_table(f"Run {outcome.run_id[:8]}", ("asset", "seconds"), rows)
        if outcome.failed_checks:
            typer.echo(f"checks that failed: {', '.join(outcome.failed_checks)}", err=True)
            raise typer.Exit(1)
