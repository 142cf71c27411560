"""Sensors on rows that are due: posts, publications, engagement. Each looks as often as its stage's interval says."""

import dagster as dg

from jobs import pipeline
from jobs.publish import publish
from resources import rounds
from resources.due import posts_due
from resources.publishing.outlook import count_due
from resources.tuning import Tuning
from resources.workbench import Workbench
from sensors.asking import ask

RUNNING = dg.DefaultSensorStatus.RUNNING
Answer = dg.SensorResult | dg.SkipReason


def new_posts(tuning: Tuning) -> dg.SensorDefinition:
    """Asks for triage and drafting while posts wait for a step."""

    @dg.sensor(
        name="new_posts",
        job=pipeline.answer,
        minimum_interval_seconds=tuning.stage("embed_posts").interval_s,
        default_status=RUNNING,
        description="Posts wait for a step between triage and the review queue.",
    )
    def sense(context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]) -> Answer:
        return ask(context, "answer", posts_due(bench.db))

    return sense


def standings_due(tuning: Tuning) -> dg.SensorDefinition:
    """Asks for a look at heard posts whose time has come."""

    @dg.sensor(
        name="standings_due",
        job=pipeline.recheck,
        minimum_interval_seconds=tuning.compliance.interval_s,
        default_status=RUNNING,
        description="Heard posts have to be looked up again, or visits of links are older than they are kept.",
    )
    def sense(context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]) -> Answer:
        return ask(context, "recheck", rounds.standings_due(bench))

    return sense


def publications_due(tuning: Tuning) -> dg.SensorDefinition:
    """Asks for publishing while approved replies are due or an outcome is unknown."""

    @dg.sensor(
        name="publications_due",
        job=publish,
        minimum_interval_seconds=tuning.stage("publish").interval_s,
        default_status=RUNNING,
        description="Approved replies are due, or an outcome has to be read back.",
    )
    def sense(context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]) -> Answer:
        return ask(context, "publish", count_due(bench.db))

    return sense


def engagement_due(tuning: Tuning) -> dg.SensorDefinition:
    """Asks for measuring and rewarding while snapshots are due, or rewards are to be written."""

    @dg.sensor(
        name="engagement_due",
        job=pipeline.measure,
        minimum_interval_seconds=tuning.stage("measure").interval_s,
        default_status=RUNNING,
        description="Snapshots of published replies are due by their channel's clock, or rewards are to be written.",
    )
    def sense(context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]) -> Answer:
        return ask(context, "measure", rounds.engagement_due(bench))

    return sense
