"""A notice as it is told: values only, and the key under which a receiver knows it again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from rejoinder.ids import sha256_hex
from rejoinder.notices.kinds import SEVERITIES, Severity, kind_of, rank

# began: tell of it; reminded: tell that it still lasts; ended: tell that what it told of is over.
Event = Literal["began", "reminded", "ended"]
LONGEST_KEY = 255
# Of a message as sinks get it; the app shows all of it. Fifty in one body stay far below what receivers take.
LONGEST_TOLD = 2_000


@dataclass(frozen=True, slots=True)
class Notice:
    """One row of notification.

    entity_type and entity_id name what it is about, such as ``publication`` 12; times are UTC; ended_at is when the
    state that it tells of was over, None while it lasts.
    """

    id: int
    kind: str
    message: str
    entity_type: str | None
    entity_id: int | None
    created_at: datetime
    ended_at: datetime | None = None

    @property
    def severity(self) -> Severity:
        """How grave its kind is."""
        return kind_of(self.kind).severity

    @property
    def told(self) -> str:
        r"""Its message as sinks get it: not endless, and without characters that steer a terminal.

        >>> Notice(7, "refused", "no\x1b[2J\n", None, None, datetime(2026, 1, 1, tzinfo=UTC)).told
        'no[2J\n'
        """
        plain = "".join(c for c in self.message[: LONGEST_TOLD + 1] if c.isprintable() or c in "\n\t")
        return plain if len(self.message) <= LONGEST_TOLD else f"{plain[: LONGEST_TOLD - 1]}…"

    @property
    def about(self) -> str:
        """What it is about, in words; empty for nothing in particular."""
        return (
            f"{self.entity_type} {self.entity_id}" if self.entity_id is not None else self.entity_type or ""
        )

    def key(self, installation: str) -> str:
        """One key for one trouble: what is told of the same thing again has another, since it began anew.

        >>> at = datetime(2026, 11, 22, tzinfo=UTC)
        >>> Notice(7, "refused", "no", "publication", 12, at).key("rejoinder")
        'rejoinder/refused/publication/12/7'
        """
        parts = (installation, self.kind, self.entity_type, self.entity_id, self.id)
        key = "/".join(str(part) for part in parts if part is not None)
        return key if len(key) <= LONGEST_KEY else sha256_hex(key)


def worst(notices: Sequence[Notice]) -> Severity:
    """The gravest severity among notices; info where there are none."""
    return max((notice.severity for notice in notices), key=rank, default=SEVERITIES[0])


def counted(notices: Sequence[Notice]) -> list[tuple[str, int]]:
    """How many there are of each kind, the gravest kinds first, then the most frequent."""
    counts = Counter(notice.kind for notice in notices)
    return sorted(counts.items(), key=lambda pair: (-rank(kind_of(pair[0]).severity), -pair[1], pair[0]))


def stamp(at: datetime) -> str:
    """A time as messages write it, ISO 8601 in UTC to the second.

    >>> stamp(datetime(2026, 11, 22, 3, 4, 5, 678, tzinfo=UTC))
    '2026-11-22T03:04:05Z'
    """
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
