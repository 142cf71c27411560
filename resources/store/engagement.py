"""Measurements and snapshots, and what was noticed on the way: rows <-> values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rejoinder.engagement.counts import ReplyCounts
from rejoinder.ids import ChannelId, PublicationId
from resources.postgres import Transaction
from resources.store.publications import notify


@dataclass(frozen=True, slots=True)
class Measurement:
    """A snapshot to take; planned_at in the channel's own time, platform_ids those of the reply's parts in order.

    unsaid_since is since when the platform's answers say nothing of the reply, in the channel's own time; None
    where the last one did.
    """

    id: int
    publication_id: PublicationId
    window_s: int
    planned_at: datetime
    platform_ids: tuple[str, ...]
    unsaid_since: datetime | None = None

    @property
    def sent_at(self) -> datetime:
        """When the reply was sent, in the channel's own time."""
        return self.planned_at - timedelta(seconds=self.window_s)


def load_measurements(tx: Transaction, ids: Sequence[int]) -> list[Measurement]:
    """The measurements with these ids, in this order."""
    rows = {row["id"]: _measurement(row) for row in tx.rows("load_measurements", ids=list(ids))}
    return [rows[i] for i in ids]


def _measurement(row: dict[str, Any]) -> Measurement:
    return Measurement(**{**row, "platform_ids": tuple(row["platform_ids"])})


def has_open_measurements(tx: Transaction, step: str) -> bool:
    """Whether any snapshot of this step is still to be taken, due or not."""
    return bool(tx.value("has_open_measurements", step=step))


def sent_without_measurements(tx: Transaction, channel_id: ChannelId) -> list[dict[str, Any]]:
    """Id and sent_at of replies whose snapshots nobody has planned."""
    return tx.rows("sent_without_measurements", channel_id=channel_id)


def save_snapshot(
    tx: Transaction,
    measurement: Measurement,
    counts: ReplyCounts,
    *,
    taken_at: datetime,
    is_late: bool,
    removal_reason: str | None,
) -> None:
    """Keep the counts, less what accounts of ours answered; a window that has a snapshot keeps it."""
    tx.execute(
        "save_snapshot",
        publication_id=measurement.publication_id,
        platform_ids=list(measurement.platform_ids),
        window_s=measurement.window_s,
        impressions=counts.impressions,
        likes=counts.likes,
        replies=counts.replies,
        reposts=counts.reposts,
        link_clicks=counts.link_clicks,
        profile_clicks=counts.profile_clicks,
        is_deleted=counts.is_gone,
        n_parts=counts.n_parts,
        n_parts_gone=counts.n_parts_gone,
        removal_reason=removal_reason,
        is_late=is_late,
        taken_at=taken_at,
    )


def note_looked_at(
    tx: Transaction,
    publication_ids: Sequence[PublicationId],
    now: datetime,
    *,
    unsaid: Sequence[PublicationId],
    asked_at: datetime,
) -> None:
    """Write down that replies were asked about, and of which of them the answer said nothing.

    Args:
        tx: of the application.
        publication_ids: all that were asked about.
        now: our time.
        unsaid: those of them that the answer left out; of the others it is forgotten that any did.
        asked_at: the channel's own time.
    """
    tx.execute(
        "note_looked_at", ids=sorted(publication_ids), now=now, unsaid_ids=list(unsaid), asked_at=asked_at
    )


def note_standing_of_reply(
    tx: Transaction, publication_id: PublicationId, *, is_gone: bool, reason: str | None, now: datetime
) -> bool:
    """Write down whether a reply of ours stands; people are told once that it is gone. Whether that is news.

    One that is back (a moderator let it through) counts as standing again.
    """
    news = tx.row("note_reply_standing", id=publication_id, is_gone=is_gone, now=now) is not None
    if news and is_gone:
        said = f" ({reason})" if reason else ""
        message = f"reply {publication_id} is gone from the platform{said}; it earns no reward"
        notify(tx, "removed", message, "publication", publication_id)
    return news
