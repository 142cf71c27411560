"""Answers that a model writes: what it is shown, what it may answer, and what is taken from its answer.

What belongs here: values and plain functions around the prompt ``synthesis``; asking a model belongs in program.py.
Every sentence of an answer must cite evidence lines that were given; what it quotes must stand there word for word, and
it may name no figure and no name that they do not have.
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from rejoinder.corpus.shaping.citations import EvidenceLine, Statement, cite, header, without_ids
from rejoinder.corpus.shaping.prompt_context import PromptContext
from rejoinder.text.grounding import term_share, ungrounded

MAX_SENTENCES = 5
# Longest parts of an answer, so that a model cannot run on.
_MAX_TEXT, _MAX_TOLD, _MAX_CITED = 600, 8, 6
# Of a sentence that speaks of what it cites at least so many of the terms stand there, or in the question.
LEAST_SHARED = 1 / 3


class ToldSentence(BaseModel):
    """A sentence of an answer with the ids of the evidence lines that it rests on, such as E2."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    evidence: list[Annotated[str, Field(max_length=8)]] = Field(max_length=_MAX_CITED)
    text: str = Field(min_length=1, max_length=_MAX_TEXT)


class SynthesisAnswer(BaseModel):
    """What the prompt ``synthesis`` asks for; empty where the evidence does not answer the question."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sentences: list[ToldSentence] = Field(max_length=_MAX_TOLD)


class Written(NamedTuple):
    """The sentences that may be shown, each with what it rests on, and why each of the others may not."""

    statements: tuple[Statement, ...]
    dropped: tuple[str, ...]


def synthesis_values(context: PromptContext) -> dict[str, str]:
    """The variables of the prompt ``synthesis``; question, evidence and summaries stand in ``material`` only."""
    parts = [f"The question: {' '.join(context.question.split())}", f"The evidence:\n{context.evidence_text}"]
    if context.summaries:
        parts.append(f"What the sources are about, not to be cited:\n{without_ids(context.summary_text)}")
    return {"max_sentences": str(MAX_SENTENCES), "material": "\n\n".join(parts)}


def written_answer(answer: SynthesisAnswer, context: PromptContext) -> Written:
    """The sentences of a model's answer that rest on what they cite, at most as many as were asked for."""
    lines = {line.citation.id: line for line in context.evidence}
    kept: list[Statement] = []
    dropped: list[str] = []
    for told in answer.sentences:
        text = " ".join(without_ids(told.text).split())
        cited = [lines[i] for i in dict.fromkeys(map(_bare_id, told.evidence)) if i in lines]
        fault = _fault(text, cited, context.question)
        if fault or len(kept) == MAX_SENTENCES:
            dropped.append(fault or "it is one too many")
        else:
            kept.append(Statement(text, tuple(line.citation for line in cited)))
    return Written(tuple(kept), tuple(dropped))


def offline_answer(quoted: str, context: PromptContext) -> str:
    """An answer of quotes, with ids behind its statements, in the form of a model's answer; as JSON."""
    given = cite(quoted, [line.citation for line in context.evidence]).statements[:_MAX_TOLD]
    told = [
        ToldSentence(evidence=[c.id for c in one.citations][:_MAX_CITED], text=one.text[:_MAX_TEXT])
        for one in given
    ]
    return SynthesisAnswer(sentences=told).model_dump_json()


def _fault(text: str, cited: Sequence[EvidenceLine], question: str) -> str | None:
    """Why a sentence may not be shown; None where it may."""
    if not cited:
        return "it cites no evidence that was given"
    said = [line.text for line in cited]
    if foreign := ungrounded(text, said, may_name=[question, *(header(line.citation) for line in cited)]):
        return f"the evidence that it cites does not have {', '.join(map(repr, foreign[:3]))}"
    if term_share(text, [*said, question]) < LEAST_SHARED:
        return "it says something else than what it cites"
    return None


def _bare_id(told: str) -> str:
    return told.strip().strip("[]").upper()
