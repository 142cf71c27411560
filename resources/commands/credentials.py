"""Credentials of channels: which keys sealed them, whether they open, replacing keys and secrets."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from rejoinder.errors import ConfigInvalid
from resources.commands.actors import Actor, authorise, record
from resources.platforms.adapters import check_credentials
from resources.postgres import Database
from resources.sealing.credential import KINDS, Kind
from resources.sealing.keeper import Keeper
from resources.sealing.keys import KeysAway
from resources.sealing.rotation import Rotation, rotate
from resources.sealing.splits import can_write, split_credentials
from resources.store.channels import channels_of, read_credential, store_credential, write_credential


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key, when it was made (None where its source does not tell), and how many rows name it."""

    id: str
    kind: Kind
    made_at: datetime | None
    n_rows: int
    is_newest: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """One credential: trouble says why it does not open, or that it can do more than its kind needs."""

    channel: str
    kind: Kind
    is_open: bool
    trouble: str = ""


def list_seals(db: Database) -> list[dict[str, Any]]:
    """Which key sealed each credential, and when; nothing is opened."""
    with db.transaction() as tx:
        return tx.rows("credential_seals")


def list_keys(db: Database, keeper: Keeper) -> list[KeyUse]:
    """The keys at hand, the newest of each kind first; never what they are.

    Raises:
        ConfigInvalid: they cannot be read.
        KeysAway: they cannot be reached.
    """
    ring, seals = keeper.source.load(), list_seals(db)
    return [
        KeyUse(
            key.id, key.kind, key.made_at,
            sum((row["kind"], row["key_id"]) == (key.kind, key.id) for row in seals),
            ring.newest(key.kind) == key,
        )
        for key in ring.keys
    ]  # fmt: skip


def check_seals(db: Database, publisher: Database) -> list[Checked]:
    """Open every credential that is stored, as the login that may; no platform is called."""
    with db.transaction() as tx:
        channels = channels_of(tx)
    found = []
    for channel in channels:
        for kind in KINDS:
            with (db if kind == "read" else publisher).transaction() as tx:
                opens = read_credential if kind == "read" else write_credential
                try:
                    opened = opens(tx, channel.id)
                except (ConfigInvalid, KeysAway) as error:
                    found.append(Checked(channel.name, kind, False, str(error)))
                    continue
            if opened:
                is_mighty = kind == "read" and can_write(channel.platform, opened)
                found.append(Checked(channel.name, kind, True, MIGHTY if is_mighty else ""))
    return found


MIGHTY = "what is stored for reading can write too"


def rotate_keys(db: Database, owner_url: str, actor: Actor, keeper: Keeper) -> Rotation:
    """Seal every credential with new keys; the audit has the names of keys.

    Raises:
        NotAllowed: the actor's role does not manage channels.
        ConfigInvalid: there is no key to seal with.
        KeysAway: the keys cannot be reached.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_channels")
        record(tx, acting, "rotate_keys_begun", "credential_key", None)
    done = rotate(owner_url, keeper)
    with db.transaction() as tx:
        record(tx, acting, "rotate_keys", "credential_key", None, asdict(done))
    return done


def set_credential(db: Database, actor: Actor, name: str, given: Mapping[str, str]) -> None:
    """Give a channel other credentials; the audit has no secret.

    Raises:
        NotAllowed: the actor's role does not manage channels.
        ConfigInvalid: there is no such channel, or a field is missing.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_channels")
        found = channels_of(tx, name)
        if not found:
            raise ConfigInvalid(f"No channel is named {name}: `rejoinder channel list` shows them.")
        channel = found[0]
        check_credentials(channel.platform, given)
        split = split_credentials(channel.platform, given, account=channel.account)
        store_credential(tx, channel.id, "read", split.read)
        store_credential(tx, channel.id, "write", split.write)
        record(tx, acting, "set_credential", "channel", channel.id, {"fields": sorted(given)})
