"""The simulated reviewer: decides by a fixed rule, on the sandbox alone, and every decision says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rejoinder.errors import DecisionInvalid
from rejoinder.ids import sha256_hex
from resources.commands.actors import Actor
from resources.commands.people import simulated_reviewer
from resources.commands.review import approve, reject
from resources.work.runner import Progress
from resources.workbench import Workbench

Decision = Literal["approved", "edited", "rejected"]
CLOSING = " Hope that helps!"
# Of twenty drafts: thirteen go out as they are, four with an edit, three are refused.
EDITED_FROM, REJECTED_FROM, SHARES = 13, 17, 20
REASONS = ("off_topic", "wrong_evidence", "tone")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A draft before the reviewer."""

    post_id: int
    platform_post_id: str
    version: int
    text: str


def review_waiting(bench: Workbench, *, progress: Progress | None = None) -> dict[str, int]:
    """Decide on everything that waits; counts by decision.

    Raises:
        ConfigInvalid: an enabled channel is not a sandbox channel.
    """
    actor = simulated_reviewer(bench.db)
    counts = {"approved": 0, "edited": 0, "rejected": 0}
    with bench.db.transaction() as tx:
        waiting = [_waiting(row) for row in tx.rows("drafts_before_review")]
    for item in waiting:
        counts[_decide(bench, actor, item)] += 1
        if progress:
            progress(1)
    return counts


def _waiting(row: Mapping[str, Any]) -> Waiting:
    return Waiting(row["id"], row["platform_post_id"], row["version"], row["text"])


def _decide(bench: Workbench, actor: Actor, item: Waiting) -> Decision:
    """The same post always gets the same decision: it hangs on the hash of its id."""
    digest = sha256_hex(item.platform_post_id)
    share = int(digest[:8], 16) % SHARES
    if share >= REJECTED_FROM:
        reason = REASONS[int(digest[8:12], 16) % len(REASONS)]
        reject(bench.db, actor, item.post_id, version=item.version, reason=reason)
        return "rejected"
    if share >= EDITED_FROM and _approve_edited(bench, actor, item):
        return "edited"
    approve(bench.db, actor, item.post_id, version=item.version, text=item.text)
    return "approved"


def _approve_edited(bench: Workbench, actor: Actor, item: Waiting) -> bool:
    """Approve with a closing line; False where the platform has no room for it."""
    try:
        approve(bench.db, actor, item.post_id, version=item.version, text=item.text + CLOSING)
    except DecisionInvalid:
        return False
    return True
