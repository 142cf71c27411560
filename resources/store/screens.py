"""What the review app shows beside single cases: the day's numbers, what changed, replies that were approved."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rejoinder.ids import PostId, PublicationId
from rejoinder.posting.states import PublicationState
from resources.postgres import Transaction

Pulse = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class DeskNumbers:
    """The day's work in numbers; the day begins at midnight UTC, simulated decisions are left out."""

    waiting: int
    approved_today: int
    rejected_today: int
    sent_today: int
    handoffs: int
    unknown: int
    unread: int
    dead: int
    model_usd_today: float
    platform_usd_today: float

    @property
    def spend_usd_today(self) -> float:
        """What models and platforms charged today."""
        return self.model_usd_today + self.platform_usd_today


@dataclass(frozen=True, slots=True)
class PublicationRow:
    """An approved reply, the post it answers and who approved it; texts are what was approved, part by part."""

    id: PublicationId
    post_id: PostId
    state: PublicationState
    due_at: datetime
    attempts: int
    sent_at: datetime | None
    platform_id: str | None
    platform_url: str | None
    reason_code: str | None
    detail: str | None
    created_at: datetime
    updated_at: datetime
    parts_sent: int
    texts: tuple[str, ...]
    platform: str
    author: str | None
    community: str | None
    post_url: str | None
    post_text: str
    post_version: int
    channel: str
    is_sandbox: bool
    reviewer: str
    is_simulated: bool

    @property
    def in_hand(self) -> int:
        """Which part is next, or in doubt, or was refused; counted from 0."""
        return min(self.parts_sent, len(self.texts) - 1)


def read_pulse(tx: Transaction) -> Pulse:
    """A value that is another one once anything that people look at has changed."""
    return tuple((tx.row("desk_pulse") or {}).values())


def read_numbers(tx: Transaction, day_at: datetime) -> DeskNumbers:
    """The numbers since day_at, the day's beginning (aware, UTC)."""
    row = tx.row("desk_numbers", day_at=day_at) or {}
    return DeskNumbers(**row, platform_usd_today=tx.value("spent_on_platforms", day=day_at.date()))


def list_publications(
    tx: Transaction, *, state: PublicationState | None = None, limit: int = 50, offset: int = 0
) -> tuple[PublicationRow, ...]:
    """Approved replies, the latest changed first; None means any state."""
    rows = tx.rows("list_publications", state=state, limit=limit, offset=offset)
    return tuple(PublicationRow(**row | {"texts": tuple(row["texts"])}) for row in rows)
