"""Posts out of files: read a batch at a time, each batch saved with the place in the file, so that a run goes on."""

import hashlib
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from rejoinder.errors import ConfigInvalid
from resources.listening import HeardCounts, quarantine, save_posts
from resources.platforms.adapters import open_platform
from resources.platforms.port import Heard
from resources.postgres import Database, Transaction
from resources.store.channels import Channel, enabled_channels, load_cursor, save_cursor
from resources.work.runner import Progress
from resources.work.stopping import StopSignal

TRIAGE_DAYS = 7.0
IDENTITY_BYTES = 2**20


@dataclass(slots=True)
class ImportReport:
    """What came of a file; records counts all that it holds up to where the import stands, earlier runs included.

    too_old counts posts that were left out, as their words would be purged at once.
    """

    file: str
    channel: str
    records: int = 0
    counts: HeardCounts = field(default_factory=HeardCounts)
    too_old: int = 0
    seconds: float = 0.0
    is_complete: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def import_posts(
    db: Database,
    channel_name: str,
    path: Path,
    *,
    stop: StopSignal,
    triage_days: float = TRIAGE_DAYS,
    keep_days: int = 0,
    from_start: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Save the posts of a file as heard on a channel; a file that was begun goes on where it stopped.

    Posts older than triage_days, and the account's own, are kept as history: triage never sees them. Posts that
    are known stay as they are. What cannot be read is quarantined with its line.

    Args:
        db: as the application's login.
        channel_name: an enabled channel; the posts are those of its platform.
        path: of the file; its kind is told from its name.
        stop: asked between two batches.
        triage_days: >= 0; 0 keeps everything as history.
        keep_days: of the tuning's section compliance: where the channel's policy allows no training, posts older than
            this are left out; deletions have to be honoured, so each that is kept is looked up, at a price. 0: none is.
        from_start: read the file again from its first record.
        progress: told how many records were read.

    Raises:
        ConfigInvalid: there is no such channel or file, or its kind is not known.
        InputUnreadable: the file cannot be read at all.
    """
    with db.transaction() as tx:
        channel = _channel(tx, channel_name)
        name = f"import:{identity(path)}"
        cursor: Mapping[str, str] = {} if from_start else load_cursor(tx, channel.id, name)
    report = ImportReport(str(path), channel.name, records=int(cursor.get("records", "0")))
    started = time.monotonic()
    asked = {"path": str(path), "platform": channel.platform, "account": channel.account}
    client = open_platform("archive", None, asked)
    times = _times(channel, triage_days, keep_days)
    with ThreadPoolExecutor(1, "archive") as reader:
        ahead = reader.submit(client.hear, cursor, (), ())
        while not (report.is_complete or stop.is_set()):
            heard = ahead.result()
            if not heard.is_complete:  # the next batch is read while this one is saved
                ahead = reader.submit(client.hear, heard.cursor, (), ())
            with db.transaction() as tx:
                _save(tx, channel, name, heard, report, times)
            before, report.records = report.records, int(heard.cursor["records"])
            report.is_complete = heard.is_complete
            if progress:
                progress(report.records - before)
    report.seconds = time.monotonic() - started
    return report


class _Times(NamedTuple):
    """From when on posts are kept, and before when they are history."""

    kept_from: datetime
    archived_before: datetime


def _times(channel: Channel, triage_days: float, keep_days: int) -> _Times:
    now, are_kept = datetime.now(UTC), channel.policy.may_train or not keep_days
    kept_from = datetime.min.replace(tzinfo=UTC) if are_kept else now - timedelta(days=keep_days)
    return _Times(kept_from, now - timedelta(days=triage_days))


def _save(
    tx: Transaction,
    channel: Channel,
    name: str,
    heard: Heard,
    report: ImportReport,
    times: _Times,
) -> None:
    posts = [post for post in heard.posts if post.created_at >= times.kept_from]
    report.too_old += len(heard.posts) - len(posts)
    save_posts(tx, channel, posts, report.counts, archived_before=times.archived_before)
    for item in heard.unreadable:
        quarantine(tx, channel, item, report.counts)
    save_cursor(tx, channel.id, name, dict(heard.cursor))


def identity(path: Path) -> str:
    """What tells a file from others, wherever it lies: its size, how it begins and how it ends.

    Raises:
        ConfigInvalid: there is no such file.
    """
    if not path.is_file():
        raise ConfigInvalid(f"There is no file {path}.")
    with path.open("rb") as file:
        size, told = path.stat().st_size, file.read(IDENTITY_BYTES)
        if size > IDENTITY_BYTES:
            file.seek(max(IDENTITY_BYTES, size - IDENTITY_BYTES))
            told += file.read(IDENTITY_BYTES)
    return hashlib.sha256(f"{path.suffix.lower()}:{size}:".encode() + told).hexdigest()[:32]


def _channel(tx: Transaction, name: str) -> Channel:
    channels = {channel.name: channel for channel in enabled_channels(tx)}
    if name not in channels:
        there = ", ".join(sorted(channels)) or "none yet: `rejoinder channel add` makes one"
        raise ConfigInvalid(f"There is no enabled channel named {name}; there are: {there}.")
    return channels[name]
