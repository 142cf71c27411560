"""Summaries that a model writes: what it is shown, what it may answer, and what is taken from its answer.

What belongs here: values and plain functions around the prompt ``summary``; asking a model belongs in program.py. Every
sentence names the passages that it rests on; one with a figure or a name that they do not have is dropped.
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from rejoinder.corpus.speech import Sentence
from rejoinder.corpus.summaries import Material, Statement
from rejoinder.text.grounding import term_share, ungrounded

# Longest parts of an answer, so that a model cannot run on.
_MAX_TEXT, _MAX_TOLD, _MAX_PASSAGES = 500, 12, 8
# Of a sentence that speaks of its passages at least so many of the terms stand there.
LEAST_SHARED = 1 / 3
# Of what was asked for so much has to be left, else it is no summary of all.
LEAST_LEFT = 0.5


class ToldSentence(BaseModel):
    """A sentence of a summary with the numbers, from 1, of the passages that it rests on."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    passages: list[Annotated[int, Field(ge=0, le=999)]] = Field(max_length=_MAX_PASSAGES)
    text: str = Field(min_length=1, max_length=_MAX_TEXT)


class SummaryAnswer(BaseModel):
    """What the prompt ``summary`` asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sentences: list[ToldSentence] = Field(max_length=_MAX_TOLD)


class Checked(NamedTuple):
    """The statements that may stand, in the order of their origins, and why each of the others may not."""

    statements: tuple[Statement, ...]
    dropped: tuple[str, ...]


def summary_values(material: Material) -> dict[str, str]:
    """The variables of the prompt ``summary``; the passages stand in ``material`` only, one a line."""
    lines = [f"{n}. {' '.join(one.text.split())}" for n, one in enumerate(material.candidates, start=1)]
    return {"n_sentences": str(material.n_sentences), "material": "\n".join(lines)}


def checked_summary(answer: SummaryAnswer, material: Material) -> Checked:
    """The sentences of a model's answer that rest on the passages that they name, at most as many as were asked for.

    A statement's origin is the passage that has most of its words, of those that it names.
    """
    kept: list[Statement] = []
    dropped: list[str] = []
    for told in answer.sentences:
        text = " ".join(told.text.split())
        named = [n - 1 for n in dict.fromkeys(told.passages) if 1 <= n <= len(material.candidates)]
        fault = _fault(text, [material.candidates[i] for i in named], kept)
        if fault or len(kept) == material.n_sentences:
            dropped.append(fault or "it is one too many")
        else:
            kept.append(Statement(text, _origin(text, named, material)))
    return Checked(tuple(sorted(kept, key=lambda one: one.origin)), tuple(dropped))


def is_enough(n_statements: int, material: Material) -> bool:
    """Whether so many statements are a summary of the material: at least half of what could be asked for."""
    return n_statements >= max(1.0, LEAST_LEFT * min(material.n_sentences, len(material.candidates)))


def offline_summary(statements: Sequence[Statement]) -> str:
    """An extractive summary in the form of a model's answer, as JSON."""
    told = [
        ToldSentence(passages=[statement.origin + 1], text=statement.text[:_MAX_TEXT])
        for statement in statements[:_MAX_TOLD]
    ]
    return SummaryAnswer(sentences=told).model_dump_json()


def _fault(text: str, named: Sequence[Sentence], kept: Sequence[Statement]) -> str | None:
    """Why a sentence may not stand; None where it may."""
    if not named:
        return "it names no passage that was given"
    if any(text.casefold() == one.text.casefold() for one in kept):
        return "it is there already"
    said = [passage.text for passage in named]
    if foreign := ungrounded(text, said):
        return f"its passages do not have {', '.join(map(repr, foreign[:3]))}"
    return "it says something else than its passages" if term_share(text, said) < LEAST_SHARED else None


def _origin(text: str, named: Sequence[int], material: Material) -> int:
    return max(named, key=lambda i: (term_share(text, [material.candidates[i].text]), -i))
