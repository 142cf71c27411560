"""Group engagement: what happened to a reply, who answered it, what it was worth, and what came of each decision."""

from typing import Any

import dagster as dg

from assets.drafting import checked_drafts, decisions
from assets.results import OWNERS, step_result, table_result
from resources.previews import follow_up_facts, outcome_facts
from resources.rounds import measure, reward
from resources.workbench import Workbench


@dg.asset(group_name="engagement", kinds={"postgres"}, owners=OWNERS, deps=[checked_drafts])
def engagement(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Counts of a published reply 1 h, 24 h, 72 h and 7 d after it went out; each window once."""
    return step_result(bench, "engagement", measure(bench))


@dg.asset(group_name="engagement", kinds={"postgres"}, owners=OWNERS, deps=[engagement])
def follow_ups(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Answers to our replies, heard or asked for while measuring: questions go to triage, remarks are kept."""
    return table_result(bench, "follow_ups", {"answers": dg.MetadataValue.json(follow_up_facts(bench.db))})


@dg.asset(group_name="engagement", kinds={"postgres"}, owners=OWNERS, deps=[engagement])
def rewards(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """What each reply was worth, with every part of the sum, by the weights in force; older ones are kept."""
    return table_result(bench, "rewards", {"updated": reward(bench)})


@dg.asset(group_name="engagement", kinds={"postgres"}, owners=OWNERS, deps=[decisions, rewards])
def outcomes(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """What came of each decision, with its propensity: engagement is seen of approved and sent drafts alone."""
    return table_result(bench, "outcomes", {"how_far": dg.MetadataValue.json(outcome_facts(bench.db))})
