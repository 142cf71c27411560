"""When a sensor asks for a run: only while something is due and no run of the job is in flight.

The run key changes with time: Dagster makes one run per key for good, so a key of rows alone would strand
them if that run died. Safety against doing a thing twice lies in the claim, never in the key.
"""

import time

import dagster as dg

IN_FLIGHT = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def ask(context: dg.SensorEvaluationContext, job: str, due: int) -> dg.SensorResult | dg.SkipReason:
    """One run request for the job, or the reason why there is none."""
    if due == 0:
        return dg.SkipReason("Nothing is due.")
    running = context.instance.get_runs(dg.RunsFilter(job_name=job, statuses=IN_FLIGHT), limit=1)
    if running:
        return dg.SkipReason(f"{due} due; run {running[0].run_id[:8]} of {job} is in flight.")
    return dg.SensorResult([dg.RunRequest(run_key=f"{job}:{int(time.time())}")])
