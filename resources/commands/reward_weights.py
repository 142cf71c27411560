"""Weights of rewards: show the versions of each creator, set another one; every change is audited."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from rejoinder.engagement.rewards import DEFAULT_WEIGHTS, RewardWeights
from rejoinder.errors import ConfigInvalid
from resources.commands.actors import Actor, authorise, record
from resources.postgres import Database, Transaction
from resources.store.rewards import WeightsVersion, list_weights, save_weights, weights_in_force

KEYS = tuple(asdict(DEFAULT_WEIGHTS))


@dataclass(frozen=True, slots=True)
class WeightsChange:
    """What became of a change: the version in force now, and values before and after by key."""

    creator: str
    version: int
    changed: Mapping[str, tuple[float, float]]


def read_weights(db: Database, creator: str | None = None) -> list[WeightsVersion]:
    """Every version of the weights, the latest first; of one creator, or of all.

    Raises:
        ConfigInvalid: there is no creator of that name.
    """
    with db.transaction() as tx:
        return list_weights(tx, creator_named(tx, creator)[0] if creator else None)


def set_weights(
    db: Database,
    actor: Actor,
    creator: str | None,
    given: Mapping[str, str],
    *,
    defaults: RewardWeights = DEFAULT_WEIGHTS,
    reason: str = "",
) -> WeightsChange:
    """Set weights of a creator; they hold from the next round on, for what was measured before too.

    What was written under the version before stays in the history.

    Args:
        db: the application's pool.
        actor: who sets them; an admin.
        creator: by name; may be left out where there is one.
        given: values by key, as a person writes them; the others stay.
        defaults: what holds where none were set yet.
        reason: why; stands in the audit.

    Raises:
        NotAllowed: the actor is no admin.
        ConfigInvalid: no such creator, key or value.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_channels")
        creator_id, name = creator_named(tx, creator)
        tx.row("lock_creator", creator_id=creator_id)
        last = weights_in_force(tx, creator_id)
        before = last.weights if last else defaults
        after = _changed(before, given)
        version = save_weights(tx, creator_id, after, acting.person_id)
        old, new = asdict(before), asdict(after)
        done = WeightsChange(
            name, version, {key: (old[key], new[key]) for key in KEYS if old[key] != new[key]}
        )
        diff = {"creator": name, "version": version, "changed": dict(done.changed), "reason": reason}
        record(tx, acting, "set_reward_weights", "creator", creator_id, diff)
    return done


def creator_named(tx: Transaction, name: str | None) -> tuple[int, str]:
    """Number and name of a creator; no name is enough where there is one.

    Raises:
        ConfigInvalid: there is none of that name, or none, or several to choose from.
    """
    found = tx.rows("creators_named", name=name)
    if len(found) == 1:
        return found[0]["id"], found[0]["name"]
    if name is not None:
        raise ConfigInvalid(f"There is no creator named {name}.")
    known = ", ".join(row["name"] for row in found)
    raise ConfigInvalid(
        f"Name one of the creators with --creator: {known}." if known else "There is no creator yet."
    )


def _changed(before: RewardWeights, given: Mapping[str, str]) -> RewardWeights:
    unknown = sorted(given.keys() - set(KEYS))
    if unknown or not given:
        said = f"There is no weight {unknown[0]!r}" if unknown else "Nothing to set"
        raise ConfigInvalid(f"{said}: give KEY=VALUE. There are {', '.join(KEYS)}.")
    try:
        return replace(before, **{key: float(value) for key, value in given.items()})
    except ValueError as error:
        raise ConfigInvalid(f"These are no weights: {error}") from None
