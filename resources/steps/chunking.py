"""The first step of a source: cut into chunks, their terms indexed."""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Json

from rejoinder.corpus.chunks import DEFAULT_RULE, CuttingRule, chunk_transcript
from rejoinder.corpus.values import Chunk
from rejoinder.llm.ports import Embedder
from rejoinder.text.terms import TERMS_VERSION, index_terms, stemmer_of
from resources.postgres import Transaction
from resources.steps.sources import StoredSource, hold_source, load_sources, move_source
from resources.steps.twins import let_twins_stand_in
from resources.store.postings import count_postings, index_chunks
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


def queue_overlooked(tx: Transaction, project_id: int) -> None:
    """Let sources be cut that nothing else would bring here: those indexed by an older analysis, twins of what died."""
    let_twins_stand_in(tx, project_id)
    tx.execute("queue_outdated_sources", version=TERMS_VERSION)


def cutting_rule(tuning: Tuning) -> CuttingRule:
    """Where sources are cut as the tuning has it; evaluations and benchmarks cut by it too."""
    return CuttingRule(**tuning.chunking.model_dump())


def save_chunks(tx: Transaction, source_id: int, chunks: Sequence[Chunk], language: str | None) -> list[int]:
    """Make these the source's chunks, their terms indexed; their rows' ids, in order.

    A chunk of known content keeps its row, and with it its vector and its postings, wherever it stands now; where only
    the names of its speakers changed, the row alone. One that is no longer among them is retired. Other writers of
    the project wait from the first posting that is taken out to the end of the transaction: what takes long in here is
    done before.
    """
    rows = _rows_to_match(tx, source_id, chunks)
    places = _match(rows, chunks, language)
    stale = [p for p in places if not p.has_postings]
    terms = [index_terms(p.chunk.indexed_text, stemmer_of(language)) for p in stale]
    postings = count_postings(terms)
    n_terms = {p.chunk.index: len(t) for p, t in zip(stale, terms, strict=True)}
    _clear_places(tx, source_id, rows, places)
    tx.execute("delete_postings", chunk_ids=[p.row_id for p in stale if p.row_id is not None])
    ids = _write_rows(tx, source_id, places, n_terms, language)
    index_chunks(tx, source_id, [ids[p.chunk.index] for p in stale], postings)
    return [ids[chunk.index] for chunk in chunks]


@dataclass(frozen=True, slots=True)
class _Place:
    """A chunk of a new cut and the row that it gets (None: a new one), as that was."""

    chunk: Chunk
    row_id: int | None = None
    is_moved: bool = False
    has_postings: bool = False


def _rows_to_match(tx: Transaction, source_id: int, chunks: Sequence[Chunk]) -> list[dict[str, Any]]:
    """The rows that the chunks may get, in order: current ones, and those that stood in a place with its text."""
    return tx.rows(
        "chunks_to_match",
        source_id=source_id,
        indexes=[c.index for c in chunks],
        hashes=[c.content_hash for c in chunks],
        version=TERMS_VERSION,
    )


def _match(rows: Sequence[Mapping[str, Any]], chunks: Sequence[Chunk], language: str | None) -> list[_Place]:
    """The row that stood in a chunk's place with its text, or else one of its text that has no place any more.

    Of equal texts that moved the n-th gets the row of the n-th.
    """
    standing = {(row["chunk_index"], row["content_hash"]): row for row in rows}
    wanted = {(c.index, c.content_hash) for c in chunks}
    spare = defaultdict[str, deque[Mapping[str, Any]]](deque)
    for key, row in standing.items():
        if key not in wanted:
            spare[row["content_hash"]].append(row)
    return [_place(c, standing, spare[c.content_hash], language) for c in chunks]


def _place(
    chunk: Chunk,
    standing: Mapping[tuple[int, str], Mapping[str, Any]],
    spare: deque[Mapping[str, Any]],
    language: str | None,
) -> _Place:
    stands = standing.get((chunk.index, chunk.content_hash))
    row = stands or (spare.popleft() if spare else None)
    if row is None:
        return _Place(chunk)
    is_same = (row["named_text"], row["language"]) == (chunk.named_text, language)
    return _Place(chunk, row["id"], stands is None, row["has_postings"] and is_same)


def _clear_places(
    tx: Transaction, source_id: int, rows: Sequence[Mapping[str, Any]], places: Sequence[_Place]
) -> None:
    """Move what stands elsewhere now, and retire what is no longer there."""
    moved = [p for p in places if p.is_moved]
    placed = {p.row_id for p in places}
    gone = [row["id"] for row in rows if row["is_current"] and row["id"] not in placed]
    tx.execute("move_chunks", ids=[p.row_id for p in moved], indexes=[p.chunk.index for p in moved])
    tx.execute("retire_chunks", ids=gone)
    tx.execute("settle_moved_chunks", source_id=source_id)


def _write_rows(
    tx: Transaction,
    source_id: int,
    places: Sequence[_Place],
    n_terms: Mapping[int, int],
    language: str | None,
) -> dict[int, int]:
    """Bring the rows up to date and add the new ones; the ids by the chunks' indexes."""
    known = [_row(p, n_terms) for p in places if p.row_id is not None]
    new = [_row(p, n_terms) for p in places if p.row_id is None]
    tx.execute("update_chunks", chunks=Json(known), language=language)
    added = tx.rows("insert_chunks", source_id=source_id, chunks=Json(new), language=language) if new else []
    kept = {p.chunk.index: p.row_id for p in places if p.row_id is not None}
    return kept | {row["chunk_index"]: row["id"] for row in added}


def _row(place: _Place, n_terms: Mapping[int, int]) -> dict[str, Any]:
    """A chunk as the statements read it; the text only of a new one."""
    chunk = place.chunk
    row = {
        "chunk_index": chunk.index,
        "n_tokens": chunk.n_tokens,
        "n_terms": n_terms.get(chunk.index),
        "start_s": chunk.start_s,
        "end_s": chunk.end_s,
        "speakers": chunk.speakers,
        "chapter": chunk.chapter,
        "named_text": chunk.named_text,
    }
    own = (
        {"id": place.row_id}
        if place.row_id is not None
        else {"content_hash": chunk.content_hash, "text": chunk.text}
    )
    return row | own
