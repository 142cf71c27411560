"""The step of research: hybrid retrieval for each claim, then the sentences that bear on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rejoinder.corpus.chunks import locate
from rejoinder.corpus.values import Chunk, Cue, Passage
from rejoinder.ids import ClaimId, PostId
from rejoinder.llm.ports import Embedder, Vectors
from rejoinder.research.evidence import Evidence, EvidenceRule, NoEvidence, find_evidence
from rejoinder.research.model_verdicts import VerdictAnswer
from resources.model_tasks.asked import ModelTask, Troubled
from resources.model_tasks.verdicts import JudgedEvidence, judge
from resources.postgres import Database, Transaction
from resources.retrieval import Retriever
from resources.search import SearchQuery
from resources.steps.places import RESEARCH, RESPONSE
from resources.store.posts import advance, reject, save_stage_decision


@dataclass(frozen=True, slots=True)
class OpenClaim:
    """A claim of a post, to be researched."""

    post_id: PostId
    claim_id: ClaimId
    text: str


@dataclass(frozen=True, slots=True)
class PlacedEvidence:
    """Evidence with the passage that it is from and that passage's place, from 1, in what research read."""

    evidence: Evidence
    passage: Passage
    final_rank: int


@dataclass(frozen=True, slots=True)
class Researched:
    """What was found on a claim, at least one piece, and who judged it."""

    placed: tuple[PlacedEvidence, ...]
    judged: JudgedEvidence


@dataclass(frozen=True, slots=True)
class EvidenceFinding:
    """Retrieves passages and keeps the sentences that bear on the claim; none is a reason to reject.

    task is the model that judges what was found; without it rules do.
    """

    db: Database
    embedder: Embedder
    retriever: Retriever
    rule: EvidenceRule
    index_id: int
    project_id: int
    task: ModelTask[VerdictAnswer] | None = None
    name: str = "evidence"
    table: str = "post"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[OpenClaim]:
        """The first claim of each post."""
        rows = {r["post_id"]: r for r in reversed(tx.rows("load_claims", post_ids=list(ids)))}
        return [OpenClaim(PostId(i), rows[i]["id"], rows[i]["text"]) for i in ids]

    def work(self, items: Sequence[OpenClaim]) -> list[Researched | NoEvidence | Troubled]:
        """Evidence per claim; one model call for all claims, then one per claim's new sentences."""
        vectors = self.embedder.embed([item.text for item in items], "query")
        return [self._research(item, vector) for item, vector in zip(items, vectors, strict=True)]

    def _research(self, item: OpenClaim, vector: Vectors) -> Researched | NoEvidence | Troubled:
        asked = SearchQuery(item.text, vector, index_id=self.index_id, project_id=self.project_id)
        read = self.retriever.find(asked)
        found = find_evidence(
            item.text, read.passages, embedder=self.embedder, rule=self.rule, rarity=read.rarity
        )
        if isinstance(found, NoEvidence):
            return found
        places = {passage.chunk_id: rank for rank, passage in enumerate(read.passages, 1)}
        judged = judge(self.task, item.text, found, f"post:{item.post_id}")
        if isinstance(judged, Troubled):
            return judged
        with self.db.transaction() as tx:
            placed = tuple(_placed(tx, one, read.passages, places[one.chunk_id]) for one in judged.evidence)
        return Researched(placed, judged)

    def save(
        self, tx: Transaction, item: OpenClaim, result: Researched | NoEvidence | Troubled, worker: int
    ) -> str:
        """Save the evidence and hand the post on, or reject it with the reason.

        Raises:
            RejoinderError: why a model gave no verdicts; the runner tries the post again.
        """
        if isinstance(result, Troubled):
            raise result.error
        if isinstance(result, NoEvidence):
            save_stage_decision(tx, item.post_id, self.name, "rejected", result.reason)
            return reject(tx, item.post_id, RESEARCH, self.name, result.reason, worker)
        for placed in result.placed:
            _insert_evidence(tx, item, placed)
        best = max(placed.evidence.support for placed in result.placed)
        n_placed = len(result.placed)
        bear = "sentence of the corpus bears" if n_placed == 1 else "sentences of the corpus bear"
        told = f"{n_placed} {bear} on it"
        reason = "; ".join(filter(None, (told, result.judged.note[:300])))
        scores = {"support": best, **_told_by(result.judged)}
        save_stage_decision(tx, item.post_id, self.name, "found", reason, scores=scores)
        advance(tx, item.post_id, RESPONSE, worker)
        return "found"


def _told_by(judged: JudgedEvidence) -> dict[str, Any]:
    """Which model and prompt gave the verdicts; nothing where rules did."""
    if judged.writer is None:
        return {}
    return {
        "model": judged.writer.model,
        "prompt": judged.writer.prompt_version,
        "n_dropped": judged.n_dropped,
    }


def _placed(tx: Transaction, evidence: Evidence, passages: Sequence[Passage], rank: int) -> PlacedEvidence:
    passage = passages[rank - 1]
    return PlacedEvidence(_to_the_second(tx, evidence, passage), passage, rank)


def _to_the_second(tx: Transaction, evidence: Evidence, passage: Passage) -> Evidence:
    """The evidence with the second at which its first word is said, read off the cues themselves."""
    cues = [
        Cue(r["text"], r["start_s"], r["end_s"], r["speaker"])
        for r in tx.rows("chunk_cues", ids=[passage.chunk_id])
    ]
    chunk = Chunk(0, passage.text, "", 0, passage.start_s, passage.end_s, passage.speakers)
    return replace(evidence, start_s=locate(evidence.quote, cues, chunk))


def _insert_evidence(tx: Transaction, item: OpenClaim, placed: PlacedEvidence) -> None:
    evidence, passage = placed.evidence, placed.passage
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
        dense_rank=passage.dense_rank,
        lexical_rank=passage.lexical_rank,
        fused_rank=passage.fused_rank,
        final_rank=placed.final_rank,
    )
