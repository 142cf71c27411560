"""Purging: the content of posts and everything that was made of it, gone from the tables in one transaction.

What stays: which post it was (so that it is not heard again, and a reply that stands keeps its parent), the decisions
about it without their reasons, and the words that a person approved, which are our own, with the links in them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from resources.postgres import Transaction

# In this order: what refers to something goes before it.
_DERIVED: tuple[LiteralString, ...] = (
    "purge_vectors",
    "purge_context",
    "purge_results",
    "purge_draft_checks",
    "purge_draft_evidence",
    "purge_evidence",
    "purge_claims",
    "purge_reasons",
    "purge_drafts",
    "purge_tracked_links",
    "purge_quarantined",
    "purge_answers",
    "purge_dead_letters",
    "purge_run_errors",
)


def purge_posts(tx: Transaction, ids: Sequence[int], now: datetime) -> int:
    """Purge posts; how many were. One whose reply is being sent right now is left for the next time.

    Args:
        tx: as the application's login.
        ids: of posts; those that were purged before count no more.
        now: noted as the time of the purge.
    """
    purged = [row["id"] for row in tx.rows("purge_posts", ids=list(ids), now=now)]
    for statement in _DERIVED if purged else ():
        tx.execute(statement, ids=purged)
    return len(purged)
