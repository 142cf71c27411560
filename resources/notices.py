"""Notifications: what a person should know, shown in the review app until it is read."""

from resources.postgres import Database
from resources.store import publications


def notify(
    db: Database, kind: str, message: str, *, entity_type: str | None = None, entity_id: int | None = None
) -> None:
    """Write one notification; about the same thing only once per kind, about nothing in particular each time."""
    with db.transaction() as tx:
        publications.notify(tx, kind, message, entity_type, entity_id)
