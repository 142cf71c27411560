"""The third step of a source: its keywords and its summary."""

from collections.abc import Sequence
from dataclasses import dataclass

from rejoinder.corpus.keywords import KEYWORDS_METHOD, Keyword, extract_keywords
from rejoinder.corpus.summaries import (
    Material,
    Summariser,
    input_hash,
    n_source_sentences,
    summary_candidates,
)
from rejoinder.corpus.values import Transcript
from resources.model_tasks.summaries import MadeSummary, write_summary
from resources.postgres import Transaction
from resources.steps.sources import StoredSource, hold_source, load_sources, move_source
from resources.store.summaries import CitedSentence, cite, save_sentences

Item = tuple[StoredSource, str]


@dataclass(frozen=True, slots=True)
class SourceDigest:
    """What a listener needs to know of a source, and the hash of what it was made from."""

    keywords: list[Keyword]
    sentences: list[CitedSentence]
    input_hash: str
    made: MadeSummary


@dataclass(frozen=True, slots=True)
class Digesting:
    """Keywords and a summary of each source; one that has not changed keeps what it has."""

    summariser: Summariser
    name: str = "keywords"
    table: str = "source"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[Item]:
        """Sources with their cues, and what their digests were made from (empty: there is none)."""
        known = {row["source_id"]: row["input_hash"] for row in tx.rows("digest_hashes", ids=list(ids))}
        return [(source, known.get(source.id, "")) for source in load_sources(tx, ids)]

    def work(self, items: Sequence[Item]) -> list[SourceDigest | None]:
        """One digest per source; None where nothing changed since the last."""
        return [self._digest(source, known) for source, known in items]

    def _digest(self, source: StoredSource, known: str) -> SourceDigest | None:
        transcript = source.transcript
        made_from = input_hash(self._method, _told(transcript))
        if made_from == known:
            return None
        keywords = extract_keywords(transcript)
        candidates = summary_candidates(transcript)
        sources = [source.id] * len(candidates)
        n_sentences = n_source_sentences(transcript)
        material = Material(candidates, sources, keywords, n_sentences, f"source:{source.id}")
        made = write_summary(self.summariser, material)
        sentences = [cite(statement, candidates, sources) for statement in made.statements]
        return SourceDigest(keywords, sentences, made_from, made)

    @property
    def _method(self) -> str:
        return f"{KEYWORDS_METHOD}+{self.summariser.method}"

    def save(self, tx: Transaction, item: Item, result: SourceDigest | None, worker: int) -> str:
        """Replace keywords and summary where they were made anew; its epoch then waits for its own."""
        source, _ = item
        hold_source(tx, source.id, worker)
        if result is not None:
            self._replace(tx, source.id, result)
        move_source(tx, source.id, "ready", worker)
        return "unchanged" if result is None else "digested"

    def _replace(self, tx: Transaction, source_id: int, result: SourceDigest) -> None:
        tx.execute("delete_keywords", source_id=source_id)
        rows = [{"source_id": source_id, "term": k.term, "score": k.score} for k in result.keywords]
        tx.execute_many("insert_keyword", rows)
        summary_id = tx.value(
            "upsert_source_summary",
            source_id=source_id,
            text=" ".join(sentence.text for sentence in result.sentences),
            method=self.summariser.method,
            input_hash=result.input_hash,
            model=result.made.model,
            prompt_version=result.made.prompt_version,
            note=result.made.note,
        )
        save_sentences(tx, summary_id, result.sentences)


def _told(transcript: Transcript) -> list[object]:
    """All of a transcript that its digest depends on."""
    cues = [[cue.text, cue.start_s, cue.end_s, cue.speaker] for cue in transcript.cues]
    return [transcript.language, cues]
