"""Asset jobs: one per part of the walk, so that each can be asked for when its rows are due."""

import dagster as dg

LONGEST_RUN = {"dagster/max_runtime": "3600"}

ingest = dg.define_asset_job(
    "ingest",
    dg.AssetSelection.assets(
        "sources", "chunks", "chunk_embeddings", "keywords", "summaries", "listening_rules"
    ),
    description="Read new files of the inbox and make them searchable.",
    tags=LONGEST_RUN,
)
listen = dg.define_asset_job(
    "listen",
    dg.AssetSelection.assets("posts"),
    description="Hear what is new on every enabled channel.",
    tags=LONGEST_RUN,
)
recheck = dg.define_asset_job(
    "recheck",
    dg.AssetSelection.assets("post_standings"),
    description="Look heard posts up again: withdraw and purge what is gone, start over what was edited.",
    tags=LONGEST_RUN,
)
answer = dg.define_asset_job(
    "answer",
    dg.AssetSelection.assets(
        "post_embeddings", "relevance", "claims", "evidence", "decisions", "drafts", "checked_drafts"
    ),
    description="Take waiting posts from triage to the review queue.",
    tags=LONGEST_RUN,
)
train = dg.define_asset_job(
    "train",
    dg.AssetSelection.assets("relevance_model"),
    description="Train the relevance classifier on weak labels and review decisions.",
    tags=LONGEST_RUN,
)
measure = dg.define_asset_job(
    "measure",
    dg.AssetSelection.assets("engagement", "follow_ups", "rewards", "outcomes"),
    description="Take the snapshots that are due, write the rewards, and tell what came of decisions.",
    tags=LONGEST_RUN,
)
refresh_marts = dg.define_asset_job(
    "refresh_marts",
    dg.AssetSelection.assets("marts"),
    description="Write the Parquet marts anew.",
    tags=LONGEST_RUN,
)
ALL = (ingest, listen, recheck, answer, train, measure, refresh_marts)
