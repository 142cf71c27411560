"""Following what people promote: PostgreSQL, which alone the run path reads, and MLflow come to the same aliases."""

from typing import Any

import dagster as dg

from resources.rounds import follow_champions as follow
from resources.workbench import Workbench


@dg.op(description="Register prompts in MLflow and bring its aliases and those of PostgreSQL together.")
def copy_champions(context: dg.OpExecutionContext, bench: dg.ResourceParam[Workbench]) -> dict[str, Any]:
    """How many prompt versions were registered, aliases of prompts moved and champions of models copied."""
    counts = follow(bench)
    context.add_output_metadata(dict(counts))
    return counts


@dg.job(description="Bring champions in MLflow and PostgreSQL together.", tags={"dagster/max_runtime": "600"})
def follow_champions() -> None:
    """One look at MLflow's aliases."""
    copy_champions()
