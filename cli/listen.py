"""`rejoinder listen`: hear what is said on the enabled channels."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import AsJson, print_json, print_table, reporting
from cli.rounds import channel_advice, warn

if TYPE_CHECKING:
    from resources.listening import HeardReport
    from resources.workbench import Workbench


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(listen)


def listen(
    once: Annotated[
        bool, typer.Option("--once", help="Hear what is new now, then end; without it, listen on.")
    ] = False,
    every_s: Annotated[
        float,
        typer.Option(
            "--every",
            min=1,
            metavar="SECONDS",
            help="Between two polls, of all or beside a stream of mentions.",
        ),
    ] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Hear posts by the listening rules, until Ctrl-C.

    Every enabled channel is listened to.
    X tells of posts through its filtered stream as they appear, Reddit is polled. What was said while nobody
    listened is caught up with, and mentions are polled beside the stream. Only one listener can have a token's
    stream: a second one polls. Rules may change meanwhile. What can't be read is quarantined with its reason;
    `rejoinder status` shows it.
    """
    from resources.rounds import open_bench

    with reporting(as_json), open_bench() as bench:
        report = _listen(bench, once=once, every_s=every_s, quiet=as_json)
        advice, code = channel_advice(bench.db, report.errors)
    if as_json:
        print_json({**report.as_dict(), "fix": advice})
    else:
        show(report)
        warn(advice)
    raise typer.Exit(code)


def _listen(bench: "Workbench", *, once: bool, every_s: float, quiet: bool) -> "HeardReport":
    from cli.progress import progress_bar
    from resources import rounds

    if not once and not quiet:
        warn(channel_advice(bench.db)[0])
    with progress_bar("posts", quiet=quiet) as advance:
        if once:
            return rounds.hear(bench, progress=advance)
        return rounds.listen(bench, progress=advance, poll_s=every_s)


def show(report: "HeardReport") -> None:
    """What was heard, for people."""
    rows = (
        (name, c.new, c.edited, c.known, c.quarantined, c.opted_out) for name, c in report.channels.items()
    )
    columns = ("channel", "new", "edited", "known before", "quarantined", "opted out")
    print_table("Posts heard", columns, rows)
    if report.errors:
        print_table("What stood in the way", ("times", "message"), ((n, m) for m, n in report.errors.items()))
