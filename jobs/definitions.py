"""Dagster's composition root: the code location that workspace.yaml loads."""

import dagster as dg

from assets.catalog import ASSETS
from assets.checks import all_checks
from jobs import pipeline, schedules
from jobs.champions import follow_champions
from jobs.deliver import deliver_notifications
from jobs.publish import publish
from resources.dagster_bench import WorkbenchResource
from resources.settings import load_settings
from resources.tuning import load_tuning
from sensors.champions import champions_changed
from sensors.due import engagement_due, new_posts, publications_due, standings_due
from sensors.failures import run_failed
from sensors.marts import marts_due
from sensors.new_sources import new_sources
from sensors.notifications import notifications_due


def build_definitions(bench: WorkbenchResource | None = None) -> dg.Definitions:
    """The whole code location; tests pass a workbench of their own."""
    tuning = load_tuning(load_settings())
    return dg.Definitions(
        assets=list(ASSETS),
        asset_checks=all_checks(),
        jobs=[*pipeline.ALL, publish, follow_champions, deliver_notifications],
        schedules=list(schedules.ALL),
        sensors=[
            new_sources(tuning),
            new_posts(tuning),
            standings_due(tuning),
            publications_due(tuning),
            engagement_due(tuning),
            marts_due,
            notifications_due(tuning),
            champions_changed,
            run_failed,
        ],
        resources={"bench": bench or WorkbenchResource()},
        executor=dg.in_process_executor,
    )


defs = build_definitions()
