"""Sensors on rows that are due: posts, publications, engagement."""

import dagster as dg

from jobs import pipeline
from jobs.publish import publish
from resources.due import posts_due, publications_to_send
from resources.rounds import measurements_due
from resources.wiring import Workbench
from sensors.asking import ask

RUNNING = dg.DefaultSensorStatus.RUNNING


@dg.sensor(job=pipeline.answer, minimum_interval_seconds=15, default_status=RUNNING)
def new_posts(
    context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for triage and drafting while posts wait for a step."""
    return ask(context, "answer", posts_due(bench.db))


@dg.sensor(job=publish, minimum_interval_seconds=15, default_status=RUNNING)
def publications_due(
    context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for publishing while approved replies are due or an outcome is unknown."""
    return ask(context, "publish", publications_to_send(bench.db))


@dg.sensor(job=pipeline.measure, minimum_interval_seconds=30, default_status=RUNNING)
def engagement_due(
    context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for measuring while snapshots are due."""
    return ask(context, "measure", measurements_due(bench))
