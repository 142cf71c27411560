"""`rejoinder retry`: bring dead items back to life and try failed ones at once."""

from typing import Annotated

import typer

from cli.context import acting, open_database
from cli.output import As, AsJson, print_json, reporting, say


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(retry)


def retry(
    step: Annotated[
        str | None, typer.Argument(metavar="[STEP]", help="One step only, such as draft.")
    ] = None,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Bring dead items back to life and try failed ones at once.

    Those of one step, or of all.
    """
    with reporting(as_json), open_database() as database:
        from resources.commands.actors import machine_owner
        from resources.commands.upkeep import retry as retry_items

        done = retry_items(database, acting(database, who) if who else machine_owner(), step)
    if as_json:
        print_json(done)
        return
    revived, hurried = sum(done.revived.values()), sum(done.hurried.values())
    say(f"{revived} dead items are due again, {hurried} failed ones no longer wait.")
