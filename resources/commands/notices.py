"""What people do with notices: read them, and send again what did not arrive."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from resources.commands.actors import Actor, authorise, record
from resources.notifications.delivering import retry_dead
from resources.postgres import Database


def mark_some_read(db: Database, actor: Actor, ids: Sequence[int]) -> int:
    """Mark these notices as read; how many were unread until now.

    Raises:
        NotAllowed: the account is not active.
    """
    return _mark(db, actor, ids, None)


def mark_all_read(db: Database, actor: Actor, kind: str | None = None) -> int:
    """Mark every unread notice as read, or every one of a kind; how many there were.

    Raises:
        NotAllowed: the account is not active.
    """
    return _mark(db, actor, None, kind)


def _mark(db: Database, actor: Actor, ids: Sequence[int] | None, kind: str | None) -> int:
    with db.transaction() as tx:
        actor = authorise(tx, actor, "view")
        wanted = list(ids) if ids is not None else None
        found = [row["id"] for row in tx.rows("mark_notifications_read", ids=wanted, kind=kind)]
        for notice_id in found if ids is not None else ():
            record(tx, actor, "mark_read", "notification", notice_id)
        if found and ids is None:
            record(tx, actor, "mark_read", "notification", None, {"kind": kind, "count": len(found)})
    return len(found)


def retry_messages(
    db: Database,
    actor: Actor,
    sink: str | None = None,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Make messages that were given up due at once, of one sink or of all; how many.

    Raises:
        NotAllowed: the role does not allow it.
    """
    with db.transaction() as tx:
        actor = authorise(tx, actor, "retry")
        record(tx, actor, "retry", "notification", None, {"sink": sink})
    return retry_dead(db, sink, now())
