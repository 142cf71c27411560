"""Files in the inbox that were not read yet."""

import json

import dagster as dg

from jobs import pipeline
from resources.inbox import new_files
from resources.tuning import Tuning
from resources.wiring import Workbench
from sensors.asking import ask


def new_sources(tuning: Tuning) -> dg.SensorDefinition:
    """Asks for ingestion while the inbox holds files that are new or have changed."""

    @dg.sensor(
        name="new_sources",
        job=pipeline.ingest,
        minimum_interval_seconds=tuning.stage("chunk").interval_s,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="The inbox holds files that are new or have changed.",
    )
    def sense(
        context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]
    ) -> dg.SensorResult | dg.SkipReason:
        known = json.loads(context.cursor or "{}")
        found = new_files(bench.settings, known)
        answer = ask(context, "ingest", len(found))
        if isinstance(answer, dg.SensorResult):
            context.update_cursor(json.dumps({**known, **found}))
        return answer

    return sense
