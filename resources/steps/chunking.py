"""The first step of a source: cut into chunks, their terms indexed."""

from collections.abc import Sequence
from dataclasses import dataclass

from rejoinder.corpus.chunks import DEFAULT_RULE, CuttingRule, chunk_transcript
from rejoinder.corpus.values import Chunk
from rejoinder.llm.ports import Embedder
from rejoinder.text.terms import index_terms, stemmer_of
from resources.postgres import Transaction
from resources.search import IndexedChunk, index_chunks
from resources.steps.sources import StoredSource, hold_source, load_sources, move_source
from resources.tuning import Tuning


@dataclass(frozen=True, slots=True)
class Chunking:
    """Cuts sources into chunks by the rule and indexes their terms."""

    embedder: Embedder
    rule: CuttingRule = DEFAULT_RULE
    name: str = "chunk"
    table: str = "source"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[StoredSource]:
        """Sources with cues."""
        return load_sources(tx, ids)

    def work(self, items: Sequence[StoredSource]) -> list[list[Chunk]]:
        """The chunks of each source."""
        count, embed = self.embedder.count_tokens, self.embedder.embed
        return [
            chunk_transcript(i.transcript, count_tokens=count, rule=self.rule, embed=embed) for i in items
        ]

    def save(self, tx: Transaction, item: StoredSource, result: list[Chunk], worker: int) -> str:
        """Keep the chunks and hand the source on."""
        hold_source(tx, item.id, worker)
        save_chunks(tx, item.id, result, item.transcript.language)
        move_source(tx, item.id, "embed", worker)
        return "chunked"


def cutting_rule(tuning: Tuning) -> CuttingRule:
    """Where sources are cut as the tuning has it; evaluations and benchmarks cut by it too."""
    return CuttingRule(**tuning.chunking.model_dump())


def save_chunks(tx: Transaction, source_id: int, chunks: Sequence[Chunk], language: str | None) -> list[int]:
    """Make these the source's chunks, their terms indexed; their rows' ids, in order.

    A chunk of known content keeps its row, and with it its vector, wherever it stands now; where only the names of
    its speakers changed, the row without the vector. One that is no longer among them is retired.
    """
    indexes, hashes = [c.index for c in chunks], [c.content_hash for c in chunks]
    tx.execute("move_chunks", source_id=source_id, indexes=indexes, hashes=hashes)
    tx.execute("retire_chunks", source_id=source_id, indexes=indexes, hashes=hashes)
    tx.execute("settle_moved_chunks", source_id=source_id)
    tx.execute("delete_source_postings", source_id=source_id)
    indexed = [_save_chunk(tx, source_id, chunk, language) for chunk in chunks]
    index_chunks(tx, source_id, indexed)
    return [chunk.chunk_id for chunk in indexed]


def _save_chunk(tx: Transaction, source_id: int, chunk: Chunk, language: str | None) -> IndexedChunk:
    """Keep a chunk; its row's id with its terms."""
    terms = index_terms(chunk.indexed_text, stemmer_of(language))
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
        chapter=chunk.chapter,
        language=language,
        named_text=chunk.named_text,
    )
    return IndexedChunk(int(chunk_id), terms)
