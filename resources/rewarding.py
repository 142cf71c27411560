"""What replies were worth: rewards out of their snapshots, one an age, against what is usual for their creator."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from math import isfinite
from typing import Any, NamedTuple

from rejoinder.engagement.rewards import (
    DEFAULT_WEIGHTS,
    PlatformNorm,
    Reward,
    RewardWeights,
    Snapshot,
    reward,
)
from rejoinder.engagement.windows import is_mature
from resources.postgres import Database, Transaction, is_outage
from resources.store.conversions import LinkCounts, conversions_of, with_tracked_links
from resources.store.rewards import (
    Norm,
    NormKey,
    Rewarded,
    WeightsInForce,
    keep_failed,
    known_norm,
    save_norm,
    save_rewards,
    save_weights,
    shared_model_cost,
    weights_in_force,
)
from resources.tuning_sections import Rewards
from resources.work.runner import in_words

log = logging.getLogger("rejoinder.engagement")

Row = dict[str, Any]

BATCH = 1_000
# What could not be worked out is tried again after this, or once something is new of its reply.
TRIED_AGAIN = timedelta(days=1)
# A call of a model that is about no single post is spent in equal parts over so many days.
SHARED_DAYS = 30
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
            try:
                _adopt(tx, row["creator_id"], weights)
            except (TypeError, ValueError) as error:  # the rewards of this creator will say so, each
                log.warning("the weights of creator %d cannot be read: %s", row["creator_id"], error)
    n_written = 0
    while True:
        with db.transaction() as tx:
            done = write_rewards(tx, now())
        n_written += done.n_taken - done.n_failed
        if done.n_taken < BATCH:
            return n_written


def count_rewards_due(db: Database, now: datetime | None = None) -> int:
    """How many replies wait for a reward: with a new snapshot, other weights, or a conversion that was told late."""
    with db.transaction() as tx:
        failed_before_at = (now or datetime.now(UTC)) - TRIED_AGAIN
        return int(tx.value("count_rewards_due", failed_before_at=failed_before_at))


def _adopt(tx: Transaction, creator_id: int, weights: RewardWeights) -> None:
    last = weights_in_force(tx, creator_id)
    if last is None or (not last.is_by_person and last.weights != weights):
        save_weights(tx, creator_id, weights, None)


class Written(NamedTuple):
    """How many replies were taken on, and of how many a reward could not be worked out."""

    n_taken: int
    n_failed: int


def write_rewards(tx: Transaction, now: datetime) -> Written:
    """Write the rewards of the next batch of replies that wait for theirs, one for each age that was measured.

    What a reward is made of is what was known and paid for by then: conversions up to its age, models that were asked
    about the post until the reply went out, what the spend meter booked for sending it, the share in other models that
    its decision has, and what was usual on the day of the snapshot. So it is the same on whichever day it is worked
    out. A reply that is gone is worth no engagement.

    One that cannot be worked out is left with its reason, and holds up no other.
    """
    due = tx.rows("take_rewards_due", most=BATCH, failed_before_at=now - TRIED_AGAIN)
    ids = [row["publication_id"] for row in due]
    if not ids:
        return Written(0, 0)
    failed = _write(tx, ids)
    if failed:
        keep_failed(tx, failed, now)
        log.warning(
            "%d rewards could not be worked out, the first: %s", len(failed), next(iter(failed.values()))
        )
    return Written(len(ids), len(failed))


def _write(tx: Transaction, ids: Sequence[int]) -> dict[int, str]:
    """Write the rewards of these, in halves where PostgreSQL does not take one; why not, by publication."""
    try:
        with tx.connection.transaction():
            rows = tx.rows("load_rewards_due", ids=list(ids))
            worked_out, failed = _each(rows, _Batch(tx, ids, rows).rewarded)
            save_rewards(tx, worked_out)
        return failed
    except Exception as error:
        if is_outage(error):
            raise
        if len(ids) == 1:
            return {ids[0]: in_words(error)}
    half = len(ids) // 2
    return _write(tx, ids[:half]) | _write(tx, ids[half:])


def _each(rows: Sequence[Row], reward_of: Callable[[Row], Rewarded]) -> tuple[list[Rewarded], dict[int, str]]:
    """What could be worked out, and why not of the others, by publication."""
    worked_out: list[Rewarded] = []
    failed: dict[int, str] = {}
    for row in rows:
        try:
            worked_out.append(reward_of(row))
        except Exception as error:
            if is_outage(error):
                raise
            failed[row["publication_id"]] = f"at {row['window_s']} s: {in_words(error)}"
    return worked_out, failed


class _Batch:
    """What the rewards of one batch have in common, asked for once."""

    def __init__(self, tx: Transaction, ids: Sequence[int], rows: Sequence[Row]) -> None:
        self._tx = tx
        self._conversions = _conversions(tx, rows)
        self._shared_usd = shared_model_cost(tx, ids, days=SHARED_DAYS)
        self._weights: dict[int, WeightsInForce] = {}
        self._norms: dict[tuple[NormKey, date], Norm] = {}

    def rewarded(self, row: Row) -> Rewarded:
        """The reward of one reply at one age.

        Raises:
            ValueError: what is known of it makes no reward.
        """
        force = self._weights_of(row["creator_id"])
        key = NormKey(row["creator_id"], row["platform"], row["is_sandbox"], row["window_s"], force.version)
        norm = self._norm_of(key, row["day"], force.weights)
        paid = {
            "platform_usd": row["platform_usd"],
            "model_usd": row["model_usd"],
            "shared_model_usd": self._shared_usd[row["publication_id"]],
        }
        snapshot = replace(counts_of(row), cost_usd=sum(paid.values()), conversions=self._converted(row))
        worth = reward(snapshot, norm.usual, force.weights)
        return Rewarded(
            row["publication_id"],
            row["decision_id"],
            row["window_s"],
            force.version,
            norm.id,
            is_mature(row["window_s"]),
            _finite(_with_facts(worth, row, paid)),
        )

    def _weights_of(self, creator_id: int) -> WeightsInForce:
        if creator_id not in self._weights:
            found = weights_in_force(self._tx, creator_id)
            self._weights[creator_id] = found or WeightsInForce(0, DEFAULT_WEIGHTS, False)
        return self._weights[creator_id]

    def _converted(self, row: Row) -> int | None:
        found = self._conversions[row["window_s"]].get(row["publication_id"])
        return None if found is None or row["is_deleted"] else found.conversions

    def _norm_of(self, key: NormKey, day: date, weights: RewardWeights) -> Norm:
        if (key, day) not in self._norms:
            # What fails in PostgreSQL undoes this alone.
            with self._tx.connection.transaction():
                self._norms[key, day] = norm_of(self._tx, key, weights, day)
        return self._norms[key, day]


def _conversions(tx: Transaction, rows: Sequence[Row]) -> dict[int, dict[int, LinkCounts]]:
    """What the links in these replies brought up to each age, by age and publication; none for those without."""
    linked = with_tracked_links(tx, sorted({row["publication_id"] for row in rows}))
    ages_s = {row["window_s"] for row in rows}
    return {age_s: conversions_of(tx, linked, age_s=age_s) if linked else {} for age_s in ages_s}


def norm_of(tx: Transaction, key: NormKey, weights: RewardWeights, day: date) -> Norm:
    """What was usual on a day (UTC): worked out with that day's first reward, then kept, so that rewards compare."""
    found = known_norm(tx, key, day)
    while found is None:
        default = DEFAULT_NORMS.get(key.platform, OTHER_NORM)
        usual, n_replies = _usual(tx, key, weights, default, day)
        save_norm(tx, key, day, usual, n_replies)
        found = known_norm(tx, key, day)
    return found


