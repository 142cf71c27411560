"""How much is due: what the sensors ask before they ask for a run."""

from collections.abc import Sequence
from datetime import UTC, datetime

from resources.postgres import Database

INPUT_STEPS = ("fetch", "extract")
SOURCE_STEPS = ("chunk", "embed", "keywords")
EPOCH_STEPS = ("summarise",)
POST_STEPS = ("embed", "relevance", "claims", "evidence", "decide", "draft", "check")


def sources_due(db: Database) -> int:
    """Inputs and sources that wait for any step, whatever left them there, and feeds whose time has come."""
    with db.transaction() as tx:
        feeds = int(tx.value("count_due_feeds", now=datetime.now(UTC)))
    return (
        feeds
        + _count_due(db, "ingestion", INPUT_STEPS)
        + _count_due(db, "source", SOURCE_STEPS)
        + _count_due(db, "epoch", EPOCH_STEPS)
    )


def posts_due(db: Database) -> int:
    """Posts that wait for any step of the pipeline."""
    return _count_due(db, "post", POST_STEPS)


def _count_due(db: Database, table: str, steps: Sequence[str]) -> int:
    now = datetime.now(UTC)
    with db.transaction() as tx:
        return sum(int(tx.value("count_due_items", table=table, step=step, now=now)) for step in steps)
