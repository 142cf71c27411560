"""What replies were worth: rewards out of their latest snapshots, against what is usual on the platform."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from rejoinder.engagement.rewards import (
    DEFAULT_WEIGHTS,
    PlatformNorm,
    Reward,
    RewardWeights,
    Snapshot,
    reward,
)
from rejoinder.listening.policy import ChannelPolicy, reply_price_usd
from rejoinder.text.links import find_links
from resources.postgres import Database, Transaction
from resources.store.channels import load_channel
from resources.store.rewards import save_reward

Row = dict[str, Any]
NormKey = tuple[str, int]

# What counts as usual until a platform and window has so many replies of its own; by judgement, not measured.
FEWEST_FOR_NORM = 20
DEFAULT_NORMS: dict[str, PlatformNorm] = {
    "x": PlatformNorm(median_followers=500, median_impressions=150, median_rate=0.03),
    "reddit": PlatformNorm(median_followers=100, median_impressions=150, median_rate=0.03),
}
OTHER_NORM = PlatformNorm(median_followers=100, median_impressions=150, median_rate=0.03)


def refresh_rewards(db: Database, *, weights: RewardWeights = DEFAULT_WEIGHTS) -> int:
    """Write the reward of every measured reply anew, from its latest snapshot; how many."""
    with db.transaction() as tx:
        return write_rewards(tx, weights)


def write_rewards(tx: Transaction, weights: RewardWeights) -> int:
    """Write the reward of every measured reply anew, from its latest snapshot; how many.

    The cost is what the platform charged for the reply, nothing where a person posted it, and its share
    of all that models cost. A deleted reply is worth no engagement.
    """
    rows = tx.rows("latest_snapshots")
    share_usd = float(tx.value("model_cost_share"))
    policies = {i: load_channel(tx, i).policy for i in {row["channel_id"] for row in rows}}
    norms = platform_norms(rows, weights)
    for row in rows:
        cost_usd = _platform_cost_usd(row, policies[row["channel_id"]]) + share_usd
        worth = reward_of(row, norms[row["platform"], row["window_s"]], cost_usd, weights)
        save_reward(tx, row["publication_id"], row["decision_id"], row["window_s"], worth)
    return len(rows)


def reward_of(row: Row, norm: PlatformNorm, cost_usd: float, weights: RewardWeights) -> Reward:
    """The reward of one reply, with what kind of snapshot it rests on among its parts."""
    snapshot = replace(_counts(row), cost_usd=cost_usd)
    worth = reward(snapshot, norm, parent_followers=row["author_followers"], weights=weights)
    kind = {"is_deleted": float(row["is_deleted"]), "is_late": float(row["is_late"])}
    return replace(worth, components={**worth.components, **kind})


def _counts(row: Row) -> Snapshot:
    if row["is_deleted"]:
        return Snapshot(0, 0, 0, row["impressions"])
    return Snapshot(row["likes"], row["replies"], row["reposts"], row["impressions"])


def _platform_cost_usd(row: Row, policy: ChannelPolicy) -> float:
    if not row["is_by_api"]:
        return 0.0
    return reply_price_usd(policy, has_link=bool(find_links(row["text"])), is_summoned=row["is_summoned"])


def platform_norms(rows: Sequence[Row], weights: RewardWeights) -> Mapping[NormKey, PlatformNorm]:
    """What is usual per platform and window: medians of our own replies, or the defaults while they are few."""
    groups: dict[NormKey, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["platform"], row["window_s"]].append(row)
    return {
        key: _norm(DEFAULT_NORMS.get(key[0], OTHER_NORM), group, weights) for key, group in groups.items()
    }


def _norm(default: PlatformNorm, group: Sequence[Row], weights: RewardWeights) -> PlatformNorm:
    sound = [row for row in group if not row["is_deleted"] and not row["is_late"]]
    if len(sound) < FEWEST_FOR_NORM:
        return default
    followers = [row["author_followers"] for row in sound if row["author_followers"] is not None]
    impressions = [row["impressions"] for row in sound if row["impressions"] is not None]
    rates = [_rate(row, default, weights) for row in sound]
    # A median of nothing or of zero says nothing about what is usual: the default stays.
    return PlatformNorm(
        median_followers=(median(followers) if followers else 0) or default.median_followers,
        median_impressions=(median(impressions) if impressions else 0) or default.median_impressions,
        median_rate=median(rates) or default.median_rate,
    )


def _rate(row: Row, default: PlatformNorm, weights: RewardWeights) -> float:
    counts = _counts(row)
    engagement = weights.like * max(counts.likes, 0)
    engagement += weights.reply * counts.replies + weights.repost * counts.reposts
    return engagement / max(counts.impressions or default.median_impressions, 1)
