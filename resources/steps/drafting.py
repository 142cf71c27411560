"""Steps of the response and editorial stages: decide -> draft -> check."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from psycopg.types.json import Jsonb

from rejoinder.drafting.checks import Check, check_draft
from rejoinder.drafting.extractive import DraftReply, QuotedEvidence, draft_reply
from rejoinder.drafting.strategies import Choice, ChoiceContext, StrategyChooser, safe_strategies
from rejoinder.ids import DecisionId, EvidenceId, PostId
from rejoinder.prompts.loader import Prompt
from rejoinder.research.evidence import Evidence
from resources.postgres import Transaction
from resources.steps.places import EDITORIAL, RESPONSE, REVIEW
from resources.store.channels import Channel, enabled_channels
from resources.store.posts import StoredPost, advance, load_posts, reject, save_stage_decision
from resources.store.prompt_versions import prompt_of_version, prompt_task, read_in_force

DRAFTER = "local::extractive"
# The task whose prompt holds the frames that the offline drafter fills.
FRAMES = "reply_extractive"
POLICY_VERSION = "uniform.v1"
CONTEXT_VERSION = "none"
# Earlier replies that a new one must not repeat.
REPLIES_COMPARED = 500


@dataclass(frozen=True, slots=True)
class Researched:
    """A post with its evidence (best first) and the rows it came from."""

    stored: StoredPost
    evidence: tuple[Evidence, ...]
    evidence_ids: tuple[EvidenceId, ...]
    round: int = 0
    decision_id: DecisionId | None = None
    action: str = ""
    allow_links: bool = True
    frames: Prompt | None = None


def _researched(tx: Transaction, ids: Sequence[int], index_id: int) -> list[Researched]:
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in tx.rows("load_evidence", post_ids=list(ids)):
        rows.setdefault(row["post_id"], []).append(row)
    return [
        Researched(
            stored,
            tuple(_evidence(row) for row in rows.get(stored.id, [])),
            tuple(row["id"] for row in rows.get(stored.id, [])),
        )
        for stored in load_posts(tx, ids, index_id)
    ]


def _with_frames(tx: Transaction, items: Sequence[Researched], challenger_share: float) -> list[Researched]:
    """The items with the offline drafter's prompt; a post gets the same side of an A/B test in every step."""
    in_force = read_in_force(tx, FRAMES)
    return [
        replace(item, frames=in_force.choose(FRAMES, f"post:{item.stored.id}", challenger_share)[0])
        for item in items
    ]


def _evidence(row: Mapping[str, Any]) -> Evidence:
    return Evidence(
        chunk_id=row["chunk_id"],
        source_id=row["source_id"],
        source_title=row["source_title"],
        source_url=row["source_url"],
        quote=row["quote"],
        start_s=row["start_s"],
        speaker=row["speaker"],
        support=row["score"],
        verdict=row["verdict"],
        reason="",
    )


@dataclass(frozen=True, slots=True)
class Deciding:
    """Draws a strategy out of the safe set and logs with which probability."""

    chooser: StrategyChooser
    rng_of: Callable[[str], Random]
    index_id: int
    challenger_share: float = 0.0
    name: str = "decide"
    table: str = "post"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[tuple[Researched, int]]:
        """Posts with evidence, and which round of drafting this is."""
        found = _with_frames(tx, _researched(tx, ids, self.index_id), self.challenger_share)
        return [(item, tx.value("next_round", post_id=item.stored.id)) for item in found]

    def work(self, items: Sequence[tuple[Researched, int]]) -> list[Choice]:
        """One choice per post; the same post and round always draw the same."""
        return [self._choose(item, round_) for item, round_ in items]

    def _choose(self, item: Researched, round_: int) -> Choice:
        candidates = safe_strategies(item.stored.post, item.evidence)
        rng = self.rng_of(f"{item.stored.post.platform_post_id}/{round_}")
        return self.chooser.choose(ChoiceContext(CONTEXT_VERSION), candidates, rng)

    def save(self, tx: Transaction, item: tuple[Researched, int], result: Choice, worker: int) -> str:
        """Log the decision and go on to drafting."""
        researched, round_ = item
        tx.execute(
            "insert_decision",
            post_id=researched.stored.id,
            round=round_,
            context_version=CONTEXT_VERSION,
            policy_version=POLICY_VERSION,
            prompt_version=researched.frames.version if researched.frames else None,
            candidates=list(result.candidate_set),
            action=result.action,
            propensity=result.propensity,
        )
        advance(tx, researched.stored.id, RESPONSE, worker, step="draft")
        return result.action


