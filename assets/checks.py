"""Asset checks: each is a statement in checks.sql that gives the rows breaking its rule."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import LiteralString

import dagster as dg

from resources.workbench import Workbench

# asset -> (name of its check, what it promises); the statement is check_<asset>
RULES = {
    "sources": ("sources_have_speech", "Every source has at least one cue with text."),
    "chunks": ("chunks_run_forward", "Every cut source has chunks, and none ends before it starts."),
    "chunk_embeddings": ("chunks_are_embedded", "A source that went on has a vector for each chunk."),
    "keywords": ("sources_have_keywords", "Every finished source has a keyword."),
    "summaries": ("summaries_cite_their_sources", "Every summary cites sources that it is a summary of."),
    "listening_rules": ("channels_have_rules", "Every X channel has rules, each within 512 characters."),
    "posts": ("posts_are_readable", "Every post has text and a time that is not in the future."),
    "post_standings": (
        "deletions_are_honoured",
        "Every post was looked up or purged within its policy's time.",
    ),
    "post_embeddings": ("posts_are_embedded", "No post goes on without a vector."),
    "relevance_model": ("model_beats_chance", "The champion's held-out ROC AUC is above one half."),
    "relevance": ("posts_are_judged", "No post goes on without a decision on relevance."),
    "claims": ("posts_have_claims", "No post goes to research without a claim."),
    "evidence": ("quotes_are_verbatim", "Every quote stands word for word in its chunk."),
    "decisions": (
        "propensities_are_true",
        "Every draft has a choice out of a set, drawn with the propensity that was logged.",
    ),
    "drafts": ("drafts_cite_evidence", "Every draft cites evidence."),
    "checked_drafts": ("reviewers_see_checked", "No draft reaches a reviewer unless all its checks passed."),
    "engagement": ("snapshots_are_taken", "No snapshot was given up."),
    "follow_ups": ("stop_is_heeded", "Whoever asked under a reply to be left alone is not worked on."),
    "rewards": ("measured_replies_are_rewarded", "Every snapshot of a reply has its reward."),
    "outcomes": (
        "outcomes_have_decisions",
        "Every sent reply has the decision that led to it, with its propensity.",
    ),
}
# More of one asset: (asset, statement, name, promise)
MORE = (
    ("posts", "check_hearing", "channels_are_heard", "Every enabled channel was heard within the last hour."),
    ("posts", "check_spending", "spending_is_within_budget", "No channel spent more today than its budget."),
)


def _check(asset: str, statement: LiteralString, name: str, promise: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=asset, name=name, description=promise)
    def check(bench: dg.ResourceParam[Workbench]) -> dg.AssetCheckResult:
        with bench.db.transaction() as tx:
            broken = tx.rows(statement)
        rows = [dict(row) for row in broken]
        return dg.AssetCheckResult(passed=not rows, metadata={"broken": dg.MetadataValue.json(rows)})

    return check


def _marts_are_complete() -> dg.AssetChecksDefinition:
    # Posts heard since the mart was written are no fault of it, so it is held against its own moment.
    promise = "The funnel counts every post that there was when it was written."

    @dg.asset_check(asset="marts", name="marts_are_complete", description=promise)
    def check(bench: dg.ResourceParam[Workbench]) -> dg.AssetCheckResult:
        from resources.warehouse import posts_when_written, read_mart

        home = bench.settings.home_dir
        counted = int(read_mart(home, "funnel")["posts"].sum() or 0)
        expected = posts_when_written(home, "funnel")
        return dg.AssetCheckResult(
            passed=counted == expected, metadata={"in_mart": counted, "in_postgres": str(expected)}
        )

    return check


def _marts_are_fresh() -> dg.AssetChecksDefinition:
    promise = "No change is longer than five minutes ago and in no mart."

    @dg.asset_check(asset="marts", name="marts_are_fresh", description=promise)
    def check(bench: dg.ResourceParam[Workbench]) -> dg.AssetCheckResult:
        from resources.warehouse import stale_since, written_moment

        home = bench.settings.home_dir
        stale, written = stale_since(bench.db, home, datetime.now(UTC)), written_moment(home)
        as_of = written.as_of if written else None
        return dg.AssetCheckResult(
            passed=stale is None, metadata={"as_of": str(as_of), "oldest_missing_change": str(stale)}
        )

    return check


def all_checks() -> Sequence[dg.AssetChecksDefinition]:
    """Every asset check of the code location."""
    return [
        *(_check(asset, f"check_{asset}", name, promise) for asset, (name, promise) in RULES.items()),
        *(_check(*rule) for rule in MORE),
        _marts_are_complete(),
        _marts_are_fresh(),
    ]
