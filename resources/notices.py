"""Notifications: what a person should know, shown in the review app until it is read."""

from resources.postgres import Database


def notify(
    db: Database, kind: str, message: str, *, entity_type: str | None = None, entity_id: int | None = None
) -> None:
    """Write one notification."""
    with db.transaction() as tx:
        tx.execute(
            "insert_notification", kind=kind, message=message, entity_type=entity_type, entity_id=entity_id
        )
