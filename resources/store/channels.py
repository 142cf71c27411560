"""Channels: rows <-> values, cursors, and credentials as they are sealed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import TypeAdapter, ValidationError

from rejoinder.errors import ConfigInvalid
from rejoinder.ids import ChannelId
from rejoinder.listening.policy import DEFAULT_POLICIES, OPERATOR_REQUIRED, ChannelPolicy
from rejoinder.listening.post import Platform
from resources.postgres import Transaction
from resources.sealing.credential import NOTHING, Credential, Kind
from resources.sealing.envelope import Sealed
from resources.sealing.opening import this_keeper


@dataclass(frozen=True, slots=True)
class Channel:
    """One account on one platform, and what it may do; account_key is shared by all channels of the account."""

    id: ChannelId
    project_id: int
    name: str
    platform: Platform
    account: str
    account_key: str
    base_url: str | None
    is_sandbox: bool
    policy: ChannelPolicy
    communities: tuple[str, ...]


@lru_cache(maxsize=1)
def _policies() -> TypeAdapter[ChannelPolicy]:
    return TypeAdapter(ChannelPolicy)


def read_policy(value: Mapping[str, Any]) -> ChannelPolicy:
    """A policy as it is stored, with what it lacks as it is shipped under its name.

    What a later release added is lacking in what an earlier one stored; so is the operator while nobody was named.

    Raises:
        ConfigInvalid: it is no policy.
    """
    shipped = DEFAULT_POLICIES.get(str(value.get("name")))
    given = {key: said for key, said in value.items() if (key, said) != ("operator", OPERATOR_REQUIRED)}
    try:
        return _policies().validate_python({**(write_policy(shipped) if shipped else {}), **given})
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ConfigInvalid(
            f"The stored channel policy {value.get('name')!r} cannot be read at {where!r}: "
            f"{error.errors()[0]['msg']}."
        ) from None


def write_policy(policy: ChannelPolicy) -> dict[str, Any]:
    """A policy as it is stored: plain JSON values."""
    return _policies().dump_python(policy, mode="json")  # type: ignore[no-any-return]


def _channel(row: dict[str, Any]) -> Channel:
    return Channel(
        id=row["id"],
        project_id=row["project_id"],
        name=row["name"],
        platform=row["platform"],
        account=row["account"],
        account_key=row["account_key"],
        base_url=row["base_url"],
        is_sandbox=row["is_sandbox"],
        policy=read_policy(row["policy"]),
        communities=tuple(row["communities"]),
    )


def enabled_channels(tx: Transaction) -> list[Channel]:
    """Channels that are listened to and published on, oldest first."""
    return [_channel(row) for row in tx.rows("enabled_channels")]


def resting_channels(tx: Transaction) -> list[tuple[Channel, bool]]:
    """Disabled channels of real platforms, of which posts are kept, and whether a credential for reading is stored."""
    return [(_channel(row), row["has_credential"]) for row in tx.rows("resting_channels")]


def channels_of(tx: Transaction, name: str | None = None) -> list[Channel]:
    """Every channel, the disabled ones too, oldest first; of that name only, if one is given."""
    return [_channel(row) for row in tx.rows("channels_named", name=name)]


def load_channel(tx: Transaction, channel_id: int) -> Channel:
    """The channel with that id.

    Raises:
        ConfigInvalid: there is none.
    """
    row = tx.row("channel_by_id", id=channel_id)
    if row is None:
        raise ConfigInvalid(f"There is no channel {channel_id}.")
    return _channel(row)


def save_channel(
    tx: Transaction,
    *,
    project_id: int,
    name: str,
    platform: Platform,
    account: str,
    base_url: str | None,
    is_sandbox: bool,
    policy: ChannelPolicy,
    communities: tuple[str, ...] = (),
) -> ChannelId:
    """Make a channel, or change one; what kind it is never changes."""
    return ChannelId(
        tx.value(
            "upsert_channel",
            project_id=project_id,
            name=name,
            platform=platform,
            account=account,
            base_url=base_url,
            is_sandbox=is_sandbox,
            policy=Jsonb(write_policy(policy)),
            communities=list(communities),
        )
    )


def read_credential(tx: Transaction, channel_id: ChannelId) -> Credential:
    """The credential for reading; empty if none is stored.

    Raises:
        ConfigInvalid: it does not open: its key is missing, or its row was altered.
        KeysAway: the keys cannot be reached.
    """
    return _opened(tx, "read", channel_id)


def write_credential(tx: Transaction, channel_id: ChannelId) -> Credential:
    """The credential for publishing, which only the publisher's login may read; else as `read_credential`."""
    return _opened(tx, "write", channel_id)


def _opened(tx: Transaction, kind: Kind, channel_id: ChannelId) -> Credential:
    row = tx.row(f"{kind}_credential", channel_id=channel_id)
    if row is None:
        return NOTHING
    return this_keeper().open(Sealed(row["key_id"], row["box"]), channel_id=channel_id, kind=kind)


def store_credential(tx: Transaction, channel_id: ChannelId, kind: Kind, given: Mapping[str, str]) -> None:
    """Seal a credential and store it, in place of the one that was there.

    Raises:
        ConfigInvalid: there is no key for the kind, and none can be made where keys are kept.
        KeysAway: the keys cannot be reached.
    """
    tx.execute("share_sealing")
    sealed = this_keeper().seal(given, channel_id=channel_id, kind=kind)
    tx.execute(f"store_{kind}_credential", channel_id=channel_id, key_id=sealed.key_id, box=sealed.box)


def load_cursor(tx: Transaction, channel_id: ChannelId, name: str) -> dict[str, str]:
    """Where listening stopped; empty at first."""
    return tx.value("load_cursor", channel_id=channel_id, name=name) or {}


def save_cursor(tx: Transaction, channel_id: ChannelId, name: str, value: dict[str, str]) -> None:
    """Remember where listening stopped."""
    tx.execute("save_cursor", channel_id=channel_id, name=name, value=Jsonb(value))
