"""The publish job: the only Dagster job that sends. No retry policy: a publication is never sent blindly twice."""

from typing import Any

import dagster as dg

from resources.rounds import publish as publish_round
from resources.workbench import Workbench


@dg.op(description="Claim due publications, send each once, settle, reconcile what is unknown.")
def publish_due_publications(
    context: dg.OpExecutionContext, bench: dg.ResourceParam[Workbench]
) -> dict[str, Any]:
    """Counts of one pass over what is due."""
    report = publish_round(bench).as_dict()
    context.add_output_metadata({name: value for name, value in report.items()})
    return report


@dg.job(
    description="Send what was approved, at most once each.",
    tags={"dagster/max_runtime": "1800", "dagster/concurrency_key": "publish"},
)
def publish() -> None:
    """One pass over the publications that are due."""
    publish_due_publications()
