"""Group research: evidence for each claim."""

from typing import Any

import dagster as dg

from assets.results import OWNERS, step_result
from assets.triage import claims
from resources.previews import recall_proxy
from resources.rounds import read_threads
from resources.wiring import run_step
from resources.workbench import Workbench


@dg.asset(group_name="research", kinds={"postgres", "onnx"}, owners=OWNERS, deps=[claims])
def evidence(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Sentences of the corpus that bear on a claim, word for word, with the second they are said at."""
    read_threads(bench)
    report = run_step(bench, "evidence")
    return step_result(bench, "evidence", report, recall_proxy(bench.db, k=bench.tuning.retrieval.passages))
