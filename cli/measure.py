"""`rejoinder measure`: take the snapshots of published replies that are due, and reward them."""

import typer

from cli.output import AsJson, print_json, print_table, reporting, say
from cli.rounds import channel_advice, warn


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(measure)


def measure(as_json: AsJson = False) -> None:
    """Count what published replies got at 1 h, 24 h, 72 h, 7 d.

    That is likes, replies, reposts and impressions.
    Each window is taken once, by the platform's own clock; one that was missed is taken late and says so.
    A snapshot for which there is no budget waits. Then the rewards of replies with new counts, or with new weights,
    are written.
    """
    from resources import rounds

    with reporting(as_json), rounds.open_bench() as bench:
        report = rounds.measure(bench)
        rewards = rounds.reward(bench)
        has_success = bool(report.outcomes)
        advice, code = channel_advice(bench.db, report.errors, has_success=has_success)
    if as_json:
        facts = {"rewards": rewards, "errors": report.errors, "seconds": report.seconds, "fix": advice}
        print_json({**report.outcomes, **facts})
    else:
        _show(report.outcomes, report.errors, rewards)
        warn(advice)
    raise typer.Exit(code)


def _show(outcomes: dict[str, int], errors: dict[str, int], rewards: int) -> None:
    counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    say(f"Snapshots: {counts or 'none due'}. Rewards written: {rewards}.")
    if errors:
        print_table("What stood in the way", ("times", "message"), ((n, m) for m, n in errors.items()))
