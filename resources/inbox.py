"""The inbox: a folder of the home whose files become sources."""

from collections.abc import Sequence
from pathlib import Path

from resources.ingesting import IngestReport, find_files, ingest_files
from resources.settings import Settings
from resources.wiring import Workbench
from resources.work.runner import Progress


def inbox_dir(settings: Settings) -> Path:
    """The inbox of this home, made where it is missing."""
    path = settings.home_dir / "inbox"
    path.mkdir(parents=True, exist_ok=True)
    return path


def ingest_paths(
    bench: Workbench, paths: Sequence[Path] = (), *, progress: Progress | None = None
) -> IngestReport:
    """Ingest files and folders; none given means the inbox."""
    files = find_files(paths or [inbox_dir(bench.settings)])
    return ingest_files(bench.db, bench.project_id, files, progress=progress)


def new_files(settings: Settings, known: dict[str, float]) -> dict[str, float]:
    """Name and modification time of the inbox's files that are not known with that time."""
    found = {name: path.stat().st_mtime for name, path in find_files([inbox_dir(settings)])}
    return {name: mtime for name, mtime in found.items() if known.get(name) != mtime}
