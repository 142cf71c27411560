"""Group corpus: what the creator said, from file to searchable chunk."""

from pathlib import Path
from typing import Any

import dagster as dg

from assets.results import OWNERS, step_result, table_result
from resources.inbox import ingest_paths
from resources.previews import embedding_coverage
from resources.rules import refresh_rules
from resources.wiring import run_step
from resources.workbench import Workbench


class SourcesConfig(dg.Config):
    """Which files and folders to read; none means the inbox of the home and the feeds that are due.

    No addresses: Dagster keeps and shows a run's configuration, and some hold keys. They come in by `rejoinder ingest`,
    the page Sources and the API, and wait in the queue, which every run reads.
    """

    paths: list[str] = []  # noqa: RUF012 - pydantic copies it


@dg.asset(group_name="corpus", kinds={"postgres", "file"}, owners=OWNERS)
def sources(config: SourcesConfig, bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Transcripts as they were read; one row is one recording, one cue a stretch of its speech."""
    report = ingest_paths(bench, [Path(path) for path in config.paths])
    counts = {
        name: len(getattr(report, name)) for name in ("new", "changed", "unchanged", "feeds", "waiting")
    }
    trouble = {name: dg.MetadataValue.json(getattr(report, name)) for name in ("quarantined", "failed")}
    return table_result(bench, "sources", {**counts, **trouble})


@dg.asset(group_name="corpus", kinds={"postgres"}, owners=OWNERS, deps=[sources])
def chunks(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Whole sentences that fit the model, with first and last second, speakers and BM25 postings."""
    return step_result(bench, "chunks", run_step(bench, "chunk"))


@dg.asset(group_name="corpus", kinds={"postgres", "onnx"}, owners=OWNERS, deps=[chunks])
def chunk_embeddings(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """One vector per chunk and embedding model."""
    report = run_step(bench, "embed_chunks")
    return step_result(bench, "chunk_embeddings", report, embedding_coverage(bench.db))


@dg.asset(group_name="corpus", kinds={"postgres"}, owners=OWNERS, deps=[chunk_embeddings])
def keywords(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """Terms worth listening for, and a summary, per source."""
    return step_result(bench, "keywords", run_step(bench, "keywords"))


@dg.asset(group_name="corpus", kinds={"postgres"}, owners=OWNERS, deps=[keywords])
def summaries(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """What a source says and what a month says, each sentence with the second at which it was said."""
    return step_result(bench, "summaries", run_step(bench, "summarise"))


@dg.asset(group_name="corpus", kinds={"postgres"}, owners=OWNERS, deps=[keywords])
def listening_rules(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """What each channel listens for: tagged queries made of keywords, and mentions of the account."""
    return table_result(bench, "listening_rules", dict(refresh_rules(bench)))
