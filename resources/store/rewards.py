"""Rewards, what they are weighed by and what was usual: rows <-> values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from rejoinder.engagement.rewards import PlatformNorm, Reward, RewardWeights
from resources.postgres import Transaction


@dataclass(frozen=True, slots=True)
class WeightsInForce:
    """The weights of a creator and their version; is_by_person: somebody set them, so the tuning is not asked."""

    version: int
    weights: RewardWeights
    is_by_person: bool


@dataclass(frozen=True, slots=True)
class WeightsVersion:
    """One version of a creator's weights; person is None where they came out of the tuning."""

    creator_id: int
    creator: str
    version: int
    weights: RewardWeights
    person: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NormKey:
    """What a norm is of; a rehearsal has norms of its own."""

    creator_id: int
    platform: str
    is_sandbox: bool
    window_s: int
    weights_version: int


@dataclass(frozen=True, slots=True)
class Norm:
    """What was usual, by its number."""

    id: int
    usual: PlatformNorm


@dataclass(frozen=True, slots=True)
class Rewarded:
    """The reward of one reply, as it is written down."""

    publication_id: int
    decision_id: int | None
    window_s: int
    weights_version: int
    norm_id: int
    is_mature: bool
    worth: Reward


@dataclass(frozen=True, slots=True)
class FailedReward:
    """A publication whose reward could not be worked out, since when and why."""

    publication_id: int
    failed_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class RewardAtAge:
    """What a reply was worth at one age, in seconds after it was sent; is_late and is_deleted are of its snapshot."""

    publication_id: int
    creator_id: int
    channel: str
    is_sandbox: bool
    strategy: str
    sent_at: datetime
    window_s: int
    reward: float
    engagement_rate: float
    engagement: float | None
    growth: float | None
    conversion: float | None
    cost: float | None
    weights_version: int
    is_mature: bool
    is_late: bool | None
    is_deleted: bool | None


def weights_in_force(tx: Transaction, creator_id: int) -> WeightsInForce | None:
    """The latest weights of a creator; None before there are any."""
    row = tx.row("weights_in_force", creator_id=creator_id)
    if row is None:
        return None
    return WeightsInForce(row["version"], read_weights(row["weights"]), row["is_by_person"])


def read_weights(stored: Mapping[str, Any]) -> RewardWeights:
    """Weights as they were kept; one that is new since has its default, one that is gone is left out."""
    known = RewardWeights.__dataclass_fields__
    return RewardWeights(**{name: value for name, value in stored.items() if name in known})


def save_weights(tx: Transaction, creator_id: int, weights: RewardWeights, person_id: int | None) -> int:
    """Keep another version of a creator's weights; every measured reply of his is weighed again. Its number."""
    tx.row("lock_creator", creator_id=creator_id)
    version = tx.value(
        "insert_reward_weights", creator_id=creator_id, weights=Jsonb(asdict(weights)), person_id=person_id
    )
    tx.execute("ask_for_rewards_of", creator_id=creator_id)
    return int(version)


def list_weights(tx: Transaction, creator_id: int | None = None) -> list[WeightsVersion]:
    """All versions, of one creator or of all, the latest first."""
    rows = tx.rows("list_reward_weights", creator_id=creator_id)
    return [WeightsVersion(**{**row, "weights": read_weights(row["weights"])}) for row in rows]


def known_norm(tx: Transaction, key: NormKey, day: date) -> Norm | None:
    """The norm of a day, where it was worked out."""
    row = tx.row("known_norm", day=day, **asdict(key))
    return None if row is None else Norm(row["id"], PlatformNorm(**row["norm"]))


def save_norm(tx: Transaction, key: NormKey, day: date, usual: PlatformNorm, n_replies: int) -> None:
    """Keep the norm of a day; one that is there stays."""
    tx.execute("save_norm", day=day, n_replies=n_replies, norm=Jsonb(asdict(usual)), **asdict(key))


def save_rewards(tx: Transaction, rewards: Sequence[Rewarded]) -> None:
    """Write what replies were worth; what was written under other weights goes to the history."""
    if rewards:
        tx.execute("save_rewards", rewards=json.dumps([_columns(one) for one in rewards]))


def keep_failed(tx: Transaction, reasons: Mapping[int, str], now: datetime) -> None:
    """Let publications whose reward could not be worked out wait, each with its reason."""
    failed = [{"publication_id": one, "reason": reason} for one, reason in reasons.items()]
    tx.execute("keep_failed_rewards", failed=json.dumps(failed), now=now)


def failed_rewards(tx: Transaction, *, most: int = 100) -> list[FailedReward]:
    """Publications whose reward could not be worked out, and why."""
    return [FailedReward(**row) for row in tx.rows("failed_rewards", most=most)]


def shared_model_cost(tx: Transaction, publication_ids: Sequence[int], *, days: int) -> dict[int, float]:
    """The share of each publication, in USD, in what models cost that were asked about no single post.

    Args:
        tx: of the application.
        publication_ids: at most a few thousand at a time.
        days: over how many a call is spent, in equal parts.
    """
    rows = tx.rows("shared_model_cost", ids=list(publication_ids), days=days)
    return {row["publication_id"]: row["usd"] for row in rows}


def rewards_by_age(tx: Transaction, creator_id: int | None = None, *, most: int = 20) -> list[RewardAtAge]:
    """What the latest measured replies were worth, of one creator or of all: newest reply first, youngest age first."""
    return [RewardAtAge(**row) for row in tx.rows("rewards_by_age", creator_id=creator_id, most=most)]


def _columns(one: Rewarded) -> dict[str, Any]:
    worth = {name: value for name, value in asdict(one.worth).items() if name != "components"}
    given = {name: getattr(one, name) for name in one.__dataclass_fields__ if name != "worth"}
    return {**given, **worth, "components": dict(one.worth.components)}
