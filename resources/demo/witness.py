"""What the sandbox saw: counts from its own log, held against the reviews, not against our tables."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from resources.demo.sandbox_process import Sandbox
from resources.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Witness:
    """Counts of posts and accepted replies.

    duplicates are those beyond the first under one post; unapproved those whose text nobody approved for it.
    """

    posts: int
    published: int
    duplicates: int
    unapproved: int


def ask_witness(bench: Workbench, sandbox: Sandbox) -> Witness:
    """Compare the sandbox's replies with the approved texts."""
    log: list[dict[str, Any]] = sandbox.get("/sandbox/log")
    replies = [entry for entry in log if entry["accepted"]]
    with bench.db.transaction() as tx:
        rows = tx.rows("approved_texts")
    approved = {(r["platform"], r["platform_post_id"], r["sha256"]) for r in rows}
    parents = Counter((r["platform"], r["parent_id"]) for r in replies)
    unapproved = [r for r in replies if (r["platform"], r["parent_id"], r["text_sha256"]) not in approved]
    posts = int(sandbox.get("/sandbox/summary")["posts"])
    return Witness(posts, len(replies), sum(n - 1 for n in parents.values()), len(unapproved))
