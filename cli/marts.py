"""`rejoinder marts`: what became of posts and replies, in numbers."""

from typing import Annotated, Any

import typer

from cli.context import open_database
from cli.output import AsJson, print_json, print_table, reporting, say

SHOWN = 40


def register(app: typer.Typer) -> None:
    """Add the group of commands to the root."""
    group = typer.Typer(help="What became of posts and replies, in numbers.", no_args_is_help=True)
    group.command()(refresh)
    group.command()(show)
    app.add_typer(group, name="marts")


def refresh(as_json: AsJson = False) -> None:
    """Write every mart anew from one snapshot of the database."""
    from resources.settings import load_settings
    from resources.warehouse import refresh_marts

    with reporting(as_json), open_database() as database:
        report = refresh_marts(database, load_settings().home_dir)
    if as_json:
        print_json(report)
    else:
        say(", ".join(f"{name} {n:,}" for name, n in report.rows.items()) + f" rows in {report.seconds:g} s.")


def show(
    name: Annotated[str, typer.Argument(help="Which; an unknown name lists them.")],
    top: Annotated[int, typer.Option(min=1, help="Most rows that are printed; --json gives all.")] = SHOWN,
    as_json: AsJson = False,
) -> None:
    """Show a mart as it was last written, and of which moment it is."""
    from datetime import UTC, datetime

    from resources.settings import load_settings
    from resources.warehouse import read_mart, stale_since, written_moment

    with reporting(as_json):
        home = load_settings().home_dir
        frame, written = read_mart(home, name), written_moment(home)
        with open_database() as database:
            stale = stale_since(database, home, datetime.now(UTC))
    as_of = written.as_of if written else None
    if as_json:
        print_json({"mart": name, "as_of": as_of, "stale_since": stale, "rows": frame.to_dicts()})
        return
    _print(name, frame.columns, frame.head(top).rows(), frame.height)
    say(
        f"As of {as_of:%Y-%m-%d %H:%M:%S} UTC."
        if as_of
        else "Not written yet by this version: `rejoinder marts refresh`."
    )
    if stale:
        say(f"What changed since {stale:%H:%M} UTC is missing: `rejoinder marts refresh`.")


def _print(name: str, columns: list[str], rows: list[tuple[Any, ...]], n_rows: int) -> None:
    cells = [[round(cell, 4) if isinstance(cell, float) else cell for cell in row] for row in rows]
    print_table(name, columns, cells, empty=f"The mart {name} is empty.")
    if n_rows > len(rows):
        say(f"{n_rows - len(rows):,} more rows: --top {n_rows} or --json.")
