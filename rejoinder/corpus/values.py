"""The corpus's values: cues, transcripts, chunks, passages."""

from dataclasses import dataclass
from datetime import datetime

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
class Chapter:
    """A titled stretch of a source, from its start to the next chapter's.

    A recording's chapter starts at a second, a document's at one of its cues; at least one of both is known.
    """

    title: str
    start_s: float | None = None
    first_cue: int | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """One parsed source, spoken or written; at least one cue with text.

    language is an ISO 639-1 code, published_at an aware UTC time; a document's cues are its paragraphs and
    have no seconds. notes say what was cleaned, a sentence each, for the operator.
    """

    title: str
    format: str
    cues: tuple[Cue, ...]
    language: str | None = None
    chapters: tuple[Chapter, ...] = ()
    url: str | None = None
    published_at: datetime | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of whole sentences; (source, index, content_hash) is its identity.

    content_hash and n_tokens are those of text, which is quoted and shown. named_text is text with speakers' names
    where it has any, and None where it doesn't: it is only embedded and indexed.
    """

    index: int
    text: str
    content_hash: str
    n_tokens: int
    start_s: float | None = None
    end_s: float | None = None
    speakers: tuple[str, ...] = ()
    chapter: str | None = None
    named_text: str | None = None

    @property
    def indexed_text(self) -> str:
        """What is embedded, and whose words are indexed."""
        return self.named_text or self.text


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk found for a query, with the scores that found it.

    dense is a cosine in [-1, 1], lexical a BM25 score >= 0 (None: not found by that leg); score is the fused one.
    The ranks count from 1: by each leg's score among the candidates of both, and by the fused one; None: not known,
    or, by words, that no word is shared.
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
    chunk_index: int | None = None
    n_tokens: int | None = None
    chapter: str | None = None
    language: str | None = None
    published_at: datetime | None = None
    dense_rank: int | None = None
    lexical_rank: int | None = None
    fused_rank: int | None = None
    named_text: str | None = None

    @property
    def indexed_text(self) -> str:
        """What was embedded and whose words were indexed: the text with its speakers' names, where it has any."""
        return self.named_text or self.text
