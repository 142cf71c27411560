"""Sources: bring some in, do one step of one again, follow feeds; each is a role, a change and an audit row."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args

from rejoinder.errors import ConfigInvalid
from resources.commands.actors import Actor, authorise, record
from resources.ingesting import Intake, Taken, name_of_file
from resources.objects import open_store
from resources.postgres import Database, Transaction
from resources.settings import Settings
from resources.store.ingestions import Origin
from resources.store.source_list import SourceFilter, list_sources
from resources.tuning import Tuning

Again = Literal["fetch", "extract", "chunk", "embed", "keywords"]
NAMED = 20
AGAIN: tuple[Again, ...] = get_args(Again)


def intake_for(db: Database, settings: Settings, tuning: Tuning, project_id: int, actor: Actor) -> Intake:
    """The way into a project's queue for somebody."""
    return Intake(db, open_store(settings), project_id, tuning.ingestion.largest_bytes, actor.person_id)


def add_files(
    intake: Intake,
    actor: Actor,
    files: Iterable[tuple[str, Path]],
    *,
    origin: Origin = "file",
    progress: Callable[[int], None] | None = None,
) -> Taken:
    """Put files in the queue that are new or have changed.

    Raises:
        NotAllowed: the role does not bring in sources.
        ServiceUnavailable: the object store or PostgreSQL is not there for it; what was taken in waits.
    """
    _authorise(intake, actor)
    taken = intake.take_files(files, origin=origin, progress=progress)
    _record(intake, actor, origin, taken)
    return taken


def add_upload(intake: Intake, actor: Actor, name: str, data: bytes, *, origin: Origin = "upload") -> Taken:
    """Put one file in the queue that somebody sent.

    Raises:
        NotAllowed: the role does not bring in sources.
        InputUnreadable: it is too large.
        ConfigInvalid: it has no name.
        ServiceUnavailable: as `add_files`.
    """
    if not name.strip():
        raise ConfigInvalid("The file has no name.")
    _authorise(intake, actor)
    taken = Taken()
    intake.take_bytes(name_of_file(name.strip()), data, origin=origin, taken=taken)
    _record(intake, actor, origin, taken)
    return taken


def add_urls(intake: Intake, actor: Actor, urls: Iterable[str]) -> Taken:
    """Put addresses in the queue: of transcripts, pages or feeds.

    Raises:
        NotAllowed: the role does not bring in sources.
        ConfigInvalid: one is no web address.
    """
    checked = [_web_address(url) for url in urls]
    _authorise(intake, actor)
    taken = intake.take_urls(checked)
    _record(intake, actor, "url", taken)
    return taken


def _web_address(url: str) -> str:
    url = url.strip()
    if not url.lower().startswith(("http://", "https://")):
        raise ConfigInvalid("An address has to begin with http:// or https://.")
    return url


def _authorise(intake: Intake, actor: Actor) -> None:
    with intake.db.transaction() as tx:
        authorise(tx, actor, "ingest")


def _record(intake: Intake, actor: Actor, origin: Origin, taken: Taken) -> None:
    """One row per command, the names in it; nothing where everything was known."""
    if not (taken.waiting or taken.refused):
        return
    diff = {
        "origin": origin,
        "waiting": taken.waiting[:NAMED],
        "refused": dict(list(taken.refused.items())[:NAMED]),
    }
    with intake.db.transaction() as tx:
        record(tx, actor, "ingest", "source", None, {**diff, "count": len(taken.waiting)})


def again(db: Database, actor: Actor, project_id: int, name: str, step: str) -> None:
    """Do one step of one source again, and with it those that come after.

    Raises:
        NotAllowed: the role does not allow it.
        ConfigInvalid: there is no such step or source, or it cannot be done for this one; the message says why.
    """
    if step not in AGAIN:
        raise ConfigInvalid(f"There is no step {step!r} to do again.", fix=f"Use one of {', '.join(AGAIN)}.")
    with db.transaction() as tx:
        acting = authorise(tx, actor, "retry")
        if step in {"fetch", "extract"}:
            done = tx.rows(f"{step}_again", project_id=project_id, name=name)
        else:
            done = tx.rows("source_again", project_id=project_id, name=name, step=step)
        if not done:
            raise _why_not(tx, project_id, name, step)
        record(tx, acting, "again", "source", None, {"name": name, "step": step})


def _why_not(tx: Transaction, project_id: int, name: str, step: str) -> ConfigInvalid:
    found = list_sources(tx, project_id, SourceFilter(search=name, top=1_000)).rows
    row = next((row for row in found if row.name == name), None)
    if row is None:
        return ConfigInvalid(f"No source is named {name}.", fix="`rejoinder source list` shows the names.")
    if step == "fetch":
        return ConfigInvalid(f"{name} was not fetched from an address.", fix="Use --step extract.")
    if step == "extract":
        return ConfigInvalid(f"The raw bytes of {name} were not kept.", fix="Give it to `rejoinder ingest`.")
    if row.source_id is None:
        return ConfigInvalid(f"{name} was never read.", fix="Use --step fetch or --step extract.")
    return ConfigInvalid(
        f"{name} is a twin of another source, which is searched in its place.", fix="Name that one."
    )


def take_due_feeds(db: Database, *, interval_s: float, now: datetime) -> int:
    """Make feeds wait to be fetched whose time has come; how many."""
    with db.transaction() as tx:
        return len(tx.rows("enqueue_due_feeds", interval_s=interval_s, now=now))


def follow_feed(db: Database, actor: Actor, project_id: int, name: str, *, is_followed: bool) -> None:
    """Go on, or stop, looking at a feed; what was read of it stays.

    Raises:
        NotAllowed: the role does not bring in sources.
        ConfigInvalid: there is no such feed.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "ingest")
        row = tx.row("set_feed_followed", project_id=project_id, name=name, is_followed=is_followed)
        if row is None:
            raise ConfigInvalid(f"No feed is named {name}: `rejoinder source feeds` shows them.")
        record(tx, acting, "follow" if is_followed else "unfollow", "feed", row["id"], {"name": name})
