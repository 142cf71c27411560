"""Group triage: which posts are worth answering."""

from typing import Any

import dagster as dg

from assets.listening import posts
from assets.results import OWNERS, step_result, table_result
from resources.rounds import train
from resources.wiring import run_step
from resources.workbench import Workbench


@dg.asset(group_name="triage", kinds={"postgres", "onnx"}, owners=OWNERS, deps=[posts])
def post_embeddings(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """One vector per post that has words in it; what has none is rejected with its reason."""
    return step_result(bench, "post_embeddings", run_step(bench, "embed_posts"))


@dg.asset(group_name="triage", kinds={"mlflow", "scikitlearn"}, owners=OWNERS, deps=[post_embeddings])
def relevance_model(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Classifiers of relevance; one row is one training, its scores are on posts held out from it."""
    return table_result(bench, "relevance_model", {"training": dg.MetadataValue.json(train(bench))})


@dg.asset(
    group_name="triage",
    kinds={"postgres", "scikitlearn"},
    owners=OWNERS,
    deps=[relevance_model],
)
def relevance(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Whether a post concerns the corpus: similarity floor, then the champion classifier."""
    return step_result(bench, "relevance", run_step(bench, "relevance"))


@dg.asset(group_name="triage", kinds={"postgres"}, owners=OWNERS, deps=[relevance])
def claims(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """What in a post can be checked or answered."""
    return step_result(bench, "claims", run_step(bench, "claims"))
