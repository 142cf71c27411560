"""Group drafting: a strategy, a draft and its checks."""

from typing import Any

import dagster as dg

from assets.research import evidence
from assets.results import OWNERS, step_result
from resources.wiring import run_step
from resources.workbench import Workbench


@dg.asset(group_name="drafting", kinds={"postgres"}, owners=OWNERS, deps=[evidence])
def decisions(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """The strategy drawn for each reply, out of which set and with which probability."""
    return step_result(bench, "decisions", run_step(bench, "decide"))


@dg.asset(group_name="drafting", kinds={"postgres"}, owners=OWNERS, deps=[decisions])
def drafts(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Replies composed of evidence, with the version of the prompt that made them."""
    return step_result(bench, "drafts", run_step(bench, "draft"))


@dg.asset(group_name="drafting", kinds={"postgres"}, owners=OWNERS, deps=[drafts])
def checked_drafts(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Drafts that passed every editorial check and wait for a person."""
    return step_result(bench, "checked_drafts", run_step(bench, "check"))
