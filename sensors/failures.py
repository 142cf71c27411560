"""A run that failed becomes a notification that people see in the review app."""

import dagster as dg

from resources.notices import notify
from resources.workbench import open_workbench


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A run failed: people are told, in the app and by the sinks of rejoinder.toml.",
)
def run_failed(context: dg.RunFailureSensorContext) -> None:
    """Write a notification for the failed run."""
    run = context.dagster_run
    notify(open_workbench().db, "run_failed", f"Dagster run {run.run_id[:8]} of {run.job_name} failed.")
