"""Notifications: what a person should know, shown in the review app until it is read."""

from typing import Any

from rejoinder.notices.kinds import kind_of
from resources.postgres import Database, Transaction
from resources.store import publications


def notify(
    db: Database, kind: str, message: str, *, entity_type: str | None = None, entity_id: int | None = None
) -> None:
    """Write one notification; about the same thing only once per kind, about nothing in particular each time."""
    with db.transaction() as tx:
        publications.notify(tx, kind, message, entity_type, entity_id)


def list_notices(db: Database, *, with_read: bool = False, top: int = 50) -> list[dict[str, Any]]:
    """Notices as people read them, the latest first: each with its severity and its kind's title."""
    with db.transaction() as tx:
        return read_notices(tx, with_read=with_read, top=top)


def read_notices(tx: Transaction, *, with_read: bool = False, top: int = 50) -> list[dict[str, Any]]:
    """The same within a transaction."""
    return [_in_words(dict(row)) for row in tx.rows("list_notifications", with_read=with_read, top=top)]


def _in_words(row: dict[str, Any]) -> dict[str, Any]:
    kind = kind_of(row["kind"])
    about = f"{row['entity_type']} {row['entity_id']}" if row["entity_id"] is not None else ""
    return {**row, "severity": kind.severity, "title": kind.title, "about": about}
