"""Policies of channels: show one, change it, put it back to what is shipped; every change is audited."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.policy import ChannelPolicy
from rejoinder.listening.policy_changes import KEYS, change, refuse_loosening, shipped_of, shown
from resources.commands.actors import Actor, authorise, record
from resources.postgres import Database, Transaction
from resources.store.channels import Channel, channels_of, write_policy


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """What became of a change: before and after by key, as people read them, and what needed a permission."""

    channel: str
    changed: Mapping[str, tuple[str, str]]
    permitted: tuple[str, ...] = ()


def read_policies(db: Database, name: str | None = None) -> list[Channel]:
    """The channels with their policies, the disabled ones too; of that name only, if one is given.

    Raises:
        ConfigInvalid: no channel has that name.
    """
    with db.transaction() as tx:
        found = channels_of(tx, name)
    if name and not found:
        raise _unknown(name)
    return found


def set_policy(
    db: Database, actor: Actor, name: str, given: Mapping[str, str], *, reason: str = "", permission: str = ""
) -> PolicyChange:
    """Change a channel's policy from now on; what is queued is asked about again when its turn comes.

    Args:
        db: the application's pool.
        actor: who changes it; an admin.
        name: of the channel.
        given: values by key, as a person writes them.
        reason: why; stands in the audit.
        permission: what permission the platform gave for what it forbids by its terms.

    Raises:
        NotAllowed: the actor is no admin, or the platform forbids it and no permission was named.
        ConfigInvalid: no such channel, key or value.
    """
    if not given:
        raise ConfigInvalid(f"Nothing to set: give KEY=VALUE. There are {', '.join(KEYS)}.")
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_channels")
        channel = _locked(tx, name)
        wanted = change(channel.policy, given)
        permitted = refuse_loosening(channel.policy, wanted, permission)
        done = PolicyChange(name, _differences(channel.policy, wanted), tuple(permitted))
        if done.changed:
            _save(tx, acting, channel, wanted, done, reason, permission if permitted else "")
    return done


def reset_policy(db: Database, actor: Actor, name: str, *, reason: str = "") -> PolicyChange:
    """Put a channel's policy back to the one that is shipped under its name; a named operator stays.

    Raises:
        NotAllowed: the actor is no admin.
        ConfigInvalid: no such channel.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_channels")
        channel = _locked(tx, name)
        shipped = shipped_of(channel.policy)
        wanted = change(shipped, {"operator": channel.policy.operator or "none"})
        done = PolicyChange(name, _differences(channel.policy, wanted))
        _save(tx, acting, channel, wanted, done, reason, "")
    return done


def _locked(tx: Transaction, name: str) -> Channel:
    tx.row("lock_channel", name=name)
    found = channels_of(tx, name)
    if not found:
        raise _unknown(name)
    return found[0]


def _unknown(name: str) -> ConfigInvalid:
    return ConfigInvalid(f"There is no channel named {name}.", fix="`rejoinder channel list` shows them.")


def _differences(before: ChannelPolicy, after: ChannelPolicy) -> dict[str, tuple[str, str]]:
    values = ((key, getattr(before, key), getattr(after, key)) for key in KEYS)
    return {key: (shown(key, old), shown(key, new)) for key, old, new in values if old != new}


def _save(
    tx: Transaction,
    actor: Actor,
    channel: Channel,
    policy: ChannelPolicy,
    done: PolicyChange,
    reason: str,
    permission: str,
) -> None:
    tx.execute("set_channel_policy", id=channel.id, policy=Jsonb(write_policy(policy)))
    diff: dict[str, object] = {"channel": channel.name, "changed": dict(done.changed), "reason": reason}
    if permission:
        diff |= {"permission": permission, "permitted": list(done.permitted)}
    record(tx, actor, "set_policy", "channel", channel.id, diff)
