"""Group engagement: what happened to a reply, and what it was worth."""

from typing import Any

import dagster as dg

from assets.drafting import checked_drafts
from assets.results import OWNERS, step_result, table_result
from resources.rounds import measure, reward
from resources.workbench import Workbench


@dg.asset(group_name="engagement", kinds={"postgres"}, owners=OWNERS, deps=[checked_drafts])
def engagement(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Counts of a published reply 1 h, 24 h, 72 h and 7 d after it went out; each window once."""
    return step_result(bench, "engagement", measure(bench))


@dg.asset(group_name="engagement", kinds={"postgres"}, owners=OWNERS, deps=[engagement])
def rewards(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """What each reply was worth, with every part of the sum."""
    return table_result(bench, "rewards", {"updated": reward(bench)})
