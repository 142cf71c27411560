"""What is to be read, put in the queue: raw bytes into the object store first, then a row that waits."""

import hashlib
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
from resources.store.sources import quarantine

LONGEST_NAME = 500


@dataclass(slots=True)
class Taken:
    """Names by what became of them on the way into the queue; refused maps a name to its reason."""

    waiting: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class IngestReport:
    """Names by what became of them; quarantined and failed map a name to its reason."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    quarantined: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> int:
        """How many inputs were looked at."""
        lists = (self.new, self.changed, self.unchanged, self.feeds, self.waiting)
        return sum(map(len, lists)) + len(self.quarantined) + len(self.failed)


def find_files(paths: Iterable[Path]) -> list[tuple[str, Path]]:
    """Name and path of every file in paths (folders are searched whole); hidden files are left out.

    Raises:
        ConfigInvalid: a path does not exist, or two files would be known by one name.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise ConfigInvalid(f"{path} does not exist.", fix="Give a file, a folder or a web address.")
        for name, file in _files_under(path):
            known_as = name_of_file(name)
            other = found.setdefault(known_as, file)
            if other is not file and not other.samefile(file):
                raise ConfigInvalid(
                    f"{other} and {file} would both be known as {known_as}, and one would replace the other.",
                    fix="Give the folder that has both in it: files are known by their path below it.",
                )
    return sorted(found.items())


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
    """

    db: Database
    objects: ObjectStore
    project_id: int
    largest_bytes: int
    person_id: PersonId | None = None

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
            try:
                self.take_bytes(name, self._read(path), origin=origin, taken=taken)
            except InputUnreadable as error:
                self._refuse(name, origin, str(error))
                taken.refused[name] = str(error)
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

    def take_bytes(self, name: str, data: bytes, *, origin: Origin, taken: Taken) -> None:
        """Put one input in the queue unless its source has this very content.

        Raises:
            InputUnreadable: it is too large.
            ServiceUnavailable: as `take_files`.
        """
        if len(data) > self.largest_bytes:
            raise InputUnreadable(f"larger than {self.largest_bytes // 2**20} MiB")
        if self._is_known(name, data, origin):
            taken.unchanged.append(name)
            return
        request = Request(name, origin, raw_key=self._keep(data))
        with self.db.transaction() as tx:
            enqueue(tx, self.project_id, request, self.person_id)
        taken.waiting.append(name)

    def _is_known(self, name: str, data: bytes, origin: Origin) -> bool:
        raw_key = object_key(data)
        with self.db.transaction() as tx:
            known = tx.value(
                "input_is_known",
                project_id=self.project_id,
                name=name,
                content_hash=hash_of(raw_key),
                raw_key=raw_key,
                origin=origin,
            )
        return bool(known)

    def _keep(self, data: bytes) -> str:
        try:
            return self.objects.put(data)
        except StorageFailed as error:
            raise ServiceUnavailable(f"{error}. What was taken in before waits: run it again.") from error

    def _refuse(self, name: str, origin: Origin, reason: str) -> None:
        with self.db.transaction() as tx:
            tx.rows(
                "record_refused_input", project_id=self.project_id, name=name, origin=origin,
                person_id=self.person_id, note=reason,
            )  # fmt: skip
            quarantine(tx, name, reason, b"", None)

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
    report = IngestReport(unchanged=list(taken.unchanged))
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
