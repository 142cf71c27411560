"""Marts that are behind: something that they count has changed since they were written."""

from datetime import UTC, datetime

import dagster as dg

from jobs import pipeline
from resources.warehouse import is_refresh_due
from resources.workbench import Workbench
from sensors.asking import ask


@dg.sensor(
    job=pipeline.refresh_marts,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A post, review, reply, snapshot, call or notice is not in the marts, or another day began.",
)
def marts_due(
    context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for a refresh at most once a minute, so that what is new is in the marts within five."""
    due = is_refresh_due(bench.db, bench.settings.home_dir, datetime.now(UTC))
    return ask(context, "refresh_marts", int(due))
