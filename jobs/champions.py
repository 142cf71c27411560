"""Following what people promote in MLflow: champions are copied to PostgreSQL, which alone the run path reads."""

from typing import Any

import dagster as dg

from resources.rounds import follow_champions as follow
from resources.workbench import Workbench


@dg.op(description="Register prompt files in MLflow and copy the aliases named champion to PostgreSQL.")
def copy_champions(context: dg.OpExecutionContext, bench: dg.ResourceParam[Workbench]) -> dict[str, Any]:
    """How many prompt versions were registered and champions copied."""
    counts = follow(bench)
    context.add_output_metadata(dict(counts))
    return counts


@dg.job(description="Copy champions from MLflow to PostgreSQL.", tags={"dagster/max_runtime": "600"})
def follow_champions() -> None:
    """One look at MLflow's aliases."""
    copy_champions()
