"""Aliases in MLflow's registry that changed since the last look."""

import dagster as dg

from jobs.champions import follow_champions
from resources.mlflow_aliases import alias_fingerprint
from resources.workbench import Workbench
from sensors.asking import ask


@dg.sensor(job=follow_champions, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def champions_changed(
    context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for a copy of the champions when somebody moved an alias in MLflow."""
    found = alias_fingerprint(bench.addresses.mlflow)
    answer = ask(context, "follow_champions", int(found not in (None, context.cursor)))
    if isinstance(answer, dg.SensorResult):
        context.update_cursor(str(found))
    return answer
