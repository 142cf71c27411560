"""Searching the corpus's index: finding passages by meaning and by word.

What belongs here: what a search is asked with, and rows <-> values of the statements in sql/queries/search.sql.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rejoinder.corpus.bm25 import K1, B, idf
from rejoinder.corpus.values import Passage
from rejoinder.ids import ChunkId
from rejoinder.llm.ports import Vectors
from rejoinder.text.terms import query_terms
from resources.postgres import Transaction
from resources.queries import query, vectors_of
from resources.tuning import Retrieval

# How many of the chunks that the rare terms find are weighed with the common terms too, per candidate asked for;
# and how many terms of a long text are looked for, the rarest. Figures: docs/adr/0011-bounded-bm25.md.
LED_PER_CANDIDATE = 4
MAX_TERMS = 48
# Filters that leave at most so many chunks are narrow. Figures: docs/retrieval.md, "Measured".
NARROW = 20_000


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What is looked for, and where.

    text and vector (unit length, of the model of index_id) say the same. The rest narrows the search: sources,
    who speaks, the chunks' language (ISO 639-1), when the source was published (aware times, before excluded).
    """

    text: str
    vector: Vectors
    index_id: int
    project_id: int
    source_ids: tuple[int, ...] = ()
    speakers: tuple[str, ...] = ()
    language: str | None = None
    published_after: datetime | None = None
    published_before: datetime | None = None

    @property
    def filters(self) -> dict[str, object]:
        """What narrows the search, as the statements have it; None where it does not."""
        return {
            "source_ids": list(self.source_ids) or None,
            "speakers": list(self.speakers) or None,
            "language": self.language,
            "published_after": self.published_after,
            "published_before": self.published_before,
        }


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A chunk and its cosine to a vector, in [-1, 1]."""

    chunk_id: ChunkId
    similarity: float


def search(tx: Transaction, asked: SearchQuery, retrieval: Retrieval) -> list[Passage]:
    """Passages for a query, best first: both legs and their fusion in one statement.

    A query without terms (stop words, emoji) is answered by meaning alone; an empty corpus with an empty list.
    """
    values = {
        "vector": asked.vector,
        "terms": _terms(tx, asked.text, asked.project_id, asked.language),
        "project_id": asked.project_id,
        **asked.filters,
        **_breadth(tx, asked),
        "candidates": retrieval.candidates,
        "max_postings": retrieval.max_postings,
        "max_terms": MAX_TERMS,
        "led": LED_PER_CANDIDATE * retrieval.candidates,
        "k1": K1,
        "b": B,
        "dense_weight": retrieval.dense_weight,
        "top": retrieval.passages,
    }
    # Planned with the values at hand each time: a plan for any values cannot leave out the filters that are not
    # set, nor tell a rare filter (best by its btree) from a common one (best by walking the graph).
    statement = query("search_passages", vectors=vectors_of(asked.index_id))
    rows = tx.connection.execute(statement, values, prepare=False).fetchall()
    return [Passage(**{**row, "speakers": tuple(row["speakers"])}) for row in rows]


def nearest(tx: Transaction, vector: Vectors, *, index_id: int, project_id: int, top: int) -> list[Neighbour]:
    """The chunks of a project nearest to a vector, best first."""
    rows = tx.rows(
        "nearest_chunks", vectors=vectors_of(index_id), vector=vector, project_id=project_id, top=top
    )
    found = [Neighbour(ChunkId(row["chunk_id"]), row["similarity"]) for row in rows]
    return sorted(found, key=lambda n: -n.similarity)


def rarity(
    tx: Transaction, text: str, *, project_id: int, language: str | None = None
) -> Mapping[str, float]:
    """How rare the text's terms are in a project's corpus, in [0, 1]; terms that it does not have are left out."""
    terms = _terms(tx, text, project_id, language)
    rows = tx.rows("term_counts", project_id=project_id, terms=terms)
    return {r["term"]: idf(r["n_chunks"], r["n"]) / idf(r["n_chunks"], 0) for r in rows}


def _breadth(tx: Transaction, asked: SearchQuery) -> dict[str, bool]:
    """Whether there are filters that leave few chunks, or many."""
    if not any(asked.filters.values()):
        return {"is_narrow": False, "is_wide": False}
    values = {"project_id": asked.project_id, **asked.filters, "narrow": NARROW}
    statement = query("is_narrow", vectors=vectors_of(asked.index_id))
    row = tx.connection.execute(statement, values, prepare=False).fetchone()
    is_narrow = row is not None and bool(row["is_narrow"])
    return {"is_narrow": is_narrow, "is_wide": not is_narrow}


def _terms(tx: Transaction, text: str, project_id: int, language: str | None) -> list[str]:
    """The query's terms in its own language; where that is not said, in every language of the corpus."""
    if language is not None:
        return query_terms(text, [language])
    spoken = [row["language"] for row in tx.rows("corpus_languages", project_id=project_id)]
    return query_terms(text, spoken or [None])
