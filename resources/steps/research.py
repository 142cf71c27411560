"""The step of research: hybrid retrieval for each claim, then the sentences that bear on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rejoinder.corpus.chunks import locate
from rejoinder.corpus.values import Chunk, Cue, Passage
from rejoinder.ids import ClaimId, PostId
from rejoinder.llm.ports import Embedder, Vectors
from rejoinder.research.evidence import Evidence, EvidenceRule, NoEvidence, find_evidence
from resources.postgres import Database, Transaction
from resources.search import SearchQuery, rarity, search
from resources.steps.places import RESEARCH, RESPONSE
from resources.store.posts import advance, reject, save_stage_decision
from resources.tuning import Retrieval


@dataclass(frozen=True, slots=True)
class OpenClaim:
    """A claim of a post, to be researched."""

    post_id: PostId
    claim_id: ClaimId
    text: str


@dataclass(frozen=True, slots=True)
class EvidenceFinding:
    """Retrieves passages and keeps the sentences that bear on the claim; none is a reason to reject."""

    db: Database
    embedder: Embedder
    retrieval: Retrieval
    rule: EvidenceRule
    index_id: int
    project_id: int
    name: str = "evidence"
    table: str = "post"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[OpenClaim]:
        """The first claim of each post."""
        rows = {r["post_id"]: r for r in reversed(tx.rows("load_claims", post_ids=list(ids)))}
        return [OpenClaim(PostId(i), rows[i]["id"], rows[i]["text"]) for i in ids]

    def work(self, items: Sequence[OpenClaim]) -> list[tuple[Evidence, ...] | NoEvidence]:
        """Evidence per claim; one model call for all claims, then one per claim's new sentences."""
        vectors = self.embedder.embed([item.text for item in items], "query")
        return [self._research(item, vector) for item, vector in zip(items, vectors, strict=True)]

    def _research(self, item: OpenClaim, vector: Vectors) -> tuple[Evidence, ...] | NoEvidence:
        asked = SearchQuery(item.text, vector, index_id=self.index_id, project_id=self.project_id)
        with self.db.transaction() as tx:
            passages = search(tx, asked, self.retrieval)
            rare = rarity(tx, item.text, project_id=self.project_id)
        found = find_evidence(item.text, passages, embedder=self.embedder, rule=self.rule, rarity=rare)
        if isinstance(found, NoEvidence):
            return found
        texts = {p.chunk_id: p for p in passages}
        with self.db.transaction() as tx:
            return tuple(_to_the_second(tx, evidence, texts[evidence.chunk_id]) for evidence in found)

    def save(
        self, tx: Transaction, item: OpenClaim, result: tuple[Evidence, ...] | NoEvidence, worker: int
    ) -> str:
        """Save the evidence and hand the post on, or reject it with the reason."""
        if isinstance(result, NoEvidence):
            save_stage_decision(tx, item.post_id, self.name, "rejected", result.reason)
            return reject(tx, item.post_id, RESEARCH, self.name, result.reason, worker)
        for evidence in result:
            _insert_evidence(tx, item, evidence)
        best = max(e.support for e in result)
        reason = f"{len(result)} sentences of the corpus bear on it"
        save_stage_decision(tx, item.post_id, self.name, "found", reason, scores={"support": best})
        advance(tx, item.post_id, RESPONSE, worker)
        return "found"


def _to_the_second(tx: Transaction, evidence: Evidence, passage: Passage) -> Evidence:
    """The evidence with the second at which its first word is said, read off the cues themselves."""
    cues = [
        Cue(r["text"], r["start_s"], r["end_s"], r["speaker"])
        for r in tx.rows("chunk_cues", ids=[passage.chunk_id])
    ]
    chunk = Chunk(0, passage.text, "", 0, passage.start_s, passage.end_s, passage.speakers)
    return replace(evidence, start_s=locate(evidence.quote, cues, chunk))


def _insert_evidence(tx: Transaction, item: OpenClaim, evidence: Evidence) -> None:
    tx.execute(
        "insert_evidence",
        post_id=item.post_id,
        claim_id=item.claim_id,
        chunk_id=evidence.chunk_id,
        quote=evidence.quote,
        start_s=evidence.start_s,
        speaker=evidence.speaker,
        score=evidence.support,
        verdict=evidence.verdict,
    )
