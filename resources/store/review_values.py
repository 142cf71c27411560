"""What a person reads before deciding, as values: rows of the queue, a whole case, pages of the audit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from rejoinder.ids import DraftId, EvidenceId, PostId, PublicationId, ReviewId
from rejoinder.listening.answerable import Answerable, Unanswerable
from rejoinder.listening.policy import Way
from rejoinder.listening.post import Post
from rejoinder.posting.handoff import Handoff
from rejoinder.posting.states import PublicationState
from rejoinder.review.moves import Place
from resources.store.channels import Channel
from resources.store.links import CaseLink

QueueOrder = Literal["priority", "relevance", "newest", "oldest"]


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which posts to list; None means any. search looks in the post, its author and the draft, case ignored."""

    stage: str | None = "review"
    status: str | None = "pending"
    platform: str | None = None
    channel: str | None = None
    search: str | None = None
    order: QueueOrder = "priority"
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One post of a list, with its latest draft; times are UTC."""

    id: PostId
    version: int
    platform: str
    author: str | None
    community: str | None
    text: str
    url: str | None
    created_at: datetime
    heard_at: datetime
    priority: int
    relevance: float | None
    stage: str
    status: str
    rejection_reason: str | None
    is_summoned: bool
    channel: str
    is_sandbox: bool
    draft_id: DraftId | None
    draft_text: str | None
    strategy: str | None
    failed_checks: int


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of a list and how many rows there are in all."""

    rows: tuple[QueueRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class StageDecision:
    """What a step decided about the post, and why."""

    step: str
    verdict: str
    reason: str
    scores: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CaseParent:
    """A post above the one to answer, as it was read before drafting."""

    platform_post_id: str
    author: str | None
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CaseClaim:
    """A claim that was found in the post; check_worthiness in [0, 1]."""

    id: int
    position: int
    kind: str
    text: str
    check_worthiness: float


@dataclass(frozen=True, slots=True)
class CaseEvidence:
    """A passage that bears on the post; start_s is its second in the source, None for text without times."""

    id: EvidenceId
    claim_id: int | None
    chunk_id: int
    quote: str
    start_s: float | None
    speaker: str | None
    score: float
    verdict: str
    source_title: str
    source_url: str | None


@dataclass(frozen=True, slots=True)
class CaseQuote:
    """What a draft quotes, and from where."""

    evidence_id: EvidenceId
    quote: str
    start_s: float | None
    speaker: str | None
    score: float
    verdict: str
    source_title: str
    source_url: str | None


@dataclass(frozen=True, slots=True)
class CaseCheck:
    """One check of a draft."""

    name: str
    is_passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """One version of the reply; author is None where the machine wrote it."""

    id: DraftId
    version: int
    text: str
    strategy: str
    model: str
    prompt_version: str
    author: str | None
    created_at: datetime
    quotes: tuple[CaseQuote, ...]
    checks: tuple[CaseCheck, ...]


@dataclass(frozen=True, slots=True)
class CaseReview:
    """One decision of a person."""

    id: ReviewId
    draft_id: DraftId
    reviewer: str
    decision: str
    reason: str | None
    note: str | None
    was_edited: bool
    is_simulated: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CasePart:
    """One part of a publication, to the letter."""

    position: int
    text: str
    state: str
    platform_id: str | None
    platform_url: str | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One move of a publication."""

    from_state: str | None
    to_state: str
    reason_code: str | None
    detail: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CasePublication:
    """What was approved to go out, and what became of it."""

    id: PublicationId
    review_id: ReviewId
    state: PublicationState
    due_at: datetime
    attempts: int
    sent_at: datetime | None
    platform_id: str | None
    platform_url: str | None
    reason_code: str | None
    detail: str | None
    created_at: datetime
    parts: tuple[CasePart, ...]
    events: tuple[CaseEvent, ...]


@dataclass(frozen=True, slots=True)
class ReviewCase:
    """Everything about one post that a person reads before deciding.

    version is what a decision has to name. drafts run from the first to the latest. way says how an
    approved reply would go out now; handoff is there while an approved reply waits for a hand, never
    before: only an approved text gets a link. standing says whether the policy lets the post be answered now,
    price_usd what its platform charges for the latest draft, all parts together; 0 by hand. link is what the reply
    may link to. thread is what stands above the post, oldest first, where it was read.
    """

    id: PostId
    version: int
    place: Place
    post: Post
    channel: Channel
    heard_at: datetime
    is_summoned: bool
    relevance: float | None
    rejection_reason: str | None
    last_error: str | None
    way: Way
    standing: Answerable | Unanswerable
    price_usd: float
    thread: tuple[CaseParent, ...]
    stage_decisions: tuple[StageDecision, ...]
    claims: tuple[CaseClaim, ...]
    evidence: tuple[CaseEvidence, ...]
    drafts: tuple[CaseDraft, ...]
    reviews: tuple[CaseReview, ...]
    publications: tuple[CasePublication, ...]
    handoff: Handoff | None
    link: CaseLink | None = None

    @property
    def draft(self) -> CaseDraft | None:
        """The latest draft, None before there is any."""
        return self.drafts[-1] if self.drafts else None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what, when, from where."""

    id: int
    actor: str
    person: str | None
    action: str
    entity_type: str
    entity_id: int | None
    diff: Mapping[str, Any]
    ip_address: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page of the audit, newest first, and how many rows there are in all."""

    rows: tuple[AuditRow, ...]
    total: int
