"""What keeps the work going: bring dead items back to life, hurry those that wait, mark notices as read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rejoinder.errors import ConfigInvalid
from resources.commands.actors import Actor, authorise, record
from resources.postgres import Database, Transaction

# Every kind of work that can die, by the name that people know it by: its table and the table's own step
# (None: all of the table's; a measurement's step names its channel).
STEPS: dict[str, tuple[str, str | None]] = {
    "fetch": ("ingestion", "fetch"),
    "extract": ("ingestion", "extract"),
    "chunk": ("source", "chunk"),
    "embed_chunks": ("source", "embed"),
    "keywords": ("source", "keywords"),
    "summarise": ("epoch", "summarise"),
    "embed_posts": ("post", "embed"),
    "relevance": ("post", "relevance"),
    "claims": ("post", "claims"),
    "evidence": ("post", "evidence"),
    "decide": ("post", "decide"),
    "draft": ("post", "draft"),
    "check": ("post", "check"),
    "measure": ("measurement", None),
}

# Tables whose rows say which project they are of.
OF_PROJECT = {"ingestion", "source", "epoch"}


@dataclass(frozen=True, slots=True)
class Retried:
    """How many items of each table were brought back to life, and how many no longer wait for their back-off."""

    revived: dict[str, int]
    hurried: dict[str, int]


def retry(
    db: Database,
    actor: Actor,
    step: str | None = None,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Retried:
    """Make dead and failed items due at once, of one step or of all.

    Raises:
        ConfigInvalid: there is no such step.
        NotAllowed: the role does not allow it.
    """
    if step is not None and step not in STEPS:
        raise ConfigInvalid(f"There is no step {step!r}: use one of {', '.join(STEPS)}.")
    table, column = STEPS[step] if step else (None, None)
    tables = [table] if table else ["ingestion", "source", "epoch", "post", "measurement"]
    at = now()
    with db.transaction() as tx:
        actor = authorise(tx, actor, "retry")
        done = Retried(
            {name: _revive(tx, name, column, at) for name in tables},
            {name: len(tx.rows("hurry_failed_items", table=name, step=column, now=at)) for name in tables},
        )
        record(
            tx, actor, "retry", "step", None, {"step": step, "revived": done.revived, "hurried": done.hurried}
        )
    return done


def retry_in_project(
    db: Database,
    actor: Actor,
    project_id: int,
    step: str,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Retried:
    """Make dead and failed items of one project due at once, of one step on the way of its sources.

    Raises:
        ConfigInvalid: there is no such step, or it is none of sources.
        NotAllowed: the role does not allow it.
    """
    table, column = STEPS.get(step, ("", None))
    if table not in OF_PROJECT:
        known = ", ".join(name for name, (of, _) in STEPS.items() if of in OF_PROJECT)
        raise ConfigInvalid(f"There is no step {step!r} of sources.", fix=f"Use one of {known}.")
    values: dict[str, Any] = {"table": table, "project_id": project_id, "step": column, "now": now()}
    with db.transaction() as tx:
        actor = authorise(tx, actor, "retry")
        revived = _close(tx, table, tx.rows("revive_items_of_project", **values))
        hurried = len(tx.rows("hurry_failed_items_of_project", **values))
        done = Retried({table: revived}, {table: hurried})
        diff = {"step": step, "project_id": project_id, "revived": done.revived, "hurried": done.hurried}
        record(tx, actor, "retry", "step", None, diff)
    return done


def _revive(tx: Transaction, table: str, step: str | None, now: datetime) -> int:
    return _close(tx, table, tx.rows("revive_items", table=table, step=step, now=now))


def _close(tx: Transaction, table: str, revived: list[dict[str, Any]]) -> int:
    """End the dead letters of rows that came back to life; how many rows there are."""
    tx.execute("close_dead_letters", item_table=table, ids=[row["id"] for row in revived])
    return len(revived)


def mark_read(db: Database, actor: Actor, notification_id: int) -> bool:
    """Mark a notice as read; whether it was unread until now.

    Raises:
        NotAllowed: the account is not active.
    """
    with db.transaction() as tx:
        actor = authorise(tx, actor, "view")
        if not tx.rows("mark_notification_read", id=notification_id):
            return False
        record(tx, actor, "mark_read", "notification", notification_id)
    return True
