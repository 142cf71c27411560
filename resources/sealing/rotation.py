"""Replacing the keys of credentials: new keys, every row sealed anew, old keys dropped; by the owner's login.

Killed anywhere it leaves every row with a key that is still there, and the next rotation finishes the work.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rejoinder.errors import ConfigInvalid
from resources.postgres import Connection, connect
from resources.queries import query
from resources.sealing.credential import KINDS, Kind
from resources.sealing.envelope import Sealed, seal
from resources.sealing.keeper import Keeper
from resources.sealing.keys import Keyring, new_key


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did; unopened are channels' rows that no key opened, and so keep the key they name."""

    key_ids: tuple[str, ...]
    n_sealed: int
    dropped: tuple[str, ...]
    unopened: tuple[str, ...]


def _unnoted(_: str) -> None:
    """Nobody is told."""


def rotate(owner_url: str, keeper: Keeper, *, on_step: Callable[[str], None] = _unnoted) -> Rotation:
    """Seal every credential with new keys; where this program makes none, with the newest ones of the source.

    Args:
        owner_url: of the login that may read and write both kinds.
        keeper: of the keys.
        on_step: told of each step once it is done.

    Raises:
        ConfigInvalid: a kind has no key to seal with.
        KeysAway: the keys cannot be reached.
    """
    with connect(owner_url, autocommit=True) as connection:
        connection.execute(query("hold_sealing"))
        key_ids = _lead(keeper)
        on_step("new keys")
        found = [one for kind in KINDS for one in _seal_anew(connection, kind, keeper, on_step)]
        dropped = _drop_unused(connection, keeper)
        on_step("old keys dropped")
    unopened = tuple(name for name, is_sealed in found if not is_sealed)
    return Rotation(key_ids, len(found) - len(unopened), dropped, unopened)


def _lead(keeper: Keeper) -> tuple[str, ...]:
    """Put new keys first, where keys are made by us."""
    if keeper.source.is_ours:
        keeper.source.change(lambda ring: ring.led_by([new_key(kind, keeper.now()) for kind in KINDS]))
    return tuple(keeper.sealing_key(kind).id for kind in KINDS)


def _seal_anew(
    connection: Connection, kind: Kind, keeper: Keeper, on_step: Callable[[str], None]
) -> list[tuple[str, bool]]:
    """Every row of a kind, and whether it stands under the newest key."""
    table, newest = f"channel_{kind}_credential", keeper.sealing_key(kind)
    found = []
    for row in connection.execute(query("sealed_rows", table=table)).fetchall():
        box = _box(row, kind, keeper)
        if box is not None and row["key_id"] != newest.id:
            values = {**row, "old_key_id": row["key_id"], "key_id": newest.id, "box": box}
            connection.execute(query("reseal_row", table=table), values)
        found.append((f"{row['channel_id']}/{kind}", box is not None))
        on_step(f"{kind} credential of channel {row['channel_id']}")
    return found


def _box(row: dict[str, Any], kind: Kind, keeper: Keeper) -> bytes | None:
    channel_id = row["channel_id"]
    try:
        opened = keeper.open(Sealed(row["key_id"], row["box"]), channel_id=channel_id, kind=kind)
    except ConfigInvalid:
        return None
    return seal(keeper.sealing_key(kind), opened, channel_id).box


def _drop_unused(connection: Connection, keeper: Keeper) -> tuple[str, ...]:
    """Drop the keys that no row names, but for the newest; names of those that are gone."""
    used = {row["key_id"] for row in connection.execute(query("credential_seals")).fetchall()}
    ring = keeper.source.load()
    keep = used | {key.id for kind in KINDS if (key := ring.newest(kind))}
    unused = tuple(key.id for key in ring.keys if key.id not in keep)

    def without(current: Keyring) -> Keyring:
        return current.without(unused)

    if unused and keeper.source.is_ours:
        keeper.source.change(without)
        return unused
    return ()
