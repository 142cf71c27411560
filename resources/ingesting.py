"""Files into sources: read, parse, save; what can't be read is quarantined with its reason."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rejoinder.corpus.transcripts.read import parse_transcript
from rejoinder.corpus.values import Transcript
from rejoinder.errors import ConfigInvalid, InputUnreadable
from resources.postgres import Database, Transaction

LARGEST_FILE_BYTES = 64 * 1024 * 1024
EXCERPT_CHARS = 300


@dataclass(slots=True)
class IngestReport:
    """File names by what became of them; quarantined maps a name to its reason."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    quarantined: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> int:
        """How many files were looked at."""
        return len(self.new) + len(self.changed) + len(self.unchanged) + len(self.quarantined)


def find_files(paths: Iterable[Path]) -> list[tuple[str, Path]]:
    """Name and path of every file in paths (folders are searched whole); hidden files are left out.

    Raises:
        ConfigInvalid: a path does not exist.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise ConfigInvalid(f"{path} does not exist.")
        for name, file in _files_under(path):
            found.setdefault(name, file)
    return sorted(found.items())


def _files_under(path: Path) -> Iterator[tuple[str, Path]]:
    if path.is_file():
        yield path.name, path
        return
    for file in path.rglob("*"):
        parts = file.relative_to(path).parts
        if file.is_file() and not any(part.startswith(".") for part in parts):
            yield "/".join(parts), file


def ingest_files(
    db: Database,
    project_id: int,
    files: Iterable[tuple[str, Path]],
    *,
    progress: Callable[[int], None] | None = None,
) -> IngestReport:
    """Save every readable file as a source; one transaction per file, so nothing that was read is lost."""
    report = IngestReport()
    for name, path in files:
        try:
            outcome = _ingest(db, project_id, name, path)
        except InputUnreadable as error:
            report.quarantined[name] = str(error)
        else:
            getattr(report, outcome).append(name)
        if progress:
            progress(1)
    return report


def _ingest(db: Database, project_id: int, name: str, path: Path) -> str:
    data = _read(path)
    content_hash = hashlib.sha256(data).hexdigest()
    with db.transaction() as tx:
        known = tx.row("find_source", project_id=project_id, name=name)
        if known and known["content_hash"] == content_hash:
            return "unchanged"
    try:
        transcript = parse_transcript(name, data)
    except InputUnreadable as error:
        _quarantine(db, name, str(error), data, content_hash)
        raise
    with db.transaction() as tx:
        _save(tx, project_id, name, transcript, content_hash)
        tx.execute("close_quarantine", kind="source", name=name)
    return "changed" if known else "new"


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise InputUnreadable(f"larger than {LARGEST_FILE_BYTES // 2**20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise InputUnreadable(f"cannot be read: {error.strerror}") from None


def _quarantine(db: Database, name: str, reason: str, data: bytes, content_hash: str) -> None:
    excerpt = data[:EXCERPT_CHARS].decode("utf-8", errors="replace").replace("\x00", "�")
    with db.transaction() as tx:
        tx.execute(
            "quarantine_input",
            kind="source",
            name=name,
            reason=reason,
            content_hash=content_hash,
            excerpt=excerpt,
        )


def _save(tx: Transaction, project_id: int, name: str, transcript: Transcript, content_hash: str) -> None:
    source_id = tx.value(
        "upsert_source",
        project_id=project_id,
        name=name,
        title=transcript.title,
        url=None,
        format=transcript.format,
        language=transcript.language,
        content_hash=content_hash,
        duration_s=max((c.end_s or c.start_s or 0.0 for c in transcript.cues), default=None),
    )
    tx.execute("delete_cues", source_id=source_id)
    rows = [
        {
            "source_id": source_id,
            "position": i,
            "start_s": cue.start_s,
            "end_s": cue.end_s,
            "speaker": cue.speaker,
            "text": cue.text,
        }
        for i, cue in enumerate(transcript.cues)
    ]
    tx.execute_many("insert_cue", rows)
