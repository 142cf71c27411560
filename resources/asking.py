"""Asking the corpus: an answer whose every statement is cited to the second, or that the corpus has none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rejoinder.corpus.chunks import locate
from rejoinder.corpus.shaping.citations import Citation, EvidenceLine, Statement, cite
from rejoinder.corpus.shaping.prompt_context import PromptContext, TokenCounts
from rejoinder.corpus.values import Chunk, Cue, Passage
from rejoinder.errors import ConfigInvalid
from rejoinder.llm.ports import Embedder
from rejoinder.research.answer_rules import AnswerRule, not_fitted, probability
from rejoinder.research.answers import Answerer, Reading, best_passages, read_context
from rejoinder.research.model_answers import SynthesisAnswer
from resources.context import ContextBuilder
from resources.model_tasks.answers import WrittenAnswer, write_answer
from resources.model_tasks.asked import ModelTask
from resources.postgres import Database, Transaction
from resources.search import SearchQuery

NEAREST_SHOWN = 3
SOURCES_NAMED = 50


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked and where to look; sources are words of names or titles, times are aware, before excluded."""

    text: str
    sources: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    language: str | None = None
    published_after: datetime | None = None
    published_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cited:
    """Where a statement is from; start_s is its own second, url opens there (None: the source has no address)."""

    id: str
    label: str
    url: str | None
    source_title: str
    speakers: tuple[str, ...]
    start_s: float | None
    end_s: float | None
    chunk_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A statement of the answer with its citations, at least one."""

    text: str
    citations: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What a model made of the evidence in its own words, and with which prompt; model is its URI."""

    statements: tuple[Said, ...]
    model: str
    prompt_version: str


@dataclass(frozen=True, slots=True)
class Searched:
    """What was looked through: sources, and those that cannot be searched yet; tokens of the context."""

    sources: int
    waiting: int
    evidence_lines: int
    tokens: TokenCounts


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer; without statements the corpus has none, and reason says why. nearest then is what came closest.

    statements are quotes; written is what a model wrote of the evidence, None without one.
    """

    question: str
    statements: tuple[Said, ...]
    reason: str
    probability: float
    nearest: tuple[Cited, ...]
    searched: Searched
    notes: tuple[str, ...] = ()
    written: Written | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the corpus holds an answer."""
        return bool(self.statements)


