"""Steps of triage: embed -> relevance -> claims."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rejoinder.listening.answerable import Answerable, Unanswerable, may_answer
from rejoinder.llm.ports import Embedder, Vectors
from rejoinder.text.emptiness import readable_reason
from rejoinder.triage.classifier import Classifier, predict
from rejoinder.triage.features import feature_matrix, keyword_hits, plain_features
from rejoinder.triage.model_claims import ClaimsAnswer, claims_by_rules
from rejoinder.triage.priority import priority
from rejoinder.triage.relevance import (
    TOP_K,
    Relevance,
    RelevanceDecision,
    Thresholds,
    corpus_similarity,
    decide_relevance,
)
from resources.model_tasks.asked import ModelTask, Troubled
from resources.model_tasks.claims import FoundClaims, find_claims
from resources.postgres import Database, Transaction
from resources.search import nearest
from resources.steps.places import RESEARCH, TRIAGE
from resources.store.answering import load_histories
from resources.store.channels import load_channel
from resources.store.posts import StoredPost, advance, load_posts, postpone, reject, save_stage_decision

NOTHING_TO_ANSWER = "no claim and no question in it"


@dataclass(frozen=True, slots=True)
class PostEmbedding:
    """Embeds posts; what has no words in it is rejected here with its reason."""

    embedder: Embedder
    index_id: int
    name: str = "embed"
    table: str = "post"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[StoredPost]:
        """Posts, without a vector yet."""
        return load_posts(tx, ids, self.index_id)

    def work(self, items: Sequence[StoredPost]) -> list[Vectors | str]:
        """A vector, or the reason why the post can't be answered."""
        reasons = [readable_reason(item.post.text) for item in items]
        texts = [i.post.text for i, reason in zip(items, reasons, strict=True) if reason is None]
        vectors = iter(self.embedder.embed(texts, "query"))
        return [next(vectors) if reason is None else reason for reason in reasons]

    def save(self, tx: Transaction, item: StoredPost, result: Vectors | str, worker: int) -> str:
        """Keep the vector, or reject."""
        if isinstance(result, str):
            save_stage_decision(tx, item.id, self.name, "rejected", result)
            return reject(tx, item.id, TRIAGE, self.name, result, worker)
        tx.execute("save_post_embedding", post_id=item.id, index_id=self.index_id, embedding=result)
        advance(tx, item.id, TRIAGE, worker, step="relevance")
        return "embedded"


@dataclass(frozen=True, slots=True)
class Judged:
    """A post with what the corpus says of it."""

    stored: StoredPost
    similarities: tuple[float, ...]
    earlier: Relevance | None


@dataclass(frozen=True, slots=True)
class RelevanceJudging:
    """Similarity floor, then the champion classifier; a summons is never rejected here.

    A post that was embedded with the model before has no vector in this index: it gets one here.
    """

    db: Database
    embedder: Embedder
    index_id: int
    thresholds: Thresholds
    keywords: tuple[str, ...]
    project_id: int
    classifier: Classifier | None = None
    model_version_id: int | None = None
    name: str = "relevance"
    table: str = "post"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[Judged]:
        """Posts with their three nearest chunks and their earlier decision."""
        earlier = {r["post_id"]: r["verdict"] for r in tx.rows("earlier_relevance", ids=list(ids))}
        return [
            Judged(
                stored,
                nearest_similarities(tx, stored.vector, index_id=self.index_id, project_id=self.project_id),
                earlier.get(stored.id),
            )
            for stored in load_posts(tx, ids, self.index_id)
        ]

    def work(self, items: Sequence[Judged]) -> list[RelevanceDecision]:
        """One decision per post."""
        items = self._in_this_index(items)
        return [
            decide_relevance(
                corpus_similarity(item.similarities),
                probability,
                thresholds=self.thresholds,
                previous=item.earlier,
                summoned=item.stored.is_summoned,
            )
            for item, probability in zip(items, self._probabilities(items), strict=True)
        ]

    def _in_this_index(self, items: Sequence[Judged]) -> list[Judged]:
        """The posts, each with its vector in this index and what is near to it there."""
        lacking = [item for item in items if item.stored.vector is None]
        vectors = self.embedder.embed([item.stored.post.text for item in lacking], "query")
        with self.db.transaction() as tx:
            made = {
                item.stored.id: self._embedded(tx, item, vector)
                for item, vector in zip(lacking, vectors, strict=True)
            }
        return [made.get(item.stored.id, item) for item in items]

    def _embedded(self, tx: Transaction, item: Judged, vector: Vectors) -> Judged:
        tx.execute("save_post_embedding", post_id=item.stored.id, index_id=self.index_id, embedding=vector)
        near = nearest_similarities(tx, vector, index_id=self.index_id, project_id=self.project_id)
        return replace(item, stored=replace(item.stored, vector=vector), similarities=near)

    def _probabilities(self, items: Sequence[Judged]) -> list[float] | list[None]:
        if self.classifier is None:
            return [None] * len(items)
        x = classifier_input(items, self.keywords)
        return [float(p) for p in predict(self.classifier, x)]

    def save(self, tx: Transaction, item: Judged, result: RelevanceDecision, worker: int) -> str:
        """Write the decision down and move on, or reject with its reason."""
        stored = item.stored
        save_stage_decision(
            tx,
            stored.id,
            self.name,
            result.decision,
            result.reason,
            scores={"similarity": result.similarity, "probability": result.probability},
            model_version_id=self.model_version_id,
        )
        relevance = result.similarity if result.probability is None else result.probability
        rank = priority(
            stored.post,
            relevance=relevance,
            heard_at=stored.heard_at,
            now=datetime.now(UTC),
            is_summoned=stored.is_summoned,
        )
        tx.execute("set_relevance", id=stored.id, relevance=relevance, priority=rank)
        if result.decision == "rejected":
            return reject(tx, stored.id, TRIAGE, self.name, result.reason, worker)
        advance(tx, stored.id, TRIAGE, worker, step="claims")
        return result.decision


