"""The context of a question: passages found, shaped into a budget, with the summaries of their sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rejoinder.corpus.retrieval.ports import Reranker
from rejoinder.corpus.shaping.budget import ContextBudget, CountTokens
from rejoinder.corpus.shaping.citations import EvidenceLine
from rejoinder.corpus.shaping.near_duplicates import DuplicateRule
from rejoinder.corpus.shaping.prompt_context import (
    Found,
    PromptContext,
    ShapingRule,
    Summary,
    assemble,
    shape_evidence,
)
from rejoinder.corpus.shaping.selection import Quotas
from rejoinder.corpus.values import Passage
from rejoinder.llm.ports import Vectors
from resources.postgres import Database, Transaction
from resources.queries import vectors_of
from resources.retrieval import Retriever
from resources.search import SearchQuery
from resources.tuning import Tuning


@dataclass(frozen=True, slots=True)
class ContextBuilder:
    """Builds contexts of what the retriever finds.

    count_tokens is the tokenizer of the model that the context is for.
    """

    db: Database
    retriever: Retriever
    rule: ShapingRule
    count_tokens: CountTokens

    def build(self, asked: SearchQuery) -> "Gathered":
        """Search, shape, and add the summaries of the sources that the evidence is from, most evidence first."""
        retrieved = self.retriever.find(asked)
        passages = retrieved.passages
        with self.db.transaction() as tx:
            found = Found(passages, passage_vectors(tx, passages, asked.index_id))
        evidence = shape_evidence(found, rule=self.rule, count_tokens=self.count_tokens)
        with self.db.transaction() as tx:
            summaries = _summaries(tx, evidence)
        context = assemble(
            asked.text, evidence, summaries, budget=self.rule.budget, count_tokens=self.count_tokens
        )
        return Gathered(context, retrieved.rarity)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A context, and how rare the question's terms are in the corpus, in (0, 1]."""

    context: PromptContext
    rarity: Mapping[str, float]


def context_builder(
    db: Database, tuning: Tuning, count_tokens: CountTokens, reranker: Reranker | None = None
) -> ContextBuilder:
    """Builds contexts as the tuning has it: of as many passages as the pool holds; each leg brings that many."""
    t = tuning.context
    rule = ShapingRule(
        ContextBudget(t.total_tokens, t.evidence_tokens, t.summary_tokens, t.question_tokens),
        DuplicateRule(t.duplicate_words, t.duplicate_cosine),
        Quotas(t.source_share, t.segment_share),
        t.relevance_weight,
        source_weight=t.source_weight,
    )
    wide = tuning.retrieval.model_copy(update={"candidates": t.pool, "passages": t.pool})
    return ContextBuilder(db, Retriever(db, wide, reranker), rule, count_tokens)


def passage_vectors(tx: Transaction, passages: Sequence[Passage], index_id: int) -> Vectors:
    """The passages' stored vectors, scaled to unit length again; shape (len(passages), dim), float32.

    A passage without one, which a change of model can leave for a moment, has zeros: like nothing else.
    """
    ids = [passage.chunk_id for passage in passages]
    rows = tx.rows("vectors_of_chunks", vectors=vectors_of(index_id), ids=ids)
    known = {row["chunk_id"]: row["embedding"].to_numpy() for row in rows}
    dim = next((len(vector) for vector in known.values()), 1)
    stacked = [known.get(chunk_id, np.zeros(dim, dtype=np.float32)) for chunk_id in ids]
    vectors = np.stack(stacked) if stacked else np.zeros((0, dim), dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = vectors / np.maximum(lengths, 1e-6)
    return unit


def _summaries(tx: Transaction, evidence: Sequence[EvidenceLine]) -> list[Summary]:
    characters: dict[int, int] = {}
    for line in evidence:
        source_id = line.citation.source_id
        characters[source_id] = characters.get(source_id, 0) + len(line.text)
    rows = {row["source_id"]: row for row in tx.rows("summaries_of_sources", source_ids=list(characters))}
    by_share = sorted(characters, key=lambda source_id: -characters[source_id])
    return [Summary(rows[i]["title"], rows[i]["text"], rows[i]["source_id"]) for i in by_share if i in rows]
