"""`rejoinder optout`: authors who are left alone, because they asked or because a person blocked them."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import deciding, open_database
from cli.output import As, AsJson, answer, print_json, print_table, reporting, say

if TYPE_CHECKING:
    from resources.commands.opt_outs import Blocked

Handle = Annotated[
    str, typer.Argument(metavar="HANDLE", help="The author's handle, with or without @ or u/.")
]
Platform = Annotated[str, typer.Option(help="Where the author is: x, reddit.")]
Asked = Annotated[
    bool, typer.Option("--asked", help="The author asked for it, by mail for example: then it is for ever.")
]
Rehearsal = Annotated[
    bool, typer.Option("--rehearsal", help="On sandbox channels alone; otherwise on every channel.")
]


def register(app: typer.Typer) -> None:
    """Add the group of commands to the root."""
    group = typer.Typer(help="Authors who are left alone, for ever if they asked.", no_args_is_help=True)
    for command in (add, list_, import_, remove):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="optout")


def add(
    handle: Handle,
    platform: Platform = "x",
    reason: Annotated[str, typer.Option(help="Why; kept with it.")] = "",
    asked: Asked = False,
    rehearsal: Rehearsal = False,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Leave an author alone from now on, and withdraw what is open about their posts."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.opt_outs import add_opt_out

        done = add_opt_out(
            database, actor, platform, handle, reason=reason, is_asked=asked, is_rehearsal=rehearsal
        )
    answer(asdict(done), as_json, _told(done))


def _told(done: "Blocked") -> str:
    known = f", {done.known} known before" if done.known else ""
    return f"{done.new} authors are left alone from now on{known}; {done.withdrawn} posts were withdrawn."


def list_(
    platform: Annotated[str | None, typer.Option(help="Only this platform.")] = None,
    top: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List who is left alone and why, the latest first."""
    with reporting(as_json), open_database() as database:
        from resources.store.opt_outs import list_opt_outs

        with database.transaction() as tx:
            found = list_opt_outs(tx, platform, top)
    if as_json:
        print_json({"opt_outs": found})
        return
    rows = (
        (
            o.platform,
            o.author,
            "asked" if o.is_asked else "blocked",
            "sandbox channels" if o.is_rehearsal else "everywhere",
            f"{o.created_at:%Y-%m-%d}",
            o.reason,
        )
        for o in found
    )
    columns = ("platform", "author", "how", "where", "since", "reason")
    print_table("Left alone", columns, rows, empty="Nobody asked to be left alone, and nobody is blocked.")


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, help="A handle a line, or HANDLE,REASON."
        ),
    ],
    platform: Platform = "x",
    asked: Asked = False,
    rehearsal: Rehearsal = False,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Leave all authors of a file alone; lines that name nobody are told of."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.opt_outs import import_opt_outs

        with file.open(encoding="utf-8-sig", errors="replace") as lines:
            done = import_opt_outs(database, actor, platform, lines, is_asked=asked, is_rehearsal=rehearsal)
    answer(asdict(done), as_json, _told(done))
    if not as_json:
        for line in done.unreadable:
            say(line)


def remove(
    handle: Handle,
    platform: Platform = "x",
    rehearsal: Rehearsal = False,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Take an author off the list whom a person put there; who asked stays on it."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.opt_outs import remove_opt_out

        remove_opt_out(database, actor, platform, handle, is_rehearsal=rehearsal)
    answer(
        {"author": handle, "platform": platform}, as_json, f"{handle} may be answered on {platform} again."
    )
