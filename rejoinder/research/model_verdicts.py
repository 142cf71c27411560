"""Verdicts that a model gives: what it is shown, what it may answer, and what is taken from its answer.

What belongs here: values and plain functions around the prompt ``verdict``; asking a model belongs in program.py. The
sentences are found without a model; it only says what they say of the claim, and a verdict counts only where it names
the sentence that it rests on.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from rejoinder.research.verdicts import Finding, Verdict
from rejoinder.text.grounding import figures

# Longest parts of an answer, so that a model cannot run on.
_MAX_WHY, _MAX_JUDGED = 400, 12
NOT_JUDGED = "the model names it for no verdict"


class SentenceVerdict(BaseModel):
    """What one sentence says of the claim; sentence is its number, from 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    why: str = Field(max_length=_MAX_WHY)
    sentence: int = Field(ge=1, le=99)
    verdict: Verdict


class VerdictAnswer(BaseModel):
    """What the prompt ``verdict`` asks for; a sentence that is left out only touches on the claim."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    verdicts: list[SentenceVerdict] = Field(max_length=_MAX_JUDGED)


class Judged(NamedTuple):
    """One finding per sentence, in order, and how many of the told verdicts were dropped."""

    findings: tuple[Finding, ...]
    n_dropped: int


def is_judgeable(claim: str) -> bool:
    """Whether anything can be said for or against it: a question states nothing."""
    return not claim.rstrip().endswith("?")


def verdict_values(claim: str, sentences: Sequence[str]) -> dict[str, str]:
    """The variables of the prompt ``verdict``; claim and sentences stand in ``material`` only, each on one line."""
    lines = [f"{number}. {_on_one_line(sentence)}" for number, sentence in enumerate(sentences, start=1)]
    return {"material": "\n".join([f"The claim: {_on_one_line(claim)}", "", "The sentences:", *lines])}


def judged(answer: VerdictAnswer, claim: str, sentences: Sequence[str]) -> Judged:
    """What a model's answer says of each sentence.

    A verdict on a sentence that was not given is dropped; two that differ on one sentence make it ``related``. A
    sentence whose figures are all others than those of the claim cannot support it.
    """
    told: dict[int, list[SentenceVerdict]] = {}
    for one in answer.verdicts:
        told.setdefault(one.sentence, []).append(one)
    findings = tuple(
        _finding(told.get(number, []), claim, sentence) for number, sentence in enumerate(sentences, start=1)
    )
    return Judged(findings, sum(one.sentence > len(sentences) for one in answer.verdicts))


def overall(findings: Sequence[Finding]) -> Verdict:
    """One verdict of all sentences: what some of them say, if none says the opposite.

    >>> overall([Finding("related", ""), Finding("supports", "")])
    'supports'
    >>> overall([Finding("disputes", ""), Finding("supports", "")])
    'related'
    """
    said = {finding.verdict for finding in findings} - {"related"}
    return said.pop() if len(said) == 1 else "related"


def offline_verdicts(verdicts: Sequence[Verdict]) -> str:
    """Verdicts by rules in the form of a model's answer, as JSON."""
    told = [
        SentenceVerdict(why="by rules", sentence=number, verdict=verdict)
        for number, verdict in enumerate(verdicts, start=1)
    ]
    return VerdictAnswer(verdicts=told).model_dump_json()


def _finding(told: Sequence[SentenceVerdict], claim: str, sentence: str) -> Finding:
    if not told:
        return Finding("related", NOT_JUDGED)
    if len({one.verdict for one in told}) > 1:
        return Finding("related", "the model says two things of it")
    verdict, why = told[0].verdict, _on_one_line(told[0].why)
    ours, theirs = figures(sentence), figures(claim)
    if verdict == "supports" and ours and theirs and not ours & theirs:
        return Finding("related", "the model says supports, but its figures are others")
    return Finding(verdict, why)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
