"""`rejoinder measure`: take the snapshots of published replies that are due, and reward them."""

from typing import TYPE_CHECKING

import typer

from cli.output import AsJson, print_json, print_table, reporting, say

if TYPE_CHECKING:
    from resources.work.runner import Report


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(measure)


def measure(as_json: AsJson = False) -> None:
    """Count likes, replies, reposts and impressions of published replies at 1 h, 24 h, 72 h and 7 d.

    Each window is taken once, by the platform's own clock; one that was missed is taken late and says so.
    Then the reward of each reply is written anew from its latest counts.
    """
    with reporting(as_json):
        report, rewards = _measure()
    if as_json:
        print_json(
            {**report.outcomes, "rewards": rewards, "errors": report.errors, "seconds": report.seconds}
        )
        return
    counts = ", ".join(f"{count} {outcome}" for outcome, count in report.outcomes.items())
    say(f"Snapshots: {counts or 'none due'}. Rewards written: {rewards}.")
    if report.errors:
        print_table("What stood in the way", ("times", "message"), ((n, m) for m, n in report.errors.items()))


def _measure() -> tuple["Report", int]:
    from cli.context import open_database
    from resources.clients import open_client
    from resources.measuring import measure_due, refresh_rewards
    from resources.settings import load_settings
    from resources.tuning import load_tuning
    from resources.work.stopping import stop_on_signals

    tuning = load_tuning(load_settings())
    with open_database() as database, stop_on_signals() as stop:
        report = measure_due(database, open_client=open_client, tuning=tuning, stop=stop)
        return report, refresh_rewards(database)
