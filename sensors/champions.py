"""Aliases of models and prompts that changed, in MLflow or here, since the last look."""

import dagster as dg

from jobs.champions import follow_champions
from resources.mlflow_aliases import alias_fingerprint
from resources.prompt_registry import count_to_bring
from resources.workbench import Workbench
from sensors.asking import ask


@dg.sensor(
    job=follow_champions,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="An alias was moved in MLflow, or MLflow lacks a prompt or model of PostgreSQL.",
)
def champions_changed(
    context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]
) -> dg.SensorResult | dg.SkipReason:
    """Ask that both registries agree when somebody moved an alias in MLflow, or where MLflow lacks what is here."""
    found = alias_fingerprint(bench.addresses.mlflow)
    moved = int(found not in (None, context.cursor))
    answer = ask(context, "follow_champions", moved + count_to_bring(bench.db))
    if isinstance(answer, dg.SensorResult):
        context.update_cursor(str(found))
    return answer
