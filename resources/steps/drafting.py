"""Steps of the response stage: decide -> draft. The check stands in checking.py."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from rejoinder.corpus.moments import Form
from rejoinder.drafting.checks import Check
from rejoinder.drafting.citations import citation_address
from rejoinder.drafting.extractive import DraftReply, draft_reply
from rejoinder.drafting.link_proposals import LinkProposal
from rejoinder.drafting.strategies import Choice, ChoiceContext, StrategyChooser, safe_strategies
from rejoinder.drafting.written import Brief
from rejoinder.ids import DecisionId, EvidenceId
from rejoinder.prompts.loader import Prompt
from rejoinder.research.evidence import Evidence
from resources.model_tasks.asked import Troubled
from resources.model_tasks.replies import NothingToSay, ReplyWriter, Written
from resources.postgres import Transaction
from resources.steps.linking import OwnAddresses, proposal_for, save_link
from resources.steps.places import EDITORIAL, RESPONSE
from resources.store.channels import Channel, enabled_channels
from resources.store.links import tracked_links_of
from resources.store.posts import StoredPost, advance, load_posts, reject, save_stage_decision
from resources.store.prompt_versions import read_in_force

# The task whose prompt holds the frames that the offline drafter fills.
FRAMES = "reply_extractive"
POLICY_VERSION = "uniform.v1"
CONTEXT_VERSION = "none"


@dataclass(frozen=True, slots=True)
class Researched:
    """A post with its evidence (best first) and the rows it came from.

    allow_links: the reply is drafted with a link. is_written: a model writes it. instead: addresses of our own, by the
    address that each leads to.
    """

    stored: StoredPost
    evidence: tuple[Evidence, ...]
    evidence_ids: tuple[EvidenceId, ...]
    round: int = 0
    decision_id: DecisionId | None = None
    action: str = ""
    allow_links: bool = True
    frames: Prompt | None = None
    channel: Channel | None = None
    is_written: bool = False
    instead: Mapping[str, str] = field(default_factory=dict)

    @property
    def brief(self) -> Brief:
        """What a model writes from."""
        account = self.channel.account if self.channel else "the author"
        return Brief(self.stored.post, self.evidence, self.action, account, self.allow_links, self.instead)

    @property
    def link(self) -> LinkProposal:
        """Whether the channel proposes a link, and at which price."""
        return proposal_for(self.stored.post, self.channel, self.evidence, is_written=self.is_written)

    @property
    def ref(self) -> str:
        """What a model's question belongs to; the same post is on the same side of every A/B test."""
        return f"post:{self.stored.id}"


def researched(
    tx: Transaction, ids: Sequence[int], index_id: int, forms: tuple[Form, ...] = ()
) -> list[Researched]:
    """Posts with their evidence, in the order of ids; forms are those of players of one's own."""
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in tx.rows("load_evidence", post_ids=list(ids)):
        rows.setdefault(row["post_id"], []).append(row)
    return [
        Researched(
            stored,
            tuple(_evidence(row, forms) for row in rows.get(stored.id, [])),
            tuple(row["id"] for row in rows.get(stored.id, [])),
        )
        for stored in load_posts(tx, ids, index_id)
    ]


def with_frames(tx: Transaction, items: Sequence[Researched], challenger_share: float) -> list[Researched]:
    """The items with the offline drafter's prompt; a post gets the same side of an A/B test in every step."""
    in_force = read_in_force(tx, FRAMES)
    return [replace(item, frames=in_force.choose(FRAMES, item.ref, challenger_share)[0]) for item in items]


def _evidence(row: Mapping[str, Any], forms: tuple[Form, ...]) -> Evidence:
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
        forms=forms,
    )


@dataclass(frozen=True, slots=True)
class Deciding:
    """Draws a strategy out of the safe set and logs with which probability; says whether a link is to be in it."""

    chooser: StrategyChooser
    rng_of: Callable[[str], Random]
    index_id: int
    challenger_share: float = 0.0
    is_written: bool = False
    forms: tuple[Form, ...] = ()
    name: str = "decide"
    table: str = "post"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[tuple[Researched, int]]:
        """Posts with evidence, and which round of drafting this is."""
        found = with_frames(tx, researched(tx, ids, self.index_id, self.forms), self.challenger_share)
        items = [replace(item, is_written=self.is_written) for item in with_channels(tx, found)]
        return [(item, tx.value("next_round", post_id=item.stored.id)) for item in items]

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
        link = researched.link
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
            is_link_proposed=link.is_proposed,
            link_reason=link.reason,
            price_usd=link.price_usd,
            price_with_link_usd=link.price_with_link_usd,
        )
        advance(tx, researched.stored.id, RESPONSE, worker, step="draft")
        return result.action


