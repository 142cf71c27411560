"""Channels of the operator's own: connect an account with its credentials, list them, switch one off."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rejoinder.errors import ConfigInvalid
from rejoinder.ids import ChannelId
from rejoinder.listening.policy import DEFAULT_POLICIES, ChannelPolicy, default_policy
from rejoinder.listening.post import Platform
from resources.commands.actors import Actor, authorise, record
from resources.platforms.adapters import check_credentials
from resources.postgres import Database, Transaction
from resources.sealing.splits import split_credentials
from resources.store.channels import channels_of, save_channel, store_credential


@dataclass(frozen=True, slots=True)
class NewChannel:
    """An account on a real platform, by which of the shipped policies it is used, and who answers for it."""

    name: str
    platform: Platform
    account: str
    policy: str
    communities: tuple[str, ...] = ()
    operator: str | None = None


def add_channel(
    db: Database, actor: Actor, project_id: int, new: NewChannel, credentials: Mapping[str, str]
) -> ChannelId:
    """Make a channel and store its credentials, or give an existing one others; the audit has no secret.

    A policy that was changed stays changed, unless another one is named.

    Raises:
        NotAllowed: the actor's role does not manage channels.
        ConfigInvalid: a field is missing, or the policy is another platform's or the sandbox's, or the name
            belongs to a channel of another kind.
    """
    if not (new.name.strip() and new.account.strip()):
        raise ConfigInvalid("A channel needs a name and the account it speaks as.")
    check_credentials(new.platform, credentials)
    split = split_credentials(new.platform, credentials, account=new.account)
    policy = default_policy(new.policy)
    _refuse_policy(new)
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_channels")
        _refuse_other_kind(tx, new)
        channel_id = save_channel(
            tx, project_id=project_id, name=new.name, platform=new.platform, account=new.account,
            base_url=None, is_sandbox=False, policy=_kept(tx, new, policy), communities=new.communities,
        )  # fmt: skip
        store_credential(tx, channel_id, "read", split.read)
        store_credential(tx, channel_id, "write", split.write)
        diff = {"platform": new.platform, "account": new.account, "policy": new.policy}
        record(tx, acting, "add_channel", "channel", channel_id, diff)
    return channel_id


def _kept(tx: Transaction, new: NewChannel, policy: ChannelPolicy) -> ChannelPolicy:
    """The policy to save: what was set for this channel stays, and the operator is the one named now."""
    before = [channel.policy for channel in channels_of(tx, new.name)]
    kept = before[0] if before and before[0].name == policy.name else policy
    return replace(kept, operator=new.operator) if new.operator else kept


def _refuse_policy(new: NewChannel) -> None:
    # A platform of another package has no policy of its own here: the nearest may be chosen, and changed.
    own = [name for name in DEFAULT_POLICIES if name.startswith(f"{new.platform}/")]
    if new.policy.startswith("sandbox/") or (own and new.policy not in own):
        fitting = own or [name for name in DEFAULT_POLICIES if not name.startswith("sandbox/")]
        raise ConfigInvalid(
            f"The policy {new.policy} is not one for a channel on {new.platform}: choose {' or '.join(fitting)}."
        )


def _refuse_other_kind(tx: Transaction, new: NewChannel) -> None:
    for row in tx.rows("list_channels"):
        if row["name"] == new.name and (row["is_sandbox"] or row["platform"] != new.platform):
            raise ConfigInvalid(f"There is a channel named {new.name} of another kind: choose another name.")


def list_channels(db: Database) -> list[dict[str, Any]]:
    """Every channel, the disabled ones too, without secrets."""
    with db.transaction() as tx:
        return tx.rows("list_channels")


def disable_channel(db: Database, actor: Actor, name: str) -> None:
    """Stop listening and publishing on a channel; what was heard stays.

    Raises:
        NotAllowed: the actor's role does not manage channels.
        ConfigInvalid: no enabled channel has that name.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_channels")
        row = tx.row("disable_channel", name=name)
        if row is None:
            raise ConfigInvalid(f"No enabled channel is named {name}: `rejoinder channel list` shows them.")
        record(tx, acting, "disable_channel", "channel", row["id"])
