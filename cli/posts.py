"""`rejoinder posts`: posts that were not heard but kept in a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import AsJson, print_json, print_table, reporting, say

if TYPE_CHECKING:
    from resources.importing import ImportReport

posts = typer.Typer(no_args_is_help=True, help="Bring posts in from files.")


def register(app: typer.Typer) -> None:
    """Add the sub-app to the root."""
    app.add_typer(posts, name="posts")


@posts.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="JSON lines, CSV or TSV (also with .gz), a JSON array, X's tweets.js, or the .zip of X's export.",
        ),
    ],
    channel: Annotated[str, typer.Option(help="The channel that is to have heard them.")],
    triage_days: Annotated[
        float,
        typer.Option(min=0, metavar="DAYS", help="Posts up to so old go to triage; older ones are history."),
    ] = 7.0,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Read the file again from its first record.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import archived posts as heard on a channel; Ctrl-C stops it, and the same command goes on.

    Each post is kept once; those that are known stay as they are. What can't be read is quarantined with its
    line and reason, and the rest goes on.
    """
    from resources.rounds import open_bench

    with reporting(as_json), open_bench() as bench:
        from cli.progress import progress_bar
        from resources.importing import import_posts
        from resources.work.stopping import PROCESS_STOP, stop_on_signals

        with stop_on_signals(PROCESS_STOP) as stop, progress_bar("posts", quiet=as_json) as advance:
            report = import_posts(
                bench.db,
                channel,
                file,
                stop=stop,
                triage_days=triage_days,
                keep_days=bench.tuning.compliance.keep_days,
                from_start=from_start,
                progress=advance,
            )
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)
    raise typer.Exit(0 if report.is_complete else 130)


def show(report: "ImportReport") -> None:
    """What came in, for people."""
    counts = report.counts
    row = (
        *(report.records, counts.new, counts.known, counts.edited, counts.quarantined, counts.opted_out),
        report.too_old,
    )
    columns = ("records", "new", "known before", "edited", "quarantined", "opted out", "too old")
    done = "" if report.is_complete else " (stopped: run it again to go on)"
    print_table(f"Imported {report.file} as heard on {report.channel}{done}", columns, [row])
    if report.too_old:
        say(
            f"{report.too_old:,} posts are older than compliance.keep_days and were left out: the policy of"
            f" {report.channel} allows no training, so each would be looked up again and again, at a price, and purged."
            " A channel on the sandbox keeps them."
        )
