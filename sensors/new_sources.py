"""Files in the inbox that were not read yet."""

import json

import dagster as dg

from jobs import pipeline
from resources.inbox import new_files
from resources.wiring import Workbench
from sensors.asking import ask


@dg.sensor(job=pipeline.ingest, minimum_interval_seconds=15, default_status=dg.DefaultSensorStatus.RUNNING)
def new_sources(
    context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for ingestion while the inbox holds files that are new or have changed."""
    known = json.loads(context.cursor or "{}")
    found = new_files(bench.settings, known)
    answer = ask(context, "ingest", len(found))
    if isinstance(answer, dg.SensorResult):
        context.update_cursor(json.dumps({**known, **found}))
    return answer
