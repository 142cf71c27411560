"""Archived posts behind the port: a file is heard from its first record to its last, some thousand at a time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

from rejoinder.errors import ConfigInvalid, InputUnreadable
from rejoinder.listening.post import Platform, Post
from rejoinder.listening.rules import ListeningRule
from resources.platforms.archive_fields import PartlyRead, read_record
from resources.platforms.archive_files import Record, read_records
from resources.platforms.clocks import Clock
from resources.platforms.failures import Refused
from resources.platforms.metering import FREE
from resources.platforms.port import (
    Capability,
    DayCount,
    Heard,
    Meter,
    Metrics,
    ReadBack,
    Sent,
    Standing,
    Stop,
    Unreadable,
)

BATCH = 4000
FIELDS = ("path", "platform", "account")


def open_archive(
    credentials: Mapping[str, str], *, base_url: str | None, clock: Clock, meter: Meter = FREE
) -> "ArchiveClient":
    """A client for one file: path, the platform its posts are from, and the account that reads them."""
    missing = [name for name in FIELDS if not credentials.get(name)]
    if missing:
        raise ConfigInvalid(f"the channel's credentials lack {', '.join(missing)}")
    path, platform, account = (credentials[name] for name in FIELDS)
    return ArchiveClient(Path(path), platform, account, clock)


class ArchiveClient:
    """`PlatformClient` for a file of posts: it can be heard, and nothing else."""

    text_limit = 0
    capabilities: frozenset[Capability] = frozenset({"hear"})

    def __init__(self, path: Path, platform: Platform, account: str, clock: Clock) -> None:
        self.platform = platform
        self.account = account.removeprefix("@")
        self._path = path
        self._clock = clock
        self._records: Iterator[Record] | None = None
        self._n_read = 0

    def hear(
        self, cursor: Mapping[str, str], rules: Sequence[ListeningRule], communities: Sequence[str]
    ) -> Heard:
        """The next records after those that the cursor has read; rules and communities are not asked.

        Raises:
            ConfigInvalid: there is no such file, or its kind is not known.
            InputUnreadable: it cannot be read from here on, or at all; what could be was heard before.
        """
        n_read = int(cursor.get("records", "0"))
        if self._records is None or n_read != self._n_read:
            records = read_records(self._path)
            next(islice(records, n_read, n_read), None)
            self._records, self._n_read = records, n_read
        batch = self._next_records(self._records)
        self._n_read += len(batch)
        posts: list[Post] = []
        unreadable: list[Unreadable] = []
        for record in batch:
            self._read(record, posts, unreadable)
        once = {post.platform_post_id: post for post in posts}
        in_order = sorted(once.values(), key=lambda post: (post.created_at, post.platform_post_id))
        cursor = {"records": str(self._n_read)}
        is_complete = len(batch) < BATCH and self._records is not None
        return Heard(tuple(in_order), cursor, tuple(unreadable), is_complete)

    def _next_records(self, records: Iterator[Record]) -> list[Record]:
        """A batch; where the file breaks off in it, what stands before that: who asks again hears that it broke off."""
        batch: list[Record] = []
        try:
            for record in islice(records, BATCH):
                batch.append(record)
        except InputUnreadable:
            self._records = None
            if not batch:
                raise
        return batch

    def _read(self, record: Record, posts: list[Post], unreadable: list[Unreadable]) -> None:
        problem = record.problem
        if record.value is not None:
            try:
                posts += read_record(record.value, self.platform, record.author)
            except PartlyRead as error:
                posts += error.posts
                problem = str(error)
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
                problem = str(error)
        if problem:
            name = f"{self._path.name}:{record.line}"
            unreadable.append(Unreadable(name, record.raw, f"line {record.line}: {problem}"))

    def stream(self, rules: Sequence[ListeningRule], stop: Stop) -> Iterator[Post]:
        """A file has no stream."""
        raise _cannot()

    def publish(self, parent_id: str, text: str) -> Sent:
        """Nothing can be sent to a file."""
        raise _cannot()

    def read_back(self, parent_id: str, text: str, since: datetime) -> ReadBack:
        """Nothing was sent to a file."""
        raise _cannot()

    def search(self, query: str, since: datetime, most: int) -> Heard:
        """A file is heard whole."""
        raise _cannot()

    def look_up(self, ids: Sequence[str]) -> dict[str, Standing]:
        """A file does not know what stands today."""
        raise _cannot()

    def thread(self, post: Post, most: int) -> tuple[Post, ...]:
        """A file is heard whole."""
        raise _cannot()

    def counts(self, query: str) -> tuple[DayCount, ...]:
        """A file counts nothing."""
        raise _cannot()

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """A file does not know today's counts."""
        raise _cannot()

    def replies(self, parent_id: str, since: datetime, most: int) -> Heard:
        """A file is heard and not asked."""
        raise _cannot()

    def now(self) -> datetime:
        """This machine's time."""
        return self._clock()


def _cannot() -> Refused:
    return Refused("invalid", "an archive can be heard and nothing else")
