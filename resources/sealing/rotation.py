"""Replacing the keys of credentials: new keys, every row sealed anew, old keys dropped; by the owner's login.

Rows change all at once or not at all. Killed anywhere, or held up by others for too long, it leaves every row with a
key that is still there, and the next rotation finishes the work.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

from rejoinder.errors import ConfigInvalid, ServiceUnavailable
from resources.postgres import Connection, connect, outage
from resources.queries import query
from resources.sealing.credential import KINDS, Kind
from resources.sealing.envelope import Sealed, seal
from resources.sealing.keeper import Keeper
from resources.sealing.keys import Keyring, new_key

# Less than the time-out of a statement, so that waiting for others has words of its own.
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did; unopened are channels' rows that no key opened, and so keep the key they name."""

    key_ids: tuple[str, ...]
    n_sealed: int
    dropped: tuple[str, ...]
    unopened: tuple[str, ...]


class Row(NamedTuple):
    """A row as it was found; box is what it is to hold, None where no key opens it."""

    kind: Kind
    found: dict[str, Any]
    key_id: str
    box: bytes | None


def _unnoted(_: str) -> None:
    """Nobody is told."""


def rotate(
    owner_url: str,
    keeper: Keeper,
    *,
    on_step: Callable[[str], None] = _unnoted,
    patience_s: float = PATIENCE_S,
) -> Rotation:
    """Seal every credential with new keys; where this program makes none, with the newest ones of the source.

    Args:
        owner_url: of the login that may read and write both kinds.
        keeper: of the keys.
        on_step: told of each step once it is done.
        patience_s: seconds to wait for others who store credentials or replace keys.

    Raises:
        ConfigInvalid: a kind has no key to seal with.
        KeysAway: the keys cannot be reached.
        ServiceUnavailable: others held the credentials for too long, or PostgreSQL went away; every row still opens.
    """
    with connect(owner_url, autocommit=True) as connection, _told_in_words(patience_s):
        connection.execute(query("limit_lock_wait"), {"patience": f"{int(patience_s * 1000)}ms"})
        connection.execute(query("hold_sealing"))
        key_ids = _lead(keeper)
        on_step("new keys")
        rows = [row for kind in KINDS for row in _sealed_anew(connection, kind, keeper)]
        with connection.transaction():
            for row in rows:
                _keep(connection, row)
                on_step(f"{row.kind} credential of channel {row.found['channel_id']}")
        on_step("rows")
        dropped = _drop_unused(connection, keeper)
        on_step("old keys dropped")
    unopened = tuple(f"{row.found['channel']} ({row.kind})" for row in rows if row.box is None)
    return Rotation(key_ids, len(rows) - len(unopened), dropped, unopened)


@contextmanager
def _told_in_words(patience_s: float) -> Iterator[None]:
    """What PostgreSQL says when it was waited for in vain."""
    try:
        yield
    except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
        raise ServiceUnavailable(
            f"Others held the credentials for longer than {patience_s:g} s: no credential was sealed anew.",
            fix="Let the other rotation, or the command that stores a credential, come to its end; then run it again.",
        ) from None
    except psycopg.OperationalError as error:
        raise outage(error) from None


def _lead(keeper: Keeper) -> tuple[str, ...]:
    """Put new keys first, where keys are made by us."""
    if keeper.source.is_ours:
        keeper.source.change(lambda ring: ring.led_by([new_key(kind, keeper.now()) for kind in KINDS]))
    return tuple(keeper.sealing_key(kind).id for kind in KINDS)


def _sealed_anew(connection: Connection, kind: Kind, keeper: Keeper) -> list[Row]:
    """Every row of a kind, with what it is to hold under the newest key; nothing is written."""
    table, newest = f"channel_{kind}_credential", keeper.sealing_key(kind)
    rows = []
    for found in connection.execute(query("sealed_rows", table=table)).fetchall():
        channel_id = found["channel_id"]
        try:
            opened = keeper.open(Sealed(found["key_id"], found["box"]), channel_id=channel_id, kind=kind)
        except ConfigInvalid:
            rows.append(Row(kind, found, newest.id, None))
        else:
            rows.append(Row(kind, found, newest.id, seal(newest, opened, channel_id).box))
    return rows


def _keep(connection: Connection, row: Row) -> None:
    old_key_id = row.found["key_id"]
    if row.box is None or old_key_id == row.key_id:
        return
    connection.execute(
        query("reseal_row", table=f"channel_{row.kind}_credential"),
        {
            "channel_id": row.found["channel_id"],
            "old_key_id": old_key_id,
            "key_id": row.key_id,
            "box": row.box,
        },
    )


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
