"""What one pass of the publisher did."""

import logging
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg

from rejoinder.errors import RejoinderError

log = logging.getLogger("rejoinder.publishing")


@dataclass(slots=True)
class PublishReport:
    """Counts of one pass.

    sent counts replies that went out whole, parts those of threads that stand short of their last one; refused,
    unknown, requeued and lease_lost count attempts by outcome; found and absent count
    read-backs that settled or that ended the search; deferred counts publications that wait for a
    limit or a spend cap; errors counts messages.
    """

    sent: int = 0
    parts: int = 0
    refused: int = 0
    unknown: int = 0
    requeued: int = 0
    lease_lost: int = 0
    lapsed: int = 0
    found: int = 0
    absent: int = 0
    still_unknown: int = 0
    deferred: int = 0
    cancelled: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    is_stopped: bool = False

    @property
    def items(self) -> int:
        """Attempts and read-backs."""
        attempts = self.sent + self.parts + self.refused + self.unknown + self.requeued + self.lease_lost
        return attempts + self.found + self.absent + self.still_unknown

    def note(self, error: str) -> None:
        """Count a message."""
        self.errors[error] = self.errors.get(error, 0) + 1

    def add(self, other: "PublishReport") -> None:
        """Add the counts of another pass."""
        for name, value in asdict(other).items():
            if isinstance(value, int) and not isinstance(value, bool):
                setattr(self, name, getattr(self, name) + value)
        for error, count in other.errors.items():
            self.errors[error] = self.errors.get(error, 0) + count
        self.seconds += other.seconds
        self.is_stopped = self.is_stopped or other.is_stopped

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def told(error: Exception) -> str:
    """What nobody foresaw, for the report; a statement's error without the row that it quotes."""
    if isinstance(error, RejoinderError):
        return str(error)
    about = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    log.error("unforeseen: %s", about or type(error).__name__, exc_info=None if about else error)
    return f"unforeseen: {type(error).__name__}"
