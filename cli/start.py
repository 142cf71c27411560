"""`rejoinder init` and `rejoinder demo`: the first two commands."""

from pathlib import Path
from typing import Annotated

import typer

from cli.output import AsJson, print_json, reporting, say


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(init)
    app.command()(demo)


def init(as_json: AsJson = False) -> None:
    """Make the home and its PostgreSQL, with tables up to date.

    Safe to repeat.
    """
    with reporting(as_json):
        from resources.inbox import inbox_dir
        from resources.workbench import open_workbench

        bench = open_workbench()
        facts = {"home": str(bench.settings.home_dir), "inbox": str(inbox_dir(bench.settings))}
        if as_json:
            print_json(facts)
            return
        say(f"Ready. Home: {facts['home']}")
        say(f"Put transcripts into {facts['inbox']}, or run `rejoinder ingest PATH`.")
        say("Next: `rejoinder user add NAME --role admin`, then `rejoinder up`.")


def demo(
    transcripts: Annotated[
        Path | None, typer.Option(exists=True, help="Folder of transcripts; default: three sample episodes.")
    ] = None,
    posts: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="JSONL of posts; default: 60 sample posts."),
    ] = None,
    home: Annotated[Path | None, typer.Option(help="Folder for everything; default REJOINDER_HOME.")] = None,
    auto_review: Annotated[
        bool,
        typer.Option(
            "--auto-review", help="A simulated reviewer decides, so that the loop closes; sandbox only."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Walk the whole loop once on the sandbox.

    That is transcripts, posts, drafts, review, publishing and engagement. Nothing leaves this machine.
    Without --auto-review it stops at the review queue and says how to sign in.
    Running it again on the same home does nothing twice.
    """
    with reporting(as_json):
        from cli.demo_run import run_demo

        report = run_demo(transcripts, posts, home, is_auto_review=auto_review, quiet=as_json)
        if as_json:
            print_json(report.as_dict())
            return
        from cli.demo_table import show_report

        show_report(report, is_auto_review=auto_review)
