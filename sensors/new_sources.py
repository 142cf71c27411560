"""Files in the inbox that were not read yet, and sources that wait for a step."""

import json
from collections.abc import Mapping

import dagster as dg

from jobs import pipeline
from resources.due import sources_due
from resources.inbox import new_files
from resources.tuning import Tuning
from resources.wiring import build_due
from resources.workbench import Workbench
from sensors.asking import ask

# Where Dagster keeps the key that a sensor asked for a run with.
RUN_KEY = "dagster/run_key"


def new_sources(tuning: Tuning) -> dg.SensorDefinition:
    """Asks for ingestion while files are new or changed, sources wait for a step, or the model is to change."""

    @dg.sensor(
        name="new_sources",
        job=pipeline.ingest,
        minimum_interval_seconds=tuning.stage("chunk").interval_s,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="The inbox holds new or changed files, sources wait for a step, or another model was chosen.",
    )
    def sense(
        context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]
    ) -> dg.SensorResult | dg.SkipReason:
        known = _read_files(context)
        found = new_files(bench.settings, known)
        answer = ask(context, "ingest", len(found) + sources_due(bench.db) + build_due(bench))
        if isinstance(answer, dg.SensorResult):
            run_key = (answer.run_requests or [])[0].run_key
            context.update_cursor(json.dumps({"known": known, "asked": found, "run_key": run_key}))
        return answer

    return sense


def _read_files(context: dg.SensorEvaluationContext) -> dict[str, float]:
    """Files with their modification time that a run has read to the end; those of a run that died are not."""
    seen: Mapping[str, dict[str, float]] = json.loads(context.cursor or "{}")
    runs = context.instance.get_runs(dg.RunsFilter(tags={RUN_KEY: str(seen.get("run_key"))}), limit=1)
    is_read = bool(runs) and runs[0].status == dg.DagsterRunStatus.SUCCESS
    return {**seen.get("known", {}), **(seen.get("asked", {}) if is_read else {})}
