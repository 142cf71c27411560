"""Makes Dagster's storage ready before its processes start, and ends the runs that a crash cut off.

Run as a module once at each start: one process makes the tables, instead of three at the same time. Dagster's
launcher does not notice a run whose code server died with it (power cut, kill -9); such a run would hold one
of the few slots for hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

REASON = "Cut off: the process of this run ended together with the code server. The next run does the rest."


def end_orphaned_runs(instance: DagsterInstance) -> int:
    """Mark as failed each run in progress that a code server had launched; how many that were.

    Only right while no code server runs. Runs that a command started by itself (``rejoinder run``) and runs
    that still wait in the queue are left alone.
    """
    from dagster import DagsterRunStatus, RunsFilter
    from dagster._core.storage.tags import GRPC_INFO_TAG

    in_progress = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
    orphans = [
        run
        for run in instance.get_runs(RunsFilter(statuses=in_progress))
        if GRPC_INFO_TAG in run.tags or run.status is DagsterRunStatus.STARTING
    ]
    for run in orphans:
        instance.report_run_failed(run, REASON)
    return len(orphans)


def main() -> None:
    """Open the instance that the environment names, which makes its tables, and end its orphaned runs."""
    from dagster import DagsterInstance

    with DagsterInstance.get() as instance:
        ended = end_orphaned_runs(instance)
    print(f"storage ready, {ended} runs that had been cut off marked as failed")


if __name__ == "__main__":
    main()
