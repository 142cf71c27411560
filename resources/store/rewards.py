"""Rewards: rows <-> values."""

from psycopg.types.json import Jsonb

from rejoinder.engagement.rewards import Reward
from resources.postgres import Transaction


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
