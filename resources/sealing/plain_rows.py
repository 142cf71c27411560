"""Credentials that an earlier version stored in the clear: split, sealed and their tables dropped, by the owner.

A table that is dropped leaves no dead rows behind. What stays in backups, in the write-ahead log until it is
recycled, and in freed blocks of the disk is beyond PostgreSQL: docs/security.md says what to do about it.
"""

import logging
from typing import Any, LiteralString

from rejoinder.errors import ConfigInvalid, ServiceUnavailable
from resources.postgres import Connection, connect
from resources.queries import query
from resources.sealing.credential import KINDS, Credential, Kind
from resources.sealing.keeper import Keeper
from resources.sealing.splits import split_credentials

log = logging.getLogger("rejoinder.credentials")

WAITING: LiteralString = "select to_regclass('public.unsealed_{}_credential') is not null as found"
TAKE: LiteralString = "lock table unsealed_{}_credential in access exclusive mode"
ROWS: LiteralString = (
    "select u.channel_id, u.secret, c.platform, c.account"
    " from unsealed_{}_credential u join channel c on c.id = u.channel_id order by c.id"
)
DROP: LiteralString = "drop table unsealed_{}_credential"
# Spelled out, as a statement is no place for a name that was put together.
STATEMENTS: dict[Kind, tuple[LiteralString, ...]] = {
    "read": tuple(one.replace("{}", "read") for one in (WAITING, TAKE, ROWS, DROP)),
    "write": tuple(one.replace("{}", "write") for one in (WAITING, TAKE, ROWS, DROP)),
}


def seal_plain_rows(owner_url: str, keeper: Keeper) -> int:
    """Seal what an earlier version stored; how many credentials. Nothing is done twice, whoever starts at once.

    Where keys are missing the rows wait for a start that has them, unreadable for all but the owner: their channels
    say that no credential is stored.
    """
    with connect(owner_url, autocommit=True) as connection:
        return sum(_seal_kind(connection, kind, keeper) for kind in KINDS)


def _seal_kind(connection: Connection, kind: Kind, keeper: Keeper) -> int:
    waiting, take, rows, drop = STATEMENTS[kind]
    if not _is_there(connection, waiting):
        return 0
    try:
        with connection.transaction():
            connection.execute(query("hold_plain_rows"))
            connection.execute(query("share_sealing"))  # a rotation would drop the key that no row names yet
            if not _is_there(connection, waiting):
                return 0
            connection.execute(take)
            plain = connection.execute(rows).fetchall()
            for row in plain:
                _seal_row(connection, kind, row, keeper)
            connection.execute(drop)
    except (ConfigInvalid, ServiceUnavailable) as error:
        log.warning("the %s credentials of before wait to be sealed: %s", kind, error)
        return 0
    return len(plain)


def _is_there(connection: Connection, waiting: LiteralString) -> bool:
    row = connection.execute(waiting).fetchone()
    return bool(row and row["found"])


def _seal_row(connection: Connection, kind: Kind, row: dict[str, Any], keeper: Keeper) -> None:
    sealed = keeper.seal(_part_of(kind, row), channel_id=row["channel_id"], kind=kind)
    connection.execute(
        query("keep_sealed_row", table=f"channel_{kind}_credential"),
        {"channel_id": row["channel_id"], "key_id": sealed.key_id, "box": sealed.box},
    )


def _part_of(kind: Kind, row: dict[str, Any]) -> Credential:
    """What this kind needs of a secret that was stored for both."""
    split = split_credentials(row["platform"], row["secret"], account=row["account"])
    return split.read if kind == "read" else split.write
