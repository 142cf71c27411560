"""Dagster's composition root: the code location that workspace.yaml loads."""

import dagster as dg

from assets.catalog import ASSETS
from assets.checks import all_checks
from jobs import pipeline, schedules
from jobs.publish import publish
from resources.dagster_bench import WorkbenchResource
from sensors.due import engagement_due, new_posts, publications_due
from sensors.failures import run_failed
from sensors.new_sources import new_sources


def build_definitions(bench: WorkbenchResource | None = None) -> dg.Definitions:
    """The whole code location; tests pass a workbench of their own."""
    return dg.Definitions(
        assets=list(ASSETS),
        asset_checks=all_checks(),
        jobs=[*pipeline.ALL, publish],
        schedules=list(schedules.ALL),
        sensors=[new_sources, new_posts, publications_due, engagement_due, run_failed],
        resources={"bench": bench or WorkbenchResource()},
        executor=dg.in_process_executor,
    )


defs = build_definitions()
