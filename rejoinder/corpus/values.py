"""The corpus's values: cues, transcripts, chunks, passages."""

from dataclasses import dataclass

from rejoinder.ids import ChunkId, SourceId


@dataclass(frozen=True, slots=True)
class Cue:
    """A stretch of speech as the transcript has it.

    start_s and end_s are seconds from the start of the recording; None where the format has no times.
    """

    text: str
    start_s: float | None = None
    end_s: float | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """One parsed transcript; at least one cue with text."""

    title: str
    format: str
    cues: tuple[Cue, ...]
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of whole sentences; (source, index, content_hash) is its identity."""

    index: int
    text: str
    content_hash: str
    n_tokens: int
    start_s: float | None = None
    end_s: float | None = None
    speakers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk found for a query, with the scores that found it.

    dense is a cosine in [-1, 1], lexical a BM25 score >= 0 (None: not found by that leg); score is the fused one.
    """

    chunk_id: ChunkId
    source_id: SourceId
    source_title: str
    source_url: str | None
    text: str
    start_s: float | None
    end_s: float | None
    speakers: tuple[str, ...]
    score: float
    dense: float | None = None
    lexical: float | None = None
