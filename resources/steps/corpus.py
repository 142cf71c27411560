"""Steps of a source: chunk -> embed -> keywords -> ready."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rejoinder.corpus.bm25 import term_weights
from rejoinder.corpus.chunks import chunk_transcript
from rejoinder.corpus.keywords import Keyword, extract_keywords
from rejoinder.corpus.summaries import summarise, summary_candidates
from rejoinder.corpus.values import Chunk, Cue, Transcript
from rejoinder.errors import LeaseLost
from rejoinder.llm.ports import Embedder
from rejoinder.text.terms import index_terms
from resources.postgres import Database, Transaction

DEFAULT_AVERAGE_TERMS = 90.0
# A summary chooses among so many sentences, evenly spread: embedding every sentence of a five-hour recording
# would take longer than all other steps together.
SUMMARY_SENTENCES = 160
# A model call of 16 chunks takes about half a second on two cores.
CHUNKS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class StoredSource:
    """A source with its cues."""

    id: int
    transcript: Transcript


def _move(tx: Transaction, source_id: int, step: str, worker: int) -> None:
    if not tx.execute("advance_source", id=source_id, step=step, worker=worker):
        raise LeaseLost(f"source {source_id} is held by another worker")


def _load_sources(tx: Transaction, ids: Sequence[int]) -> list[StoredSource]:
    rows = {row["id"]: row for row in tx.rows("load_sources", ids=list(ids))}
    return [_source(tx, rows[i]) for i in ids]


def _source(tx: Transaction, row: dict[str, Any]) -> StoredSource:
    cues = tuple(
        Cue(c["text"], c["start_s"], c["end_s"], c["speaker"])
        for c in tx.rows("load_cues", source_id=row["id"])
    )
    return StoredSource(row["id"], Transcript(row["title"], row["format"], cues, row["language"]))


@dataclass(frozen=True, slots=True)
class Chunking:
    """Cuts sources into chunks on sentence boundaries and indexes their terms."""

    embedder: Embedder
    name: str = "chunk"
    table: str = "source"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[StoredSource]:
        """Sources with cues."""
        return _load_sources(tx, ids)

    def work(self, items: Sequence[StoredSource]) -> list[list[Chunk]]:
        """The chunks of each source."""
        return [chunk_transcript(i.transcript, count_tokens=self.embedder.count_tokens) for i in items]

    def save(self, tx: Transaction, item: StoredSource, result: list[Chunk], worker: int) -> str:
        """Upsert by (source, index, content hash): what did not change keeps its row and its vector."""
        average = float(tx.value("average_terms")) or DEFAULT_AVERAGE_TERMS
        tx.execute("retire_chunks", source_id=item.id)
        tx.execute("delete_old_postings", source_id=item.id)
        for chunk in result:
            self._save_chunk(tx, item.id, chunk, average)
        _move(tx, item.id, "embed", worker)
        return "chunked"

    def _save_chunk(self, tx: Transaction, source_id: int, chunk: Chunk, average: float) -> None:
        terms = index_terms(chunk.text)
        chunk_id = tx.value(
            "upsert_chunk",
            source_id=source_id,
            chunk_index=chunk.index,
            content_hash=chunk.content_hash,
            text=chunk.text,
            n_tokens=chunk.n_tokens,
            n_terms=len(terms),
            start_s=chunk.start_s,
            end_s=chunk.end_s,
            speakers=list(chunk.speakers),
        )
        weights = term_weights(terms, avg_terms=average)
        tx.execute_many(
            "insert_posting", [{"term": t, "chunk_id": chunk_id, "weight": w} for t, w in weights.items()]
        )


@dataclass(frozen=True, slots=True)
class Embedding:
    """Embeds the chunks of a source that have no vector in the active index yet.

    Vectors are committed a few at a time as they come: a run that dies in the middle of a long recording
    loses seconds, not the recording.
    """

    db: Database
    embedder: Embedder
    index_id: int
    name: str = "embed"
    table: str = "source"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[tuple[int, list[dict[str, Any]]]]:
        """(source id, chunks to embed)."""
        return [(i, tx.rows("chunks_without_embedding", source_id=i, index_id=self.index_id)) for i in ids]

    def work(self, items: Sequence[tuple[int, list[dict[str, Any]]]]) -> list[int]:
        """Embed and keep the vectors; how many each source got."""
        return [self._embed(chunks) for _, chunks in items]

    def _embed(self, chunks: list[dict[str, Any]]) -> int:
        for start in range(0, len(chunks), CHUNKS_AT_ONCE):
            part = chunks[start : start + CHUNKS_AT_ONCE]
            vectors = self.embedder.embed([c["text"] for c in part])
            rows = [
                {"chunk_id": c["id"], "index_id": self.index_id, "embedding": v}
                for c, v in zip(part, vectors, strict=True)
            ]
            with self.db.transaction() as tx:
                tx.execute_many("insert_chunk_embedding", rows)
        return len(chunks)

    def save(self, tx: Transaction, item: tuple[int, list[dict[str, Any]]], result: int, worker: int) -> str:
        """Move the source on."""
        _move(tx, item[0], "keywords", worker)
        return "embedded"


@dataclass(frozen=True, slots=True)
class SourceDigest:
    """What a listener needs to know of a source."""

    keywords: list[Keyword]
    summary: str


@dataclass(frozen=True, slots=True)
class Digesting:
    """Keywords and an extractive summary of each source."""

    embedder: Embedder
    name: str = "keywords"
    table: str = "source"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[StoredSource]:
        """Sources with their cues."""
        return _load_sources(tx, ids)

    def work(self, items: Sequence[StoredSource]) -> list[SourceDigest]:
        """One digest per source."""
        return [self._digest(item.transcript) for item in items]

    def _digest(self, transcript: Transcript) -> SourceDigest:
        keywords = extract_keywords(transcript)
        candidates = summary_candidates(transcript)
        step = -(-len(candidates) // SUMMARY_SENTENCES) or 1
        candidates = candidates[::step]
        vectors = self.embedder.embed([sentence.text for sentence in candidates])
        chosen = summarise(candidates, vectors, keywords=keywords)
        return SourceDigest(keywords, " ".join(sentence.text for sentence in chosen))

    def save(self, tx: Transaction, item: StoredSource, result: SourceDigest, worker: int) -> str:
        """Replace keywords and summary."""
        tx.execute("delete_keywords", source_id=item.id)
        rows = [{"source_id": item.id, "term": k.term, "score": k.score} for k in result.keywords]
        tx.execute_many("insert_keyword", rows)
        tx.execute("upsert_summary", source_id=item.id, text=result.summary)
        _move(tx, item.id, "ready", worker)
        return "digested"
