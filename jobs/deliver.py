"""The job that tells people: it writes notices that time brought, and sends what sinks have not been told."""

import dataclasses
from typing import Any

import dagster as dg

from resources.notifications.delivering import Ground, deliver_due
from resources.work.stopping import PROCESS_STOP, stop_on_signals
from resources.workbench import Workbench


@dg.op(description="Tell of what is overdue, end what is over, send messages that are due.")
def deliver_due_notifications(
    context: dg.OpExecutionContext, bench: dg.ResourceParam[Workbench]
) -> dict[str, Any]:
    """Counts of one pass."""
    with stop_on_signals(PROCESS_STOP) as stop:
        report = deliver_due(Ground(bench.db, bench.tuning.notifications), stop=stop)
    counts = dataclasses.asdict(report)
    context.add_output_metadata(counts)
    return counts


@dg.job(
    description="Tell people what happened, in the app and by the sinks of rejoinder.toml.",
    tags={"dagster/max_runtime": "900"},
)
def deliver_notifications() -> None:
    """One pass over what is to be told."""
    deliver_due_notifications()