@dataclass(frozen=True, slots=True)
class Drafting:
    """Composes a reply from the evidence with the chosen strategy; where there is a writer, in a model's words."""

    index_id: int
    challenger_share: float = 0.0
    writer: ReplyWriter | None = None
    own: OwnAddresses = field(default_factory=OwnAddresses)
    forms: tuple[Form, ...] = ()
    name: str = "draft"
    table: str = "post"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[Researched]:
        """Posts with evidence and decision, and addresses of our own for what may be quoted."""
        found = with_frames(tx, researched(tx, ids, self.index_id, self.forms), self.challenger_share)
        return [
            replace(item, instead=self.own.instead(item.channel, item.evidence, item.instead))
            for item in with_decisions(tx, with_channels(tx, found))
        ]

    def work(self, items: Sequence[Researched]) -> list[Written | NothingToSay | Troubled]:
        """One draft per post, or why there is none."""
        return [self._draft(item) for item in items]

    def _draft(self, item: Researched) -> Written | NothingToSay | Troubled:
        extractive = draft_reply(
            item.stored.post,
            item.evidence,
            item.action,
            allow_links=item.allow_links,
            instead=item.instead,
            prompt=item.frames,
        )
        if self.writer is None:
            return Written(extractive)
        return self.writer.write(item.brief, extractive, item.ref)

    def save(
        self, tx: Transaction, item: Researched, result: Written | NothingToSay | Troubled, worker: int
    ) -> str:
        """Save the draft as the newest of its chain, with what it quotes.

        Raises:
            PassingTrouble: no model answered.
            ModelRefusal: a model is not set up as it should be.
        """
        if isinstance(result, Troubled):
            raise result.error
        if isinstance(result, NothingToSay):
            save_stage_decision(tx, item.stored.id, self.name, "rejected", result.reason)
            return reject(tx, item.stored.id, RESPONSE, self.name, result.reason[:500], worker)
        draft_id = save_draft(tx, item, result.draft, result.model)
        for quoted in result.draft.quotes[:1]:
            save_link(tx, item.stored.id, item.evidence[quoted.evidence_index], item.instead)
        if result.note:
            save_checks(tx, draft_id, [Check("writer", True, result.note)])
        advance(tx, item.stored.id, EDITORIAL, worker)
        return result.draft.strategy


def save_draft(tx: Transaction, item: Researched, draft: DraftReply, model: str) -> int:
    """Save a draft as the newest of its post's chain, with what it quotes; its number."""
    row = tx.rows(
        "insert_draft",
        post_id=item.stored.id,
        decision_id=item.decision_id,
        text=draft.text,
        strategy=draft.strategy,
        model=model,
        prompt_version=draft.prompt_version,
        author_id=None,
    )[0]
    for quoted in draft.quotes:
        evidence_id = item.evidence_ids[quoted.evidence_index]
        tx.execute(
            "insert_draft_evidence",
            draft_id=row["id"],
            evidence_id=evidence_id,
            quote=quoted.text,
            address=citation_address(item.evidence[quoted.evidence_index]),
        )
    return int(row["id"])


def save_checks(tx: Transaction, draft_id: int, checks: Sequence[Check]) -> None:
    """Save what checks found of a draft."""
    for check in checks:
        tx.execute(
            "save_draft_check",
            draft_id=draft_id,
            name=check.name,
            is_passed=check.passed,
            detail=check.detail,
        )


def with_channels(tx: Transaction, items: Sequence[Researched]) -> list[Researched]:
    """The items with their channels, and the addresses of ours that their replies have already."""
    channels = {c.id: c for c in enabled_channels(tx)}
    known = tracked_links_of(tx, [item.stored.id for item in items])
    return [
        _with_channel(item, channels.get(item.stored.channel_id), known[item.stored.id]) for item in items
    ]


def _with_channel(item: Researched, channel: Channel | None, known: Mapping[str, str]) -> Researched:
    if channel is None:
        return item
    return replace(item, channel=channel, allow_links=channel.policy.allow_links, instead=known)


def with_decisions(tx: Transaction, items: Sequence[Researched]) -> list[Researched]:
    """The items, which have their channels, with the latest decision about each."""
    decisions = {
        r["post_id"]: r for r in tx.rows("latest_decisions", post_ids=[item.stored.id for item in items])
    }
    return [_with_decision(item, decisions.get(item.stored.id)) for item in items]


def _with_decision(item: Researched, decision: Mapping[str, Any] | None) -> Researched:
    if decision is None:
        return item
    said = decision["is_link_proposed"]
    is_proposed = item.link.is_proposed if said is None else said
    return replace(
        item,
        round=decision["round"],
        decision_id=decision["id"],
        action=decision["action"],
        # What the channel forbids meanwhile counts.
        allow_links=item.allow_links and is_proposed,
    )
