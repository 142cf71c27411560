"""Measurements, snapshots and rewards: rows <-> values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from rejoinder.engagement.rewards import Reward
from rejoinder.ids import ChannelId, PublicationId
from resources.platforms.port import Metrics
from resources.postgres import Transaction


@dataclass(frozen=True, slots=True)
class Measurement:
    """A snapshot to take; due_at in the channel's own time."""

    id: int
    publication_id: PublicationId
    window_s: int
    due_at: datetime
    platform_id: str

    @property
    def sent_at(self) -> datetime:
        """When the reply was sent, in the channel's own time."""
        return self.due_at - timedelta(seconds=self.window_s)


def load_measurements(tx: Transaction, ids: Sequence[int]) -> list[Measurement]:
    """The measurements with these ids, in this order."""
    rows = {row["id"]: Measurement(**row) for row in tx.rows("load_measurements", ids=list(ids))}
    return [rows[i] for i in ids]


def has_open_measurements(tx: Transaction, step: str) -> bool:
    """Whether any snapshot of this step is still to be taken, due or not."""
    return bool(tx.value("has_open_measurements", step=step))


def sent_without_measurements(tx: Transaction, channel_id: ChannelId) -> list[dict[str, Any]]:
    """Id and sent_at of replies whose snapshots nobody has planned."""
    return tx.rows("sent_without_measurements", channel_id=channel_id)


def save_snapshot(
    tx: Transaction, measurement: Measurement, metrics: Metrics, *, taken_at: datetime, is_late: bool
) -> None:
    """Keep the counts; a window that has a snapshot keeps it."""
    tx.execute(
        "save_snapshot",
        publication_id=measurement.publication_id,
        window_s=measurement.window_s,
        impressions=metrics.impressions,
        likes=metrics.likes,
        replies=metrics.replies,
        reposts=metrics.reposts,
        is_deleted=metrics.is_deleted,
        is_late=is_late,
        taken_at=taken_at,
    )


def save_reward(
    tx: Transaction, publication_id: int, decision_id: int | None, window_s: int, reward: Reward
) -> None:
    """Write what a reply was worth, in place of what was written before."""
    tx.execute(
        "save_reward",
        publication_id=publication_id,
        decision_id=decision_id,
        window_s=window_s,
        engagement_rate=reward.engagement_rate,
        reward=reward.reward,
        components=Jsonb(dict(reward.components)),
    )