def _usual(
    tx: Transaction, key: NormKey, weights: RewardWeights, default: PlatformNorm, day: date
) -> tuple[PlatformNorm, int]:
    day_over = datetime.combine(day, time(), UTC) + timedelta(days=1)
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
        measured_after_at=day_over - NORM_DAYS,
        measured_before_at=day_over,
        newest=NEWEST_FOR_NORM,
    )[0]
    seen = found["impressions"] or default.median_impressions * len(found["ids"])
    usual = replace(default, conversion_rate=conversion_rate(tx, found["ids"], seen, age_s=key.window_s))
    if found["n_replies"] < FEWEST_FOR_NORM:
        return usual, found["n_replies"]
    names = ("median_followers", "median_impressions", "median_rate", "median_age_s")
    # A median of nothing or of zero says nothing about what is usual: the default stays.
    known = {name: float(found[name]) for name in names if (found[name] or 0) > 0}
    return replace(usual, **known), found["n_replies"]


def conversion_rate(
    tx: Transaction, publication_ids: Sequence[int], impressions: float, *, age_s: int
) -> float:
    """Conversions per impression over these replies up to an age, links or not; 0.0 where there are none of either."""
    found: Mapping[int, LinkCounts] = (
        conversions_of(tx, publication_ids, age_s=age_s) if publication_ids else {}
    )
    return sum(one.conversions for one in found.values()) / impressions if impressions else 0.0


def counts_of(row: Row) -> Snapshot:
    """The counts of a row; none where the reply is gone."""
    known = {"parent_followers": row["author_followers"], "parent_age_s": row["parent_age_s"]}
    if row["is_deleted"]:
        return Snapshot(0, 0, 0, None, **known)
    return Snapshot(row["likes"], row["replies"], row["reposts"], row["impressions"], **known)


def _with_facts(worth: Reward, row: Row, paid: Mapping[str, float]) -> Reward:
    kind = {"is_deleted": float(row["is_deleted"]), "is_late": float(row["is_late"])}
    return replace(worth, components={**worth.components, **paid, **kind})


def _finite(worth: Reward) -> Reward:
    terms = {"reward": worth.reward, "engagement_rate": worth.engagement_rate, **worth.components}
    if bad := sorted(name for name, value in terms.items() if not isfinite(value)):
        raise ValueError(f"not a finite number: {', '.join(bad)}")
    return worth
