"""What time alone brings: outcomes that stay unknown, and notices whose state is over.

Told by looking at rows, so also while no publisher runs or the platform is away.
"""

from datetime import datetime, timedelta
from typing import Any

from rejoinder.notices.notice import stamp
from resources.postgres import Database, Transaction
from resources.store.publications import notify

OVERDUE = timedelta(minutes=10)


def count_to_watch(db: Database, now: datetime) -> int:
    """Outcomes that are to be told of and notices that are over."""
    with db.transaction() as tx:
        return len(_overdue(tx, now)) + len(tx.rows("notices_over"))


def watch(db: Database, now: datetime) -> tuple[int, int]:
    """Tell of replies of unknown outcome older than ten minutes, end what is over; how many of each."""
    with db.transaction() as tx:
        overdue = _overdue(tx, now)
        for row in overdue:
            notify(
                tx, "unknown_outcome", _message(row["id"], row["state"], row["at"]), "publication", row["id"]
            )
        over = [row["id"] for row in tx.rows("notices_over")]
        tx.execute("end_notices", ids=over, now=now)
    return len(overdue), len(over)


def _overdue(tx: Transaction, now: datetime) -> list[dict[str, Any]]:
    return tx.rows("overdue_outcomes", now=now, before=now - OVERDUE)


def _message(publication_id: int, state: str, at: datetime) -> str:
    if state == "sending":
        return f"reply {publication_id}: being sent since {stamp(at)}, and its publisher is gone; start a publisher"
    return f"reply {publication_id}: since {stamp(at)} nobody has seen whether it was posted"
