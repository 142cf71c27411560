"""`rejoinder recheck`: look heard posts up again and honour what was deleted or edited."""

from typing import TYPE_CHECKING

import typer

from cli.output import AsJson, print_json, print_table, reporting
from cli.rounds import channel_advice, warn

if TYPE_CHECKING:
    from resources.compliance import StandingReport

VERDICTS = ("stands", "edited", "replaced", "gone", "hidden", "restored", "purged", "unsaid")


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(recheck)


def recheck(as_json: AsJson = False) -> None:
    """Look heard posts up again; honour deletions and edits.

    A post that its platform shows no more is withdrawn at once and purged after a second look, with its vector,
    claims, evidence and drafts. One that was edited goes back to triage; an approved reply to the old wording is
    cancelled. How often posts are looked up follows from the channel's policy (`rejoinder policy show`). `rejoinder
    up` does this by itself.
    """
    from cli.progress import progress_bar
    from resources import rounds

    with reporting(as_json), rounds.open_bench() as bench:
        with progress_bar("posts", quiet=as_json) as advance:
            report = rounds.recheck(bench, progress=advance)
        advice, code = channel_advice(bench.db, report.errors)
    if as_json:
        print_json({**report.as_dict(), "fix": advice})
    else:
        show(report)
        warn(advice)
    raise typer.Exit(code)


def show(report: "StandingReport") -> None:
    """What became of the posts, for people."""
    rows = ((name, *(of.get(verdict, 0) for verdict in VERDICTS)) for name, of in report.channels.items())
    print_table("Posts looked up", ("channel", *VERDICTS), rows)
    if report.errors:
        print_table("What stood in the way", ("times", "message"), ((n, m) for m, n in report.errors.items()))
