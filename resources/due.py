"""How much is due: what the sensors ask before they ask for a run."""

from datetime import UTC, datetime

from resources.postgres import Database

POST_STEPS = ("embed", "relevance", "claims", "evidence", "decide", "draft", "check")


def posts_due(db: Database) -> int:
    """Posts that wait for any step of the pipeline."""
    now = datetime.now(UTC)
    with db.transaction() as tx:
        return sum(int(tx.value("count_due_items", table="post", step=s, now=now)) for s in POST_STEPS)


def publications_to_send(db: Database) -> int:
    """Publications that are queued and due, left in sending, or unknown and due for a read-back."""
    with db.transaction() as tx:
        return int(tx.value("count_due_publications", now=datetime.now(UTC)))
