"""What commands, assets and pages bring in, put in the queue and read: files, the inbox, addresses, feeds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from resources.commands.actors import Actor, machine_owner
from resources.commands.sources import add_files, add_urls, intake_for, take_due_feeds
from resources.ingesting import IngestReport, Intake, Taken, find_files, report_since
from resources.settings import Settings
from resources.steps.ingestion import SENT_BACK
from resources.wiring import run_step
from resources.work.runner import Progress
from resources.workbench import Workbench


class TakenIn(NamedTuple):
    """What was put in the queue, and the database's time before it."""

    names: Taken
    since: datetime


def inbox_dir(settings: Settings) -> Path:
    """The inbox of this home, made where it is missing."""
    path = settings.home_dir / "inbox"
    path.mkdir(parents=True, exist_ok=True)
    return path


def open_intake(bench: Workbench, actor: Actor) -> Intake:
    """The way into the queue for somebody."""
    intake = intake_for(bench.db, bench.settings, bench.tuning, bench.project_id, actor)
    return replace(intake, inbox=inbox_dir(bench.settings).absolute())


def ingest_paths(
    bench: Workbench,
    paths: Sequence[Path] = (),
    *,
    urls: Sequence[str] = (),
    actor: Actor | None = None,
    progress: Progress | None = None,
) -> IngestReport:
    """Take in files, folders and addresses (none given: the inbox), and read all that waits in the queue.

    Raises:
        ConfigInvalid: a path does not exist.
        NotAllowed: the actor's role does not bring in sources.
        ServiceUnavailable: PostgreSQL or the object store is not there for it; what was taken in waits.
    """
    taken = take_in(bench, paths, urls=urls, actor=actor, progress=progress)
    return work_off_inputs(bench, taken)


def work_off_inputs(
    bench: Workbench, taken: TakenIn | None = None, *, progress: Progress | None = None
) -> IngestReport:
    """Read all that waits in the queue; what became of everything that was asked for or read since `take_in`.

    Raises:
        ServiceUnavailable: PostgreSQL is not there for it; what was read stands.
    """
    taken = taken or TakenIn(Taken(), _moment(bench))
    is_open = True
    while (
        is_open
    ):  # what turns out unreadable may be sent back to be fetched, from its next address for instance
        run_step(bench, "fetch", progress=progress)
        is_open = SENT_BACK in run_step(bench, "extract", progress=progress).outcomes
    with bench.db.transaction() as tx:
        return report_since(tx, bench.project_id, taken.since, taken.names)


def _moment(bench: Workbench) -> datetime:
    with bench.db.transaction() as tx:
        moment: datetime = tx.value("moment")
    return moment


def take_in(
    bench: Workbench,
    paths: Sequence[Path] = (),
    *,
    urls: Sequence[str] = (),
    actor: Actor | None = None,
    progress: Progress | None = None,
) -> TakenIn:
    """Put files, folders and addresses in the queue; none given means the inbox and the feeds that are due.

    Raises:
        ConfigInvalid, NotAllowed, ServiceUnavailable: as `ingest_paths`.
    """
    actor, since = actor or machine_owner(), _moment(bench)
    intake = open_intake(bench, actor)
    taken = Taken()
    if urls:
        taken = add_urls(intake, actor, urls)
    if paths or not urls:
        files = find_files(paths or [inbox_dir(bench.settings)])
        found = add_files(intake, actor, files, origin="file" if paths else "inbox", progress=progress)
        found.waiting[:0] = taken.waiting
        taken = found
    if not (paths or urls):
        take_due_feeds(bench.db, interval_s=bench.tuning.ingestion.feed_interval_s, now=datetime.now(UTC))
    return TakenIn(taken, since)


def new_files(settings: Settings, known: dict[str, float]) -> dict[str, float]:
    """Name and modification time of the inbox's files that are not known with that time."""
    found = {name: path.stat().st_mtime for name, path in find_files([inbox_dir(settings)])}
    return {name: mtime for name, mtime in found.items() if known.get(name) != mtime}
