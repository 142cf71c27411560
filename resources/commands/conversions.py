"""What the creator's own site tells of visitors who came over a link of ours."""

from datetime import datetime, timedelta

from rejoinder.errors import DecisionInvalid
from resources.commands.actors import Actor, authorise
from resources.postgres import Database
from resources.store.conversions import Conversion, Kept, save_conversion

# Clocks differ; and nothing was told before there was anything to tell.
AHEAD, BEHIND = timedelta(days=1), timedelta(days=3_650)


def record_conversion(
    db: Database, actor: Actor, project_id: int, told: Conversion, *, now: datetime
) -> Kept:
    """Write a conversion down, once for each external id.

    Raises:
        NotAllowed: the actor may only look.
        DecisionInvalid: it happened in the future, or more than ten years ago.
        ConfigInvalid: the project has no such link.
        StaleView: another conversion has that external id.
    """
    if not now - BEHIND <= told.occurred_at <= now + AHEAD:
        raise DecisionInvalid("occurred_at lies in the future, or more than ten years back")
    with db.transaction() as tx:
        authorise(tx, actor, "ingest")
        return save_conversion(tx, project_id, told)
