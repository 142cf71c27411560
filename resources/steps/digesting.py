"""The third step of a source: its keywords and its summary."""

from collections.abc import Sequence
from dataclasses import dataclass

from rejoinder.corpus.keywords import Keyword, extract_keywords
from rejoinder.corpus.summaries import summarise, summary_candidates
from rejoinder.corpus.values import Transcript
from rejoinder.llm.ports import Embedder
from resources.postgres import Transaction
from resources.steps.sources import StoredSource, load_sources, move_source

# A summary chooses among so many sentences, evenly spread: embedding every sentence of a five-hour recording
# would take longer than all other steps together.
SUMMARY_SENTENCES = 160


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
        return load_sources(tx, ids)

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
        move_source(tx, item.id, "ready", worker)
        return "digested"