@dataclass(frozen=True, slots=True)
class Drafting:
    """Composes a reply from the evidence with the chosen strategy."""

    index_id: int
    challenger_share: float = 0.0
    name: str = "draft"
    table: str = "post"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[Researched]:
        """Posts with evidence and decision."""
        channels = {c.id: c for c in enabled_channels(tx)}
        decisions = {r["post_id"]: r for r in tx.rows("latest_decisions", post_ids=list(ids))}
        found = _with_frames(tx, _researched(tx, ids, self.index_id), self.challenger_share)
        return [
            _with_decision(item, decisions[item.stored.id], channels.get(item.stored.channel_id))
            for item in found
        ]

    def work(self, items: Sequence[Researched]) -> list[DraftReply]:
        """One draft per post."""
        return [
            draft_reply(i.stored.post, i.evidence, i.action, allow_links=i.allow_links, prompt=i.frames)
            for i in items
        ]

    def save(self, tx: Transaction, item: Researched, result: DraftReply, worker: int) -> str:
        """Save the draft as the newest of its chain, with what it quotes."""
        row = tx.row(
            "insert_draft",
            post_id=item.stored.id,
            decision_id=item.decision_id,
            text=result.text,
            strategy=result.strategy,
            model=DRAFTER,
            prompt_version=result.prompt_version,
            author_id=None,
        )
        draft_id = row["id"] if row else None
        for quoted in result.quotes:
            evidence_id = item.evidence_ids[quoted.evidence_index]
            tx.execute("insert_draft_evidence", draft_id=draft_id, evidence_id=evidence_id, quote=quoted.text)
        advance(tx, item.stored.id, EDITORIAL, worker)
        return result.strategy


def _with_decision(item: Researched, decision: Mapping[str, Any], channel: Channel | None) -> Researched:
    return replace(
        item,
        round=decision["round"],
        decision_id=decision["id"],
        action=decision["action"],
        allow_links=channel is None or channel.policy.allow_links,
    )


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft with what it is checked against."""

    researched: Researched
    draft_id: int
    draft: DraftReply
    earlier: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checking:
    """Editorial checks; a draft that fails one never reaches a reviewer."""

    index_id: int
    challenger_share: float = 0.0
    name: str = "check"
    table: str = "post"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[Drafted]:
        """Newest drafts with evidence and the replies they must not repeat."""
        drafts = {r["post_id"]: r for r in tx.rows("latest_drafts", post_ids=list(ids))}
        found = _with_frames(tx, _researched(tx, ids, self.index_id), self.challenger_share)
        return [self._drafted(tx, item, drafts[item.stored.id]) for item in found]

    def _drafted(self, tx: Transaction, item: Researched, row: Mapping[str, Any]) -> Drafted:
        places = {evidence_id: i for i, evidence_id in enumerate(item.evidence_ids)}
        quotes = tuple(
            QuotedEvidence(places[q["evidence_id"]], q["quote"])
            for q in tx.rows("draft_quotes", draft_ids=[row["id"]])
        )
        draft = DraftReply(row["text"], quotes, row["strategy"], row["prompt_version"])
        earlier = tx.rows("recent_reply_texts", post_id=item.stored.id, top=REPLIES_COMPARED)
        texts = tuple(r["text"] for r in earlier)
        return Drafted(self._with_own_frames(tx, item, draft.prompt_version), row["id"], draft, texts)

    def _with_own_frames(self, tx: Transaction, item: Researched, version: str) -> Researched:
        """The frames that the draft was made with, though others are in force by now."""
        if item.frames is None or item.frames.version == version:
            return item
        own = prompt_of_version(tx, version)
        return replace(item, frames=own) if prompt_task(own) == FRAMES else item

    def work(self, items: Sequence[Drafted]) -> list[tuple[Check, ...]]:
        """All checks of each draft."""
        return [
            tuple(
                check_draft(
                    i.draft,
                    i.researched.stored.post,
                    i.researched.evidence,
                    earlier_replies=i.earlier,
                    prompt=i.researched.frames,
                )
            )
            for i in items
        ]

    def save(self, tx: Transaction, item: Drafted, result: tuple[Check, ...], worker: int) -> str:
        """Save the checks; hand the post to review, or reject it with what failed."""
        post_id: PostId = item.researched.stored.id
        for check in result:
            tx.execute(
                "save_draft_check",
                draft_id=item.draft_id,
                name=check.name,
                is_passed=check.passed,
                detail=check.detail,
            )
        failed = [f"{c.name}: {c.detail}" for c in result if not c.passed]
        if failed:
            reason = "the draft failed a check: " + "; ".join(failed)
            save_stage_decision(tx, post_id, self.name, "rejected", reason)
            return reject(tx, post_id, EDITORIAL, self.name, reason[:500], worker)
        tx.execute(
            "save_stage_result",
            post_id=post_id,
            stage="editorial",
            result=Jsonb({"draft_id": item.draft_id, "checks": [c.name for c in result]}),
        )
        advance(tx, post_id, REVIEW, worker)
        return "passed"
