"""Every asset of the code location, in the order of the walk."""

from collections.abc import Sequence

import dagster as dg

from assets import analytics, corpus, drafting, engagement, listening, research, triage

ASSETS: Sequence[dg.AssetsDefinition] = (
    corpus.sources,
    corpus.chunks,
    corpus.chunk_embeddings,
    corpus.keywords,
    corpus.summaries,
    corpus.listening_rules,
    listening.posts,
    listening.post_standings,
    triage.post_embeddings,
    triage.relevance_model,
    triage.relevance,
    triage.claims,
    research.evidence,
    drafting.decisions,
    drafting.drafts,
    drafting.checked_drafts,
    engagement.engagement,
    engagement.follow_ups,
    engagement.rewards,
    engagement.outcomes,
    analytics.marts,
)
