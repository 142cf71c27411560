"""Summaries: rows to values and back."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rejoinder.corpus.speech import Sentence
from rejoinder.corpus.summaries import Statement
from resources.postgres import Transaction


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """A statement of a summary with where it was said; seconds are None where the source has none."""

    text: str
    source_id: int
    start_s: float | None
    end_s: float | None
    speaker: str | None


def cite(statement: Statement, candidates: Sequence[Sentence], sources: Sequence[int]) -> CitedSentence:
    """The statement with the source and the seconds of the candidate that it was made from."""
    said = candidates[statement.origin]
    return CitedSentence(statement.text, sources[statement.origin], said.start_s, said.end_s, said.speaker)


def save_sentences(tx: Transaction, summary_id: int, sentences: Sequence[CitedSentence]) -> None:
    """Replace the statements of a summary."""
    tx.execute("delete_summary_sentences", summary_id=summary_id)
    rows = [
        {"summary_id": summary_id, "position": position, **asdict(sentence)}
        for position, sentence in enumerate(sentences)
    ]
    tx.execute_many("insert_summary_sentence", rows)
