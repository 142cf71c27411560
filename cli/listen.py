"""`rejoinder listen`: hear what is said on the enabled channels."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import AsJson, print_json, print_table, reporting

if TYPE_CHECKING:
    from resources.listening import HeardReport


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(listen)


def listen(
    once: Annotated[
        bool, typer.Option("--once", help="Hear what is new now, then end; without it, listen on.")
    ] = False,
    every_s: Annotated[
        float,
        typer.Option("--every", min=1, metavar="SECONDS", help="Between two polls where there is no stream."),
    ] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Hear posts by the listening rules of every enabled channel, until Ctrl-C.

    X tells of posts through its filtered stream as they appear, Reddit is polled. What was said while nobody
    listened is caught up with first. What can't be read is quarantined with its reason; `rejoinder status`
    shows it.
    """
    with reporting(as_json):
        report = _listen(once=once, every_s=every_s, quiet=as_json)
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)


def _listen(*, once: bool, every_s: float, quiet: bool) -> "HeardReport":
    from cli.context import open_database
    from cli.progress import progress_bar
    from resources.clients import open_client
    from resources.listening import hear_all
    from resources.listening_stream import listen_stream
    from resources.settings import load_settings
    from resources.tuning import load_tuning
    from resources.work.stopping import stop_on_signals

    tuning = load_tuning(load_settings())
    with (
        open_database() as database,
        stop_on_signals() as stop,
        progress_bar("posts", quiet=quiet) as advance,
    ):
        if once:
            return hear_all(database, open_client=open_client, tuning=tuning, stop=stop, progress=advance)
        return listen_stream(
            database, open_client=open_client, tuning=tuning, stop=stop, progress=advance, poll_s=every_s
        )


def show(report: "HeardReport") -> None:
    """What was heard, for people."""
    rows = (
        (name, c.new, c.edited, c.known, c.quarantined, c.opted_out) for name, c in report.channels.items()
    )
    columns = ("channel", "new", "edited", "known before", "quarantined", "opted out")
    print_table("Posts heard", columns, rows)
    if report.errors:
        print_table("What stood in the way", ("times", "message"), ((n, m) for m, n in report.errors.items()))
