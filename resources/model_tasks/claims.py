"""Finding claims with a model: those that stand in the post, or what rules find where there are none to use."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from rejoinder.prompts.loader import Prompt
from rejoinder.prompts.writer import Writer
from rejoinder.triage.claims import Claim
from rejoinder.triage.model_claims import (
    ClaimsAnswer,
    checked_claims,
    claims_by_rules,
    claims_values,
    offline_claims,
)
from resources.model_tasks.asked import Desk, ModelTask, Troubled, open_task, writer_of

if TYPE_CHECKING:
    from rejoinder.prompts.program import Program

TASK = "claims"


@dataclass(frozen=True, slots=True)
class FoundClaims:
    """Claims of a post, best first.

    writer is the model that found them, None where rules did; n_dropped counts what it told that could not be used.
    note says why rules had to do it, or is empty.
    """

    claims: tuple[Claim, ...]
    writer: Writer | None = None
    n_dropped: int = 0
    note: str = ""


def find_claims(task: ModelTask[ClaimsAnswer] | None, text: str, ref: str) -> FoundClaims | Troubled:
    """The claims of a post, or why there are none now.

    Args:
        task: the model's; None: rules find them.
        text: the post.
        ref: what the question belongs to, such as ``post:12``.
    """
    if task is None:
        return FoundClaims(claims_by_rules(text))
    told = task.try_to_ask(claims_values(text), ref, partial(offline_claims, text))
    if isinstance(told, Troubled):
        return told
    if isinstance(told, str):
        return FoundClaims(
            claims_by_rules(text), note=f"found by rules, no model's answer could be used: {told}"
        )
    writer = writer_of(told)
    if writer is None:
        return FoundClaims(claims_by_rules(text))
    checked = checked_claims(told.value, text)
    if not checked.claims and checked.n_dropped:
        note = f"found by rules: nothing that {writer.model} told can be used as a claim of the post"
        return FoundClaims(claims_by_rules(text), None, checked.n_dropped, note)
    return FoundClaims(checked.claims, writer, checked.n_dropped)


def open_claims(desk: Desk, *, item_s: float | None = None) -> ModelTask[ClaimsAnswer] | None:
    """The task on the gateway; None where rules do it."""
    return open_task(desk, TASK, program, item_s=item_s)


def program(prompt: Prompt) -> "Program[ClaimsAnswer]":
    """The task's program; DSPy is loaded here."""
    from rejoinder.triage.program import claims_program

    return claims_program(prompt)
