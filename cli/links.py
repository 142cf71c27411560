"""`rejoinder links`: addresses of our own in replies, how often they were followed, and what came of it."""

from typing import Annotated

import typer

from cli.context import open_database
from cli.output import AsJson, print_json, print_table, reporting, say

EMPTY = "No reply has a link of ours: set REJOINDER_PUBLIC_URL, then `rejoinder policy set CHANNEL tracked_links=true`."
COLUMNS = ("post", "code", "leads to", "visits", "bots", "conversions", "$ worth")


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(links)


def links(
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show our links in replies, and what their visitors did."""
    with reporting(as_json), open_database() as database, database.transaction() as tx:
        from resources.store.links import link_report
        from resources.store.sources import default_project

        found = link_report(tx, default_project(tx), limit)
    if as_json:
        print_json({"links": found})
    elif not found:
        say(EMPTY)
    else:
        rows = (
            (
                one.post_id,
                one.code,
                one.target,
                one.visits,
                one.bot_visits,
                one.conversions,
                f"{one.value_usd:.2f}",
            )
            for one in found
        )
        print_table(f"{len(found)} links of ours", COLUMNS, rows)
