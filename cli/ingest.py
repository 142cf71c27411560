"""`rejoinder ingest`: files and addresses into sources, and the sources searchable."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.output import As, AsJson, print_json, print_table, reporting, say

if TYPE_CHECKING:
    from resources.commands.actors import Actor
    from resources.ingesting import IngestReport
    from resources.workbench import Workbench

STEPS: Final = ("chunk", "embed_chunks", "keywords", "summarise")
WEB = ("http://", "https://")


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(ingest)


def ingest(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|FOLDER|URL]...",
            help="Transcripts, documents, folders of them, addresses of either or of feeds; without any the inbox.",
        ),
    ] = None,
    only_read: Annotated[
        bool, typer.Option("--only-read", help="Read the input, leave cutting and embedding to Dagster.")
    ] = False,
    again: Annotated[
        str | None, typer.Option(metavar="NAME", help="Do a step of this source again, and those after it.")
    ] = None,
    step: Annotated[
        str | None,
        typer.Option(help="With --again: fetch, extract (the default), chunk, embed or keywords."),
    ] = None,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Make transcripts, documents and feeds searchable.

    What was read before is left alone unless it changed. What can't be read is quarantined with its reason, which
    `rejoinder status` shows, and the rest goes on. A feed is looked at again from then on. Where nothing at all could
    be taken in, the exit code is 1.
    """
    with reporting(as_json):
        from resources.rounds import open_bench

        _check(what or [], again, step)
        with open_bench() as bench:
            actor = _actor(bench, who)
            if again:
                _do_again(bench, actor, again, step or "extract")
            report = _read(bench, what or [], actor, is_again=bool(again), quiet=as_json)
            if not only_read:
                _make_searchable(bench, quiet=as_json)
        if as_json:
            print_json(report)
        else:
            _tell(report)
            if again:
                say(f"Done again from {step or 'extract'} on: {again}. `rejoinder source show` has it.")
        if report.is_in_vain:
            raise typer.Exit(1)


def _check(what: list[str], again: str | None, step: str | None) -> None:
    """Refuse what would silently do something else.

    Raises:
        ConfigInvalid: a step of no source, or an address of another kind than is fetched.
    """
    from rejoinder.errors import ConfigInvalid
    from rejoinder.text.public_urls import public_url

    if step and not again:
        raise ConfigInvalid("--step belongs to a source.", fix="Name it with --again NAME.")
    for given in what:
        if "://" in given and not given.lower().startswith(WEB):
            raise ConfigInvalid(
                f"{public_url(given)} cannot be fetched.", fix="Give an http or https address, or a file."
            )


def _actor(bench: "Workbench", who: str | None) -> "Actor":
    from cli.context import acting
    from resources.commands.actors import machine_owner

    return acting(bench.db, who) if who else machine_owner()


def _do_again(bench: "Workbench", actor: "Actor", name: str, step: str) -> None:
    from resources.commands.sources import again

    again(bench.db, actor, bench.project_id, name, step)


def _read(
    bench: "Workbench", what: list[str], actor: "Actor", *, is_again: bool, quiet: bool
) -> "IngestReport":
    from cli.progress import progress_bar
    from resources.inbox import take_in, work_off_inputs

    urls = [given for given in what if given.lower().startswith(WEB)]
    paths = [Path(given) for given in what if given not in urls]
    taken = None
    if what or not is_again:
        with progress_bar("taken in", quiet=quiet) as advance:
            taken = take_in(bench, paths, urls=urls, actor=actor, progress=advance)
    with progress_bar("read", quiet=quiet) as advance:
        return work_off_inputs(bench, taken, progress=advance)


def _make_searchable(bench: "Workbench", *, quiet: bool) -> None:
    from cli.progress import progress_bar
    from resources.wiring import run_step

    for step in STEPS:
        with progress_bar(step.replace("_", " "), quiet=quiet) as advance:
            run_step(bench, step, progress=advance)


def _tell(report: "IngestReport") -> None:
    say(f"{len(report.new)} new, {len(report.changed)} changed, {len(report.unchanged)} known before.")
    for title, found in (("Quarantined", report.quarantined), ("Failed (tried again later)", report.failed)):
        if found:
            print_table(title, ("input", "reason"), found.items())
    for name, wanted in report.told_apart.items():
        say(f"Known as {name}: {wanted} is the name of a file from another place.")
    if (report.quarantined or report.failed) and not report.is_in_vain:
        say("The rest was taken in.")
    if report.waiting:
        say(f"{len(report.waiting)} more wait in the queue.")
    for feed in report.feeds:
        say(f"Followed from now on: {feed}")