def nearest_similarities(
    tx: Transaction, vector: Vectors | None, *, index_id: int, project_id: int
) -> tuple[float, ...]:
    """Cosines of a post's vector to the chunks nearest to it, best first; empty without vector or corpus."""
    if vector is None:
        return ()
    return tuple(
        n.similarity for n in nearest(tx, vector, index_id=index_id, project_id=project_id, top=TOP_K)
    )


def classifier_input(items: Sequence[Judged], keywords: Sequence[str]) -> NDArray[np.float32]:
    """What the classifier sees of posts; shape (n_posts, n_features), float32. Items must have vectors."""
    plain = [
        plain_features(
            i.stored.post.text,
            similarities=i.similarities,
            hits=keyword_hits(i.stored.post.text, keywords),
        )
        for i in items
    ]
    vectors = [i.stored.vector for i in items]
    return feature_matrix(plain, np.stack([v for v in vectors if v is not None]))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A post that is worth an answer, and whether its channel's policy lets it have one."""

    stored: StoredPost
    standing: Answerable | Unanswerable


@dataclass(frozen=True, slots=True)
class ClaimFinding:
    """Finds what in a post can be checked or answered: by rules, or with a model where there is a task.

    Who may not be answered is not asked about: the post is rejected with the reason, or waits until it may be.
    """

    index_id: int
    task: ModelTask[ClaimsAnswer] | None = None
    name: str = "claims"
    table: str = "post"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[Candidate]:
        """Posts, each with what the policy says of it now."""
        now = datetime.now(UTC)
        posts = load_posts(tx, ids, self.index_id)
        histories = load_histories(tx, ids, now=now)
        channels = {i: load_channel(tx, i) for i in {post.channel_id for post in posts}}
        return [
            Candidate(
                stored, may_answer(stored.post, channel.policy, channel.account, histories[stored.id], now)
            )
            for stored in posts
            for channel in [channels[stored.channel_id]]
        ]

    def work(self, items: Sequence[Candidate]) -> list[FoundClaims | Troubled | Unanswerable]:
        """The claims of each post, the main one first; or why it may not be answered."""
        return [
            item.standing if isinstance(item.standing, Unanswerable) else self._find(item.stored)
            for item in items
        ]

    def _find(self, item: StoredPost) -> FoundClaims | Troubled:
        found = find_claims(self.task, item.post.text, f"post:{item.id}")
        if isinstance(found, Troubled) or found.claims or not item.is_summoned or found.writer is None:
            return found
        # Whoever calls us by name wants an answer, whatever a model thinks of the words.
        return FoundClaims(
            claims_by_rules(item.post.text), note=f"found by rules: {found.writer.model} saw none"
        )

    def save(
        self, tx: Transaction, item: Candidate, result: FoundClaims | Troubled | Unanswerable, worker: int
    ) -> str:
        """Save the claims of this wording of the post and hand it to research, or reject.

        Raises:
            RejoinderError: why a model gave no answer; the runner tries the post again.
        """
        if isinstance(result, Troubled):
            raise result.error
        if isinstance(result, Unanswerable):
            return self._refuse(tx, item.stored, result, worker)
        return self._save_found(tx, item.stored, result, worker)

    def _refuse(self, tx: Transaction, stored: StoredPost, why: Unanswerable, worker: int) -> str:
        verdict = "rejected" if why.until is None else "waits"
        save_stage_decision(tx, stored.id, "policy", verdict, why.reason, scores={"rule": why.rule})
        if why.until is None:
            return reject(tx, stored.id, TRIAGE, self.name, why.reason, worker)
        return postpone(tx, stored.id, why.until, worker)

    def _save_found(self, tx: Transaction, item: StoredPost, result: FoundClaims, worker: int) -> str:
        if not result.claims:
            reason = "; ".join(filter(None, (NOTHING_TO_ANSWER, result.note)))
            save_stage_decision(tx, item.id, self.name, "rejected", reason, scores=_told_by(result))
            return reject(tx, item.id, TRIAGE, self.name, reason, worker)
        for position, claim in enumerate(result.claims):
            tx.execute(
                "insert_claim",
                post_id=item.id,
                position=position,
                kind=claim.kind,
                text=claim.text,
                check_worthiness=claim.score,
            )
        main = result.claims[0]
        reason = " — ".join(filter(None, (main.text[:300], result.note[:300])))
        scores = {"check_worthiness": main.score, **_told_by(result)}
        save_stage_decision(tx, item.id, self.name, main.kind, reason, scores=scores)
        advance(tx, item.id, RESEARCH, worker)
        return main.kind


def _told_by(found: FoundClaims) -> dict[str, Any]:
    """Which model and prompt, and how much of its answer was dropped; nothing where only rules were asked."""
    told = (
        {} if found.writer is None else {"model": found.writer.model, "prompt": found.writer.prompt_version}
    )
    return told | ({"n_dropped": found.n_dropped} if found.writer or found.n_dropped else {})
