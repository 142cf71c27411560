"""Verdicts on evidence by a model: what it says of the sentences found, or what rules said of them before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from rejoinder.prompts.loader import Prompt
from rejoinder.prompts.writer import Writer
from rejoinder.research.evidence import Evidence
from rejoinder.research.model_verdicts import (
    VerdictAnswer,
    is_judgeable,
    judged,
    offline_verdicts,
    verdict_values,
)
from resources.model_tasks.asked import Desk, ModelTask, Troubled, open_task, writer_of

if TYPE_CHECKING:
    from rejoinder.prompts.program import Program

TASK = "verdict"


@dataclass(frozen=True, slots=True)
class JudgedEvidence:
    """Evidence with its verdicts.

    writer is the model that gave them, None where rules did; n_dropped counts verdicts on sentences that there are not.
    note says why rules had to do it, or is empty.
    """

    evidence: tuple[Evidence, ...]
    writer: Writer | None = None
    n_dropped: int = 0
    note: str = ""


def judge(
    task: ModelTask[VerdictAnswer] | None, claim: str, evidence: Sequence[Evidence], ref: str
) -> JudgedEvidence | Troubled:
    """The evidence with what it says of the claim, or why that is not known now; a question is never judged.

    Args:
        task: the model's; None: the verdicts that rules gave stay.
        claim: the claim.
        evidence: sentences that were found, with the verdicts of rules.
        ref: what the question belongs to, such as ``post:12``.
    """
    by_rules = JudgedEvidence(tuple(evidence))
    if task is None or not evidence or not is_judgeable(claim):
        return by_rules
    quotes = [one.quote for one in evidence]
    offline = partial(offline_verdicts, [one.verdict for one in evidence])
    told = task.try_to_ask(verdict_values(claim, quotes), ref, offline)
    if isinstance(told, Troubled):
        return told
    if isinstance(told, str):
        return replace(by_rules, note=f"judged by rules, no model's answer could be used: {told}")
    writer = writer_of(told)
    if writer is None:
        return by_rules
    findings, n_dropped = judged(told.value, claim, quotes)
    return JudgedEvidence(
        tuple(
            replace(one, verdict=finding.verdict, reason=f"{one.reason}; {writer.model}: {finding.reason}")
            for one, finding in zip(evidence, findings, strict=True)
        ),
        writer,
        n_dropped,
    )


def open_verdicts(desk: Desk, *, item_s: float | None = None) -> ModelTask[VerdictAnswer] | None:
    """The task on the gateway; None where rules do it."""
    return open_task(desk, TASK, program, item_s=item_s)


def program(prompt: Prompt) -> "Program[VerdictAnswer]":
    """The task's program; DSPy is loaded here."""
    from rejoinder.research.program import verdict_program

    return verdict_program(prompt)
