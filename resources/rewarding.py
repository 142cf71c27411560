"""What replies were worth: rewards out of their latest snapshots, against what is usual for their creator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rejoinder.engagement.rewards import (
    DEFAULT_WEIGHTS,
    PlatformNorm,
    Reward,
    RewardWeights,
    Snapshot,
    reward,
)
from rejoinder.engagement.windows import is_mature
from rejoinder.listening.policy import ChannelPolicy, reply_price_usd
from rejoinder.text.links import find_links
from resources.postgres import Database, Transaction
from resources.store.channels import load_channel
from resources.store.conversions import conversions_of
from resources.store.rewards import (
    Norm,
    NormKey,
    Rewarded,
    WeightsInForce,
    known_norm,
    save_norm,
    save_rewards,
    save_weights,
    weights_in_force,
)
from resources.tuning_sections import Rewards

Row = dict[str, Any]

BATCH = 1_000
# What counts as usual until a creator has so many replies of his own; by judgement, not measured.
FEWEST_FOR_NORM = 20
NEWEST_FOR_NORM = 2_000
NORM_DAYS = timedelta(days=90)
# By judgement but for the half-life on X (source: rejoinder.engagement.rewards); Reddit's threads live longer.
DEFAULT_NORMS: dict[str, PlatformNorm] = {
    "x": PlatformNorm(median_followers=500, median_impressions=150, median_rate=0.03),
    "reddit": PlatformNorm(
        median_followers=100, median_impressions=150, median_rate=0.03, half_life_s=14_400.0
    ),
}
OTHER_NORM = PlatformNorm(median_followers=100, median_impressions=150, median_rate=0.03)


def weights_of(tuning: Rewards) -> RewardWeights:
    """The weights that the tuning sets; what it does not name has its default."""
    given = tuning.model_dump()
    return RewardWeights(cost=given.pop("cost_per_usd"), **given)


def refresh_rewards(
    db: Database,
    *,
    weights: RewardWeights = DEFAULT_WEIGHTS,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Write the rewards of replies that have a new snapshot, or a creator with new weights; how many.

    Args:
        db: as the application's login.
        weights: of creators for whom nobody set any; kept as a version where they differ from the last.
        now: our time, which days of norms are counted by.
    """
    with db.transaction() as tx:
        for row in tx.rows("creators_with_snapshots"):
            _adopt(tx, row["creator_id"], weights)
    written = 0
    while True:
        with db.transaction() as tx:
            n = write_rewards(tx, now())
        written += n
        if n < BATCH:
            return written


def _adopt(tx: Transaction, creator_id: int, weights: RewardWeights) -> None:
    last = weights_in_force(tx, creator_id)
    if last is None or (not last.is_by_person and last.weights != weights):
        save_weights(tx, creator_id, weights, None)


def write_rewards(tx: Transaction, now: datetime) -> int:
    """Write the rewards of the next batch of replies that wait for theirs; how many.

    The cost is what the platform charged for the reply, nothing where a person posted it, what models cost that were
    asked about its post, and its share of what models cost beside that. A reply that is gone is worth no engagement.
    """
    ids = [row["publication_id"] for row in tx.rows("take_rewards_due", most=BATCH)]
    if not ids:
        return 0
    rows = tx.rows("load_rewards_due", ids=ids)
    batch = _Batch(tx, now, rows)
    save_rewards(tx, [batch.rewarded(row) for row in rows])
    return len(ids)


