"""`rejoinder source`: the list of sources, one of them, the feeds that are followed."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import acting, open_database
from cli.output import As, AsJson, answer, clock, print_json, print_table, reporting, say, shortened

if TYPE_CHECKING:
    from resources.postgres import Database
    from resources.store.source_list import SourceFilter, SourcePage, SourceRow

NEAR_SHOWN = 5

Name = Annotated[str, typer.Argument(metavar="NAME", help="As the list shows it.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands to the root."""
    group = typer.Typer(help="Look at sources and feeds.", no_args_is_help=True)
    for command in (list_, show, feeds, follow, unfollow):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="source")


def list_(
    which: Annotated[str, typer.Option("--show", help="all, ready, 'under way', trouble or twins.")] = "all",
    search: Annotated[str | None, typer.Option(help="Only titles and names that hold this.")] = None,
    top: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List sources with where each stands, the latest changed first."""
    with reporting(as_json), open_database() as database:
        from rejoinder.errors import ConfigInvalid
        from resources.store.source_list import SHOWS, SourceFilter, list_sources
        from resources.store.sources import default_project

        if which not in SHOWS:
            raise ConfigInvalid(
                f"--show cannot be {which!r}.",
                fix=f"Use one of {', '.join(repr(name) if ' ' in name else name for name in SHOWS)}.",
            )
        with database.transaction() as tx:
            wanted = SourceFilter(show=which, search=search, top=top)
            found = list_sources(tx, default_project(tx), wanted)
        if as_json:
            print_json({"sources": found.rows, "total": found.total})
            return
        print_table(
            "Sources",
            ("name", "title", "stands at", "vectors", "about it"),
            map(_line, found.rows),
            empty=_nothing(wanted),
        )
        if found.total > len(found.rows):
            say(f"{found.total - len(found.rows)} more: --top N shows more of them.")


def _nothing(wanted: "SourceFilter") -> str:
    """What is said where no source is listed."""
    if wanted.search or wanted.show != "all":
        return "No source matches."
    return "No sources yet: bring some in with `rejoinder ingest FILE, FOLDER or URL`."


def _line(row: "SourceRow") -> tuple[object, ...]:
    standing = (
        row.standing if row.standing in {"ready", "twin", "quarantined"} else f"{row.step}: {row.standing}"
    )
    about = row.reason or (
        f"same as {row.twin_name}"
        if row.twin_name
        else " ".join(filter(None, (row.language, (row.format or "").replace("_", " "))))
    )
    return row.name, shortened(row.title or ""), standing, f"{row.n_embedded}/{row.n_chunks}", about


def show(name: Name, as_json: AsJson = False) -> None:
    """Show one source: where it stands, its summary, keywords and chapters."""
    with reporting(as_json), open_database() as database:
        row, page = _find(database, name)
        if as_json:
            print_json({"source": row, "content": page})
            return
        say(f"{row.title or row.name} ({row.name})")
        say(
            " · ".join(filter(None, (row.standing, row.format, row.language, clock(row.duration_s), row.url)))
        )
        for text in filter(None, (row.reason, *row.notes)):
            say(f"! {text}")
        if page:
            _tell(page)


def _find(database: "Database", name: str) -> "tuple[SourceRow, SourcePage | None]":
    from rejoinder.errors import ConfigInvalid
    from resources.store.source_list import SourceFilter, list_sources, load_source_page
    from resources.store.sources import default_project

    with database.transaction() as tx:
        rows = list_sources(tx, default_project(tx), SourceFilter(search=name, top=1_000)).rows
        found = next((row for row in rows if row.name == name), None)
        if found is None:
            near = ", ".join(row.name for row in rows[:NEAR_SHOWN])
            raise ConfigInvalid(
                f"No source is named {name}.",
                fix=f"Give the whole name: {near}." if near else "`rejoinder source list` shows the names.",
            )
        return found, load_source_page(tx, found.source_id) if found.source_id else None


def _tell(page: "SourcePage") -> None:
    if page.summary:
        say(f"\n{page.summary}")
    if page.keywords:
        say(f"\nKeywords: {', '.join(page.keywords)}")
    if page.chapters:
        print_table(
            "Chapters", ("at", "title"), [(clock(start_s), title) for title, start_s in page.chapters]
        )


def feeds(as_json: AsJson = False) -> None:
    """List feeds with when each is looked at."""
    with reporting(as_json), open_database() as database:
        from resources.store.source_list import list_feeds
        from resources.store.sources import default_project

        with database.transaction() as tx:
            found = list_feeds(tx, default_project(tx))
        if as_json:
            print_json({"feeds": found})
            return
        columns = (
            "name",
            "title",
            "items",
            "no transcript",
            "left for the next look",
            "looked at (UTC)",
            "next",
            "trouble",
        )
        rows = [
            (
                f.name,
                f.title,
                f.n_items,
                f.n_without_transcript,
                f.n_left,
                f.checked_at,
                f.next_at if f.is_followed else "-",
                f.last_error,
            )
            for f in found
        ]
        print_table(
            "Feeds", columns, rows, empty="No feeds yet: `rejoinder ingest URL` of a feed follows it."
        )


def follow(name: Name, who: As = None, as_json: AsJson = False) -> None:
    """Look at a feed again from now on."""
    _set_followed(name, who, as_json, is_followed=True)


def unfollow(name: Name, who: As = None, as_json: AsJson = False) -> None:
    """Stop looking at a feed; what was read of it stays."""
    _set_followed(name, who, as_json, is_followed=False)


def _set_followed(name: str, who: str | None, as_json: bool, *, is_followed: bool) -> None:
    with reporting(as_json), open_database() as database:
        from resources.commands.actors import machine_owner
        from resources.commands.sources import follow_feed
        from resources.store.sources import default_project

        with database.transaction() as tx:
            project_id = default_project(tx)
        actor = acting(database, who) if who else machine_owner()
        follow_feed(database, actor, project_id, name, is_followed=is_followed)
        answer(
            {"name": name, "is_followed": is_followed},
            as_json,
            f"{name} is {'' if is_followed else 'no longer '}followed.",
        )
