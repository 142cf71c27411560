"""`rejoinder publish`: send what was approved, once or for as long as it runs."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import AsJson, print_json, print_table, reporting, say
from cli.rounds import channel_advice, warn

if TYPE_CHECKING:
    from resources.publishing.report import PublishReport
    from resources.workbench import Workbench


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(publish)


def publish(
    once: Annotated[
        bool, typer.Option("--once", help="Send what is due now, then end (the default).")
    ] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Send whatever becomes due until stopped.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send approved replies, each at most once.

    What a person approved is sent word for word. Where the outcome of a request was not seen, the account's
    own timeline is read back; nothing is ever sent again blindly. Several publishers may run side by side.
    Ctrl-C finishes the reply in hand.
    """
    with reporting(as_json):
        from rejoinder.errors import ConfigInvalid
        from resources.rounds import open_bench

        if once and loop:
            raise ConfigInvalid("--once and --loop exclude each other: give one of them.")
        with open_bench() as bench:
            report = _publish(bench, loop=loop, quiet=as_json)
            has_success = bool(report.sent or report.found or report.refused)
            advice, code = channel_advice(bench.db, report.errors, has_success=has_success)
    if as_json:
        print_json({**report.as_dict(), "fix": advice})
    else:
        show(report)
        warn(advice)
    raise typer.Exit(code)


def _publish(bench: "Workbench", *, loop: bool, quiet: bool) -> "PublishReport":
    from cli.progress import progress_bar
    from resources import rounds

    if loop:
        if not quiet:
            warn(channel_advice(bench.db)[0])
        return rounds.keep_publishing(bench, on_pass=None if quiet else _say_pass)
    with progress_bar("replies", total=rounds.publications_due(bench), quiet=quiet) as advance:
        return rounds.publish(bench, progress=advance)


def _say_pass(report: "PublishReport") -> None:
    if report.items or report.deferred or report.cancelled:
        say(summary(report))


def summary(report: "PublishReport") -> str:
    """One line about a pass."""
    counts = {
        "sent": report.sent,
        "found by read-back": report.found,
        "refused": report.refused,
        "to be tried again": report.requeued,
        "waiting for a limit": report.deferred,
        "of unknown outcome": report.unknown + report.still_unknown + report.absent,
        "cancelled": report.cancelled,
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing was due"


def show(report: "PublishReport") -> None:
    """What was done, for people."""
    say(summary(report) + ".")
    if report.errors:
        print_table("What stood in the way", ("times", "message"), ((n, m) for m, n in report.errors.items()))
