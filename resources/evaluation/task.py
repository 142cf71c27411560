"""What every system of an evaluation is asked: passages, questions, and how a ranking is judged.

What belongs here: the values that loaders make and systems read, so that each system sees the same texts and
each ranking is judged by the same function.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rejoinder.corpus.chunks import DEFAULT_RULE, CuttingRule, chunk_transcript, content_hash
from rejoinder.corpus.retrieval.metrics import ndcg, recall, reciprocal_rank
from rejoinder.corpus.values import Chunk
from rejoinder.llm.ports import Vectors
from resources.evaluation.beir import Benchmark, Document
from resources.evaluation.meetings import Meetings, span_recall, turn_recall, turn_share, turns_of

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Source:
    """One document or recording, cut into the chunks that are searched; key is unique in the task."""

    key: str
    title: str
    language: str | None
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question; within names the only source to look in, None is all of them."""

    key: str
    text: str
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """Sources, questions, and the figures of a ranking.

    A passage's key is its source's key and chunk index (see `passage_key`). judge takes a question's key and a
    ranking of passage keys, best first, and gives figures by name, higher is better; headline is the one that
    systems are compared by. notes are about input that was left out.
    """

    name: str
    split: str
    sources: tuple[Source, ...]
    questions: tuple[Asked, ...]
    judge: Callable[[str, Sequence[str]], Figures]
    gains: Callable[[str, str], float]
    headline: str
    notes: tuple[str, ...] = ()

    @property
    def passages(self) -> dict[str, str]:
        """What is indexed of every passage, by its key, in order."""
        return {passage_key(s.key, c.index): c.indexed_text for s in self.sources for c in s.chunks}


def passage_key(source: str, chunk_index: int | None) -> str:
    """How a passage is named across systems.

    >>> passage_key("m3", 7)
    'm3#7'
    """
    return f"{source}#{chunk_index}"


def document_task(benchmark: Benchmark, *, count_tokens: Callable[[str], int]) -> Task:
    """A BEIR benchmark as a task: one passage per document, its title and text."""

    def judge(question: str, ranking: Sequence[str]) -> Figures:
        gains = {passage_key(d, 0): gain for d, gain in benchmark.judgements[question].items()}
        return {
            "ndcg@10": ndcg(ranking, gains, k=10),
            "recall@10": recall(ranking, gains, k=10),
            "recall@100": recall(ranking, gains, k=100),
            "mrr": reciprocal_rank(ranking, gains),
        }

    return Task(
        name=benchmark.name,
        split=benchmark.split,
        sources=tuple(_source(document, count_tokens) for document in benchmark.documents),
        questions=tuple(Asked(key, text) for key, text in benchmark.queries.items()),
        judge=judge,
        gains=lambda question, passage: benchmark.judgements[question].get(passage.removesuffix("#0"), 0.0),
        headline="ndcg@10",
        notes=benchmark.notes,
    )


def _source(document: Document, count_tokens: Callable[[str], int]) -> Source:
    text = document.passage
    chunk = Chunk(0, text, content_hash(text), count_tokens(text))
    return Source(document.id, document.title, "en", (chunk,))


def meeting_task(
    meetings: Meetings,
    *,
    split: str,
    count_tokens: Callable[[str], int],
    within_meeting: bool = True,
    rule: CuttingRule = DEFAULT_RULE,
    embed: Callable[[Sequence[str]], Vectors] | None = None,
) -> Task:
    """Meetings as a task: chunks as the product cuts them, judged by the gold turns that the first ten cover.

    Args:
        meetings: as loaded.
        count_tokens: the embedding model's count.
        split: which part of the meetings these are.
        within_meeting: look in the meeting that a question is about; otherwise in all of them, although many
            questions ("What was said about the cost?") have answers in several.
        rule: where the meetings are cut.
        embed: vectors of texts, where the rule asks for them.
    """
    cut = partial(chunk_transcript, count_tokens=count_tokens, rule=rule, embed=embed)
    sources = tuple(Source(k, t.title, t.language, tuple(cut(t))) for k, t in meetings.transcripts.items())
    turns = {passage_key(s.key, c.index): (s.key, turns_of(c)) for s in sources for c in s.chunks}
    questions = {question.id: question for question in meetings.questions}

    def judge(question: str, ranking: Sequence[str]) -> Figures:
        found = [turns[key] for key in ranking[:10]]
        return {
            "turn_recall@10": turn_recall(questions[question], found),
            "span_recall@10": span_recall(questions[question], found),
        }

    def gain(question: str, passage: str) -> float:
        return turn_share(questions[question], *turns[passage])

    return Task(
        name="qmsum" if within_meeting else "qmsum-everywhere",
        split=split,
        sources=sources,
        questions=tuple(
            Asked(q.id, q.text, q.meeting if within_meeting else None) for q in meetings.questions
        ),
        judge=judge,
        gains=gain,
        headline="turn_recall@10",
        notes=meetings.notes,
    )
