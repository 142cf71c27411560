"""Reviews, the reading side: the queue, one whole case, counts, the audit."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rejoinder.errors import ConfigInvalid, InputUnreadable
from rejoinder.listening.answerable import how_to_publish
from rejoinder.listening.post import Post
from rejoinder.posting.handoff import Handoff, compose
from rejoinder.posting.threads import parts_of, thread_price_usd
from rejoinder.review.moves import Place
from resources.postgres import Transaction
from resources.store.answering import standing_of
from resources.store.channels import Channel, load_channel
from resources.store.links import case_link
from resources.store.posts import post_of
from resources.store.review_values import (
    AuditPage,
    AuditRow,
    CaseCheck,
    CaseClaim,
    CaseDraft,
    CaseEvent,
    CaseEvidence,
    CaseParent,
    CasePart,
    CasePublication,
    CaseQuote,
    CaseReview,
    QueueFilter,
    QueuePage,
    QueueRow,
    ReviewCase,
    StageDecision,
)

WHICH_POSTS = "`rejoinder review list` shows the posts that wait for a decision, with their numbers."


def review_queue(tx: Transaction, wanted: QueueFilter | None = None) -> QueuePage:
    """The posts that the filter names, by default those that wait for a decision, most urgent first."""
    values = asdict(wanted or QueueFilter())
    rows = tx.rows("review_queue", **values)
    return QueuePage(tuple(QueueRow(**row) for row in rows), tx.value("count_review_queue", **values))


def counts_by_place(tx: Transaction) -> dict[Place, int]:
    """How many posts stand at each place; places without any are left out."""
    return {Place(row["stage"], row["status"]): row["n"] for row in tx.rows("count_posts_by_place")}


def audit_page(
    tx: Transaction,
    *,
    entity_type: str | None = None,
    entity_id: int | None = None,
    person: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> AuditPage:
    """What was done, newest first; None means any."""
    values: dict[str, Any] = {"entity_type": entity_type, "entity_id": entity_id, "person": person}
    rows = tx.rows("audit_page", limit=limit, offset=offset, **values)
    return AuditPage(tuple(AuditRow(**row) for row in rows), tx.value("count_audit_events", **values))


def load_case(tx: Transaction, post_id: int) -> ReviewCase:
    """Everything about one post that a person reads before deciding.

    Raises:
        ConfigInvalid: there is no such post.
    """
    row = tx.row("load_case_post", id=post_id)
    if row is None:
        raise ConfigInvalid(f"There is no post {post_id}.", fix=WHICH_POSTS)
    post, channel = post_of(row), load_channel(tx, row["channel_id"])
    publications = _publications(tx, post_id)
    drafts = _drafts(tx, post_id)
    way = how_to_publish(post, channel.policy, channel.account)
    return ReviewCase(
        id=row["id"],
        version=row["version"],
        place=Place(row["stage"], row["status"]),
        post=post,
        channel=channel,
        heard_at=row["heard_at"],
        is_summoned=row["is_summoned"],
        relevance=row["relevance"],
        rejection_reason=row["rejection_reason"],
        last_error=row["last_error"],
        way=way,
        standing=standing_of(tx, post_id, post, channel, now=datetime.now(UTC)),
        price_usd=_price_usd(channel, drafts, is_summoned=row["is_summoned"]) if way == "api" else 0.0,
        thread=tuple(CaseParent(**r) for r in tx.rows("case_thread", post_id=post_id)),
        stage_decisions=tuple(StageDecision(**r) for r in tx.rows("case_stage_decisions", post_id=post_id)),
        claims=tuple(CaseClaim(**r) for r in tx.rows("case_claims", post_id=post_id)),
        evidence=tuple(CaseEvidence(**r) for r in tx.rows("case_evidence", post_id=post_id)),
        drafts=drafts,
        reviews=tuple(CaseReview(**r) for r in tx.rows("case_reviews", post_id=post_id)),
        publications=publications,
        handoff=_handoff(post, publications),
        link=case_link(tx, post_id, channel.policy, way=way, is_summoned=row["is_summoned"]),
    )


def _price_usd(channel: Channel, drafts: Sequence[CaseDraft], *, is_summoned: bool) -> float:
    texts = parts_of(drafts[-1].text, channel.platform) if drafts else ("",)
    return thread_price_usd(channel.policy, texts, is_summoned=is_summoned)


def _drafts(tx: Transaction, post_id: int) -> tuple[CaseDraft, ...]:
    quotes = _grouped(tx.rows("case_quotes", post_id=post_id), "draft_id")
    checks = _grouped(tx.rows("case_draft_checks", post_id=post_id), "draft_id")
    return tuple(
        CaseDraft(
            **row,
            quotes=tuple(CaseQuote(**quote) for quote in quotes[row["id"]]),
            checks=tuple(CaseCheck(**check) for check in checks[row["id"]]),
        )
        for row in tx.rows("case_drafts", post_id=post_id)
    )


def _publications(tx: Transaction, post_id: int) -> tuple[CasePublication, ...]:
    parts = _grouped(tx.rows("case_publication_parts", post_id=post_id), "publication_id")
    events = _grouped(tx.rows("case_publication_events", post_id=post_id), "publication_id")
    return tuple(
        CasePublication(
            **row,
            parts=tuple(CasePart(**part) for part in parts[row["id"]]),
            events=tuple(CaseEvent(**event) for event in events[row["id"]]),
        )
        for row in tx.rows("case_publications", post_id=post_id)
    )


def _handoff(post: Post, publications: Iterable[CasePublication]) -> Handoff | None:
    waiting = [p for p in publications if p.state == "handoff" and p.parts]
    if not waiting:
        return None
    left = [part for part in waiting[-1].parts if part.state != "sent"]
    stands = [part.platform_id for part in waiting[-1].parts if part.state == "sent"]
    text, rest = left[0].text, tuple(part.text for part in left[1:])
    try:
        return compose(post, text, rest=rest, answers=stands[-1] if stands else None)
    except InputUnreadable:
        # No page can be named, but the person still needs the words; the post's own address may help.
        return Handoff(post.url or "", text, is_prefilled=False, rest=rest)


def _grouped(rows: Iterable[dict[str, Any]], key: str) -> defaultdict[int, list[dict[str, Any]]]:
    """The rows by their key, without it."""
    groups: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append({name: value for name, value in row.items() if name != key})
    return groups