@dataclass(frozen=True, slots=True)
class Asking:
    """Answers questions about one project's corpus; writer is the model that also says it in its own words."""

    db: Database
    embedder: Embedder
    contexts: ContextBuilder
    rule: AnswerRule
    answerer: Answerer
    index_id: int
    project_id: int
    writer: ModelTask[SynthesisAnswer] | None = None

    def ask(self, question: Question) -> Reply:
        """Answer a question.

        Raises:
            ConfigInvalid: the question is empty, no source is called so, or there is nothing to search yet.
        """
        asked = self.query(question)
        text = asked.text
        counts = self._searchable(asked)
        gathered = self.contexts.build(asked)
        context = gathered.context
        if not context.evidence:
            searched = Searched(*counts, 0, context.tokens)
            return Reply(text, (), _why_nothing(question), 0.0, (), searched, self._notes())
        reading = read_context(
            text, context.evidence, embedder=self.embedder, rarity=gathered.rarity, rule=self.rule
        )
        searched = Searched(*counts, len(context.evidence), context.tokens)
        return self._reply(reading, context, searched)

    def _reply(self, reading: Reading, context: PromptContext, searched: Searched) -> Reply:
        likely = probability(reading.signs, self.rule)
        if likely < self.rule.at_least:
            return self._none(reading, context, searched, likely, "Nothing in the corpus answers this.")
        quoted = self.answerer.answer(reading, context)
        given = cite(quoted, [line.citation for line in context.evidence])
        if not given.statements:
            return self._none(reading, context, searched, likely, "No sentence that was found answers this.")
        answer = write_answer(self.writer, context, quoted)
        with self.db.transaction() as tx:
            said = tuple(_said(tx, statement, context.evidence) for statement in given.statements)
            written = _written(tx, answer, context.evidence)
        notes = (*given.notes, *filter(None, [answer.note]), *self._notes())
        return Reply(reading.question, said, "", round(likely, 3), (), searched, notes, written)

    def _none(
        self, reading: Reading, context: PromptContext, searched: Searched, likely: float, reason: str
    ) -> Reply:
        best = best_passages(context.evidence)[:NEAREST_SHOWN]
        nearest = tuple(_cited(_at(line.citation, passage)) for line, passage in best)
        return Reply(reading.question, (), reason, round(likely, 3), nearest, searched, self._notes())

    def _notes(self) -> tuple[str, ...]:
        """What the reader has to know about the judgement."""
        return () if self.rule.is_fitted else (not_fitted(self.embedder.model),)

    def query(self, question: Question) -> SearchQuery:
        """What a search for the question is asked with.

        Raises:
            ConfigInvalid: the question is empty, or no source is called so.
        """
        text = " ".join(question.text.split())
        if not any(map(str.isalnum, text)):
            raise ConfigInvalid("There is no question.", fix="Write what you want to know, in words.")
        with self.db.transaction() as tx:
            source_ids = tuple(i for words in question.sources for i in self._named(tx, words))
        return SearchQuery(
            text,
            self.embedder.embed([text], "query")[0],
            index_id=self.index_id,
            project_id=self.project_id,
            source_ids=source_ids,
            speakers=question.speakers,
            language=question.language,
            published_after=question.published_after,
            published_before=question.published_before,
        )

    def _named(self, tx: Transaction, words: str) -> list[int]:
        rows = tx.rows("find_sources_by_words", project_id=self.project_id, words=words, top=SOURCES_NAMED)
        if not rows:
            raise ConfigInvalid(f"No source is called {words!r}.", fix="Give a part of its name or title.")
        return [row["id"] for row in rows]

    def _searchable(self, asked: SearchQuery) -> tuple[int, int]:
        with self.db.transaction() as tx:
            row = tx.row(
                "count_searched_sources",
                project_id=self.project_id,
                source_ids=list(asked.source_ids) or None,
                published_after=asked.published_after,
                published_before=asked.published_before,
            )
        searched, waiting = (row["searched"], row["waiting"]) if row else (0, 0)
        if not searched and waiting:
            raise ConfigInvalid(
                f"Nothing can be searched yet: {waiting} of the corpus's sources still to be cut and embedded.",
                fix="Run `rejoinder ingest`, or leave it to `rejoinder up`.",
            )
        if not searched:
            raise ConfigInvalid(
                "There is no source to search.",
                fix="Take some in with `rejoinder ingest PATH`, or look for less narrowly.",
            )
        return searched, waiting


def _why_nothing(question: Question) -> str:
    """Why no passage was found at all."""
    if question.speakers or question.language:
        return "No passage has this speaker or language: ask less narrowly."
    return "No passage was found."


def _said(tx: Transaction, statement: Statement, lines: Sequence[EvidenceLine]) -> Said:
    by_id = {line.citation.id: line for line in lines}
    exact = (_to_the_second(tx, statement.text, by_id[c.id]) for c in statement.citations)
    return Said(statement.text, tuple(_cited(citation) for citation in exact))


def _written(tx: Transaction, answer: WrittenAnswer, lines: Sequence[EvidenceLine]) -> Written | None:
    if answer.writer is None:
        return None
    said = tuple(_said(tx, statement, lines) for statement in answer.statements)
    return Written(said, answer.writer.model, answer.writer.prompt_version)


def _to_the_second(tx: Transaction, text: str, line: EvidenceLine) -> Citation:
    """The line's citation at the second of the words themselves where they are its own, else at its start."""
    words = " ".join(text.split())
    for passage in line.passages:
        if words in " ".join(passage.text.split()):
            chunk = Chunk(0, passage.text, "", 0, passage.start_s, passage.end_s, passage.speakers)
            start_s = locate(words, _cues(tx, passage), chunk)
            return replace(_at(line.citation, passage), start_s=start_s)
    return line.citation


def _at(citation: Citation, passage: Passage) -> Citation:
    """The citation narrowed to one passage of its line."""
    return replace(
        citation,
        speakers=passage.speakers,
        start_s=passage.start_s,
        end_s=passage.end_s,
        chunk_ids=(passage.chunk_id,),
        chapter=passage.chapter,
    )


def _cues(tx: Transaction, passage: Passage) -> list[Cue]:
    rows = tx.rows("chunk_cues", ids=[passage.chunk_id])
    return [Cue(row["text"], row["start_s"], row["end_s"], row["speaker"]) for row in rows]


def _cited(citation: Citation) -> Cited:
    return Cited(
        citation.id,
        citation.label,
        citation.url,
        citation.source_title,
        citation.speakers,
        citation.start_s,
        citation.end_s,
        citation.chunk_ids,
    )
