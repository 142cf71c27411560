"""`rejoinder ingest`: files into sources, and the sources searchable."""

from pathlib import Path
from typing import Annotated

import typer

from cli.output import AsJson, print_json, print_table, reporting, say


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(ingest)


def ingest(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Transcripts, or folders of them; without any the inbox of the home."),
    ] = None,
    only_read: Annotated[
        bool, typer.Option("--only-read", help="Read the files, leave cutting and embedding to Dagster.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read transcripts (WebVTT, SRT, text, Markdown, Whisper JSON ...) and make them searchable.

    A file that was read before is left alone unless it changed. What can't be read is quarantined with its
    reason, which `rejoinder status` shows, and the rest goes on.
    """
    with reporting(as_json):
        from cli.progress import progress_bar
        from resources.inbox import ingest_paths
        from resources.wiring import open_workbench, run_step

        bench = open_workbench()
        with progress_bar("files", quiet=as_json) as advance:
            report = ingest_paths(bench, paths or [], progress=advance)
        if not only_read:
            for step in ("chunk", "embed_chunks", "keywords"):
                with progress_bar(step.replace("_", " "), quiet=as_json) as advance:
                    run_step(bench, step, progress=advance)
        if as_json:
            print_json(report)
            return
        say(f"{len(report.new)} new, {len(report.changed)} changed, {len(report.unchanged)} known before.")
        if report.quarantined:
            print_table("Quarantined", ("file", "reason"), report.quarantined.items())
