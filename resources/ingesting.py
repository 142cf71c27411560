"""What is to be read, put in the queue: raw bytes into the object store first, then a row that waits."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from rejoinder.errors import ConfigInvalid, InputUnreadable, ServiceUnavailable
from rejoinder.ids import PersonId
from rejoinder.text.public_urls import has_secret, public_url
from resources.objects import ObjectStore, StorageFailed, hash_of, object_key
from resources.postgres import Database, Transaction
from resources.store.ingestions import Origin, Request, enqueue
from resources.store.input_names import KnownAs, hold_names, longer_names, settle_name
from resources.store.sources import quarantine

LONGEST_NAME = 500


@dataclass(slots=True)
class Taken:
    """Names by what became of them on the way into the queue; refused maps a name to its reason.

    told_apart maps the new name of an input to the one it came with, which is another input's.
    """

    waiting: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    told_apart: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class IngestReport:
    """Names by what became of them; quarantined and failed map a name to its reason.

    told_apart maps the new name of an input to the one it came with, which is another input's.
    """

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    quarantined: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    told_apart: dict[str, str] = field(default_factory=dict)

    @property
    def is_in_vain(self) -> bool:
        """Whether something was asked for and none of it was taken in."""
        came_in = (self.new, self.changed, self.unchanged, self.feeds, self.waiting)
        return not any(came_in) and bool(self.quarantined or self.failed)

    @property
    def files(self) -> int:
        """How many inputs were looked at."""
        lists = (self.new, self.changed, self.unchanged, self.feeds, self.waiting)
        return sum(map(len, lists)) + len(self.quarantined) + len(self.failed)


def find_files(paths: Iterable[Path]) -> list[tuple[str, Path]]:
    """Name and path of every file in paths, each once; folders are searched whole, hidden files are left out.

    A file is named by its path below the folder that was given; where that does not tell two apart, by as many of
    its folders as do.

    Raises:
        ConfigInvalid: a path does not exist.
    """
    found: dict[str, str] = {}
    for path in paths:
        if not path.exists():
            raise ConfigInvalid(f"{path} does not exist.", fix="Give a file, a folder or a web address.")
        for name, file in _files_under(path):
            found.setdefault(os.path.abspath(file), name)
    by_name: dict[str, list[str]] = {}
    for place, name in sorted(found.items()):
        same = by_name.setdefault(name_of_file(name), [])
        if not any(os.path.samefile(place, other) for other in same):
            same.append(place)
    return sorted((name, Path(place)) for same in by_name.items() for name, place in _named_apart(*same))


def _named_apart(name: str, places: list[str]) -> Iterator[tuple[str, str]]:
    """Files of one name, each with one of its own."""
    if len(places) == 1:
        yield name, places[0]
        return
    choices = [[name_of_file(longer) for longer in longer_names(name, place)] for place in places]
    for n in range(max(map(len, choices))):
        names = [choice[min(n, len(choice) - 1)] for choice in choices]
        if len(set(names)) == len(names):
            break
    yield from zip(names, places, strict=True)


def _files_under(path: Path) -> Iterator[tuple[str, Path]]:
    if path.is_file():
        yield path.name, path
        return
    for file in path.rglob("*"):
        parts = file.relative_to(path).parts
        if file.is_file() and not any(part.startswith(".") for part in parts):
            yield "/".join(parts), file


def name_of_file(name: str) -> str:
    r"""What a source from a file is known by: a name on disk may be any bytes, the database takes text, and not much.

    >>> name_of_file("talks/one.vtt"), name_of_file("caf\udce9.vtt"), len(name_of_file("a/" * 400))
    ('talks/one.vtt', 'caf\\udce9.vtt', 500)
    """
    data = name.replace("\x00", "").encode("utf-8", errors="backslashreplace")
    shown = data.decode()
    return _told_apart(shown, data) if len(shown) > LONGEST_NAME else shown


def _told_apart(shown: str, whole: bytes) -> str:
    """A name cut to its longest, with a hash of the whole."""
    return f"{shown[: LONGEST_NAME - 9]}#{hashlib.sha256(whole).hexdigest()[:8]}"


def name_of_url(url: str) -> str:
    """What a source fetched from an address is known by: the address without its keys, told apart from its like.

    >>> name_of_url("https://pod.example/e1.vtt")
    'https://pod.example/e1.vtt'
    >>> name_of_url("https://pod.example/feed?token=1")
    'https://pod.example/feed#f7c80b47'
    """
    shown = public_url(url)[:LONGEST_NAME]
    is_whole = not has_secret(url) and len(shown) < LONGEST_NAME
    return shown if is_whole else f"{shown}#{hashlib.sha256(url.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Intake:
    """The way into the queue of one project, for what one person or the machine brings.

    Args:
        largest_bytes: of one input.
        person_id: who brings it; None for the machine.
        inbox: the folder whose files are known by their place in it, wherever the home is.
    """

    db: Database
    objects: ObjectStore
    project_id: int
    largest_bytes: int
    person_id: PersonId | None = None
    inbox: Path | None = None

    def take_files(
        self,
        files: Iterable[tuple[str, Path]],
        *,
        origin: Origin = "file",
        progress: Callable[[int], None] | None = None,
    ) -> Taken:
        """Put every file that is new or has changed in the queue; one transaction per file.

        Raises:
            ServiceUnavailable: the object store or PostgreSQL is not there for it; what was taken waits.
        """
        taken = Taken()
        for name, path in files:
            place = self._place_of(path)
            try:
                self.take_bytes(name, self._read(path), origin=origin, taken=taken, place=place)
            except InputUnreadable as error:
                self._refuse(name, place, origin, str(error), taken)
            if progress:
                progress(1)
        return taken

    def _read(self, path: Path) -> bytes:
        try:
            if path.stat().st_size > self.largest_bytes:
                raise InputUnreadable(f"larger than {self.largest_bytes // 2**20} MiB")
            return path.read_bytes()
        except OSError as error:
            raise InputUnreadable(f"cannot be read: {error.strerror}") from None

    def _place_of(self, path: Path) -> str:
        whole = os.path.abspath(path)
        if self.inbox and Path(whole).is_relative_to(self.inbox):
            whole = f"inbox/{Path(whole).relative_to(self.inbox)}"
        return name_of_file(whole)

    def take_bytes(
        self, name: str, data: bytes, *, origin: Origin, taken: Taken, place: str | None = None
    ) -> None:
        """Put one input in the queue unless its source has this very content.

        name is what it is to be known by, unless an input from elsewhere has that name; place is where it came from,
        without one the way it came, with its name.

        Raises:
            InputUnreadable: it is too large.
            ServiceUnavailable: as `take_files`.
        """
        if len(data) > self.largest_bytes:
            raise InputUnreadable(f"larger than {self.largest_bytes // 2**20} MiB")
        place, raw_key = place or name_of_file(f"{origin}/{name}"), object_key(data)
        with self.db.transaction() as tx:
            hold_names(tx, self.project_id)
            known_as = settle_name(tx, self.project_id, name, place, raw_key=raw_key)
            if self._is_known(tx, known_as, raw_key, origin):
                taken.unchanged.append(known_as.name)
                return
        self._keep(data)
        with self.db.transaction() as tx:
            hold_names(tx, self.project_id)
            known_as = settle_name(tx, self.project_id, name, place, raw_key=raw_key)
            request = Request(known_as.name, origin, known_as.place, raw_key=raw_key)
            enqueue(tx, self.project_id, request, self.person_id)
        taken.waiting.append(known_as.name)
        if known_as.is_told_apart:
            taken.told_apart[known_as.name] = name

    def _is_known(self, tx: Transaction, known_as: KnownAs, raw_key: str, origin: Origin) -> bool:
        """Whether there is nothing to read; where it came from is remembered."""
        is_known = tx.value(
            "input_is_known",
            project_id=self.project_id,
            name=known_as.name,
            content_hash=hash_of(raw_key),
            raw_key=raw_key,
            origin=origin,
        )
        if is_known and known_as.place:
            tx.execute("remember_place", project_id=self.project_id, name=known_as.name, place=known_as.place)
        return bool(is_known)

    def _keep(self, data: bytes) -> str:
        try:
            return self.objects.put(data)
        except StorageFailed as error:
            raise ServiceUnavailable(f"{error}. What was taken in before waits: run it again.") from error

    def _refuse(self, name: str, place: str, origin: Origin, reason: str, taken: Taken) -> None:
        with self.db.transaction() as tx:
            hold_names(tx, self.project_id)
            known_as = settle_name(tx, self.project_id, name, place)
            tx.rows(
                "record_refused_input", project_id=self.project_id, name=known_as.name, place=known_as.place,
                origin=origin, person_id=self.person_id, note=reason,
            )  # fmt: skip
            quarantine(tx, known_as.name, reason, b"", None)
        taken.refused[known_as.name] = reason

    def take_urls(self, urls: Iterable[str]) -> Taken:
        """Put addresses in the queue: of transcripts, pages or feeds."""
        taken = Taken()
        with self.db.transaction() as tx:
            for url in urls:
                name = name_of_url(url)
                enqueue(tx, self.project_id, Request(name, "url", url=url), self.person_id)
                taken.waiting.append(name)
        return taken


def report_since(tx: Transaction, project_id: int, since: datetime, taken: Taken) -> IngestReport:
    """What became of everything that was asked for or worked on since then; unchanged files are named too."""
    report = IngestReport(unchanged=list(taken.unchanged), told_apart=dict(taken.told_apart))
    for row in tx.rows("ingestions_since", project_id=project_id, since_at=since):
        _add(report, row)
    return report


def _add(report: IngestReport, row: dict[str, Any]) -> None:
    name, outcome = row["name"], row["outcome"]
    if outcome == "quarantined":
        report.quarantined[name] = row["note"]
    elif row["status"] in {"failed", "dead"}:
        report.failed[name] = row["note"] or ""
    elif outcome is None:
        report.waiting.append(name)
    elif outcome == "feed":
        report.feeds.append(name)
    else:
        getattr(report, outcome).append(name)
