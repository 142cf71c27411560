"""Step of the editorial stage: check. Our own checks first, then an editor where a model is configured for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg.types.json import Jsonb

from rejoinder.corpus.moments import Form
from rejoinder.drafting.checks import Check, check_draft
from rejoinder.drafting.extractive import DraftReply, QuotedEvidence
from rejoinder.ids import PostId
from resources.model_tasks.asked import Troubled
from resources.model_tasks.replies import DRAFTER, Edited, ReplyEditor
from resources.postgres import Transaction
from resources.steps.drafting import (
    FRAMES,
    Researched,
    researched,
    save_checks,
    save_draft,
    with_channels,
    with_decisions,
    with_frames,
)
from resources.steps.places import EDITORIAL, REVIEW
from resources.store.posts import advance, reject, save_stage_decision
from resources.store.prompt_versions import prompt_of_version, prompt_task

# Earlier replies that a new one must not repeat.
REPLIES_COMPARED = 500


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft with what it is checked against; is_written: in a model's own words."""

    researched: Researched
    draft_id: int
    draft: DraftReply
    earlier: tuple[str, ...]
    is_written: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What our checks found, and what an editor said where there is one."""

    checks: tuple[Check, ...]
    edited: Edited | None = None

    @property
    def all(self) -> tuple[Check, ...]:
        """The checks of the draft, the editor's opinion last."""
        return (*self.checks, self.edited.opinion) if self.edited else self.checks


@dataclass(frozen=True, slots=True)
class Checking:
    """Editorial checks; a draft that fails one never reaches a reviewer. An editor, where there is one, comes last."""

    index_id: int
    challenger_share: float = 0.0
    editor: ReplyEditor | None = None
    forms: tuple[Form, ...] = ()
    name: str = "check"
    table: str = "post"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[Drafted]:
        """Newest drafts with evidence and the replies they must not repeat."""
        drafts = {r["post_id"]: r for r in tx.rows("latest_drafts", post_ids=list(ids))}
        found = with_frames(tx, researched(tx, ids, self.index_id, self.forms), self.challenger_share)
        decided = with_decisions(tx, with_channels(tx, found))
        return [self._drafted(tx, item, drafts[item.stored.id]) for item in decided]

    def _drafted(self, tx: Transaction, item: Researched, row: Mapping[str, Any]) -> Drafted:
        places = {evidence_id: i for i, evidence_id in enumerate(item.evidence_ids)}
        quotes = tuple(
            QuotedEvidence(places[q["evidence_id"]], q["quote"])
            for q in tx.rows("draft_quotes", draft_ids=[row["id"]])
        )
        draft = DraftReply(row["text"], quotes, row["strategy"], row["prompt_version"])
        earlier = tx.rows("recent_reply_texts", post_id=item.stored.id, top=REPLIES_COMPARED)
        decided = replace(item, decision_id=row["decision_id"], action=row["strategy"])
        return Drafted(
            self._with_own_frames(tx, decided, draft.prompt_version),
            row["id"],
            draft,
            tuple(r["text"] for r in earlier),
            is_written=row["model"] != DRAFTER,
        )

    def _with_own_frames(self, tx: Transaction, item: Researched, version: str) -> Researched:
        """The frames that the draft was made with, though others are in force by now."""
        if item.frames is None or item.frames.version == version:
            return item
        own = prompt_of_version(tx, version)
        return replace(item, frames=own) if prompt_task(own) == FRAMES else item

    def work(self, items: Sequence[Drafted]) -> list[Checked | Troubled]:
        """All checks of each draft; an editor is asked only about those that pass."""
        return [self._check(item) for item in items]

    def _check(self, item: Drafted) -> Checked | Troubled:
        of = item.researched
        checks = check_draft(
            item.draft,
            of.stored.post,
            of.evidence,
            earlier_replies=item.earlier,
            prompt=of.frames,
            is_written=item.is_written,
        )
        if self.editor is None or not all(check.passed for check in checks):
            return Checked(checks)
        edited = self.editor.edit(of.brief, item.draft, of.ref, item.earlier)
        return edited if isinstance(edited, Troubled) else Checked(checks, edited)

    def save(self, tx: Transaction, item: Drafted, result: Checked | Troubled, worker: int) -> str:
        """Save the checks and a new version; hand the post to review, or reject it with what failed.

        Raises:
            PassingTrouble: no model answered.
            ModelRefusal: a model is not set up as it should be.
        """
        if isinstance(result, Troubled):
            raise result.error
        post_id: PostId = item.researched.stored.id
        save_checks(tx, item.draft_id, result.all)
        failed = [f"{c.name}: {c.detail}" for c in result.all if not c.passed]
        if failed:
            reason = "the draft failed a check: " + "; ".join(failed)
            save_stage_decision(tx, post_id, self.name, "rejected", reason)
            return reject(tx, post_id, EDITORIAL, self.name, reason[:500], worker)
        draft_id, checks = _newest(tx, item, result)
        tx.execute(
            "save_stage_result",
            post_id=post_id,
            stage="editorial",
            result=Jsonb({"draft_id": draft_id, "checks": [c.name for c in checks]}),
        )
        advance(tx, post_id, REVIEW, worker)
        return "passed"


def _newest(tx: Transaction, item: Drafted, result: Checked) -> tuple[int, tuple[Check, ...]]:
    """The draft that goes to review, with its checks: the editor's version where there is one."""
    edited = result.edited
    if edited is None or edited.draft is None:
        return item.draft_id, result.all
    draft_id = save_draft(tx, item.researched, edited.draft, edited.model)
    checks = (*edited.checks, edited.opinion)
    save_checks(tx, draft_id, checks)
    return draft_id, checks