class _Batch:
    """What the rewards of one batch have in common, asked for once."""

    def __init__(self, tx: Transaction, now: datetime, rows: Sequence[Row]) -> None:
        self._tx, self._now = tx, now
        linked = [row["publication_id"] for row in rows if any(map(find_links, row["texts"]))]
        self._conversions = conversions_of(tx, linked) if linked else {}
        self._share_usd = float(tx.value("shared_model_cost"))
        self._policies: dict[int, ChannelPolicy] = {}
        self._weights: dict[int, WeightsInForce] = {}
        self._norms: dict[NormKey, Norm] = {}

    def rewarded(self, row: Row) -> Rewarded:
        """The reward of one reply."""
        force = self._weights_of(row["creator_id"])
        key = NormKey(row["creator_id"], row["platform"], row["is_sandbox"], row["window_s"], force.version)
        norm = self._norm_of(key, force.weights)
        cost_usd = _platform_cost_usd(row, self._policy_of(row["channel_id"])) + row["model_usd"]
        snapshot = replace(
            counts_of(row), cost_usd=cost_usd + self._share_usd, conversions=self._converted(row)
        )
        worth = reward(snapshot, norm.usual, force.weights)
        return Rewarded(
            row["publication_id"],
            row["decision_id"],
            row["window_s"],
            force.version,
            norm.id,
            is_mature(row["window_s"]),
            _with_kind(worth, row),
        )

    def _weights_of(self, creator_id: int) -> WeightsInForce:
        if creator_id not in self._weights:
            found = weights_in_force(self._tx, creator_id)
            self._weights[creator_id] = found or WeightsInForce(0, DEFAULT_WEIGHTS, False)
        return self._weights[creator_id]

    def _policy_of(self, channel_id: int) -> ChannelPolicy:
        if channel_id not in self._policies:
            self._policies[channel_id] = load_channel(self._tx, channel_id).policy
        return self._policies[channel_id]

    def _converted(self, row: Row) -> int | None:
        found = self._conversions.get(row["publication_id"])
        return None if found is None or row["is_deleted"] else found.conversions

    def _norm_of(self, key: NormKey, weights: RewardWeights) -> Norm:
        if key not in self._norms:
            self._norms[key] = norm_of(self._tx, key, weights, self._now)
        return self._norms[key]


def norm_of(tx: Transaction, key: NormKey, weights: RewardWeights, now: datetime) -> Norm:
    """What was usual on this day: worked out with the day's first reward, then kept, so that rewards compare."""
    day = now.date()
    found = known_norm(tx, key, day)
    while found is None:
        default = DEFAULT_NORMS.get(key.platform, OTHER_NORM)
        usual, n_replies = _usual(tx, key, weights, default, now)
        save_norm(tx, key, day, usual, n_replies)
        found = known_norm(tx, key, day)
    return found


def _usual(
    tx: Transaction, key: NormKey, weights: RewardWeights, default: PlatformNorm, now: datetime
) -> tuple[PlatformNorm, int]:
    found = tx.rows(
        "usual_of_replies",
        creator_id=key.creator_id,
        platform=key.platform,
        is_sandbox=key.is_sandbox,
        window_s=key.window_s,
        like=weights.like,
        reply=weights.reply,
        repost=weights.repost,
        impressions=default.median_impressions,
        measured_after_at=now - NORM_DAYS,
        newest=NEWEST_FOR_NORM,
    )[0]
    rate = conversion_rate(
        tx, found["ids"], found["impressions"] or default.median_impressions * len(found["ids"])
    )
    usual = replace(default, conversion_rate=rate)
    if found["n_replies"] < FEWEST_FOR_NORM:
        return usual, found["n_replies"]
    names = ("median_followers", "median_impressions", "median_rate", "median_age_s")
    # A median of nothing or of zero says nothing about what is usual: the default stays.
    known = {name: float(found[name]) for name in names if (found[name] or 0) > 0}
    return replace(usual, **known), found["n_replies"]


def conversion_rate(tx: Transaction, publication_ids: Sequence[int], impressions: float) -> float:
    """Conversions per impression over these replies, links or not; 0.0 where there are none of either."""
    found: Mapping[int, Any] = conversions_of(tx, publication_ids) if publication_ids else {}
    return sum(one.conversions for one in found.values()) / impressions if impressions else 0.0


def counts_of(row: Row) -> Snapshot:
    """The counts of a row; none where the reply is gone."""
    known = {"parent_followers": row["author_followers"], "parent_age_s": row["parent_age_s"]}
    if row["is_deleted"]:
        return Snapshot(0, 0, 0, None, **known)
    return Snapshot(row["likes"], row["replies"], row["reposts"], row["impressions"], **known)


def _with_kind(worth: Reward, row: Row) -> Reward:
    kind = {"is_deleted": float(row["is_deleted"]), "is_late": float(row["is_late"])}
    return replace(worth, components={**worth.components, **kind})


def _platform_cost_usd(row: Row, policy: ChannelPolicy) -> float:
    """What sending the parts cost; only the first one answers whoever called."""
    if not row["is_by_api"]:
        return 0.0
    return sum(
        reply_price_usd(
            policy, has_link=bool(find_links(text)), is_summoned=row["is_summoned"] and not position
        )
        for position, text in enumerate(row["texts"])
    )
