"""What replies were worth, for people to read: the reward at each age, and what has none and why."""

from dataclasses import dataclass

from resources.commands.reward_weights import creator_named
from resources.postgres import Database
from resources.store.rewards import FailedReward, RewardAtAge, failed_rewards, rewards_by_age


@dataclass(frozen=True, slots=True)
class RewardsRead:
    """Rewards by reply, the newest first, and age, the youngest first; and of what none can be worked out."""

    ages: list[RewardAtAge]
    failed: list[FailedReward]


def read_rewards(db: Database, creator: str | None = None, *, most: int = 20) -> RewardsRead:
    """What the latest measured replies were worth at each age.

    Args:
        db: the application's pool.
        creator: by name; None: of all.
        most: replies at most.

    Raises:
        ConfigInvalid: there is no creator of that name.
    """
    with db.transaction() as tx:
        creator_id = creator_named(tx, creator)[0] if creator else None
        return RewardsRead(rewards_by_age(tx, creator_id, most=most), failed_rewards(tx))
