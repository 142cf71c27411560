"""Replies written and edited by a model.

What belongs here: what becomes of each answer and of each failure of a model. A model's draft is taken only where our
own checks find nothing against it; else the extractive drafter's stands, with the reason. Rows belong to drafting.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from rejoinder.drafting.checks import Check, check_draft
from rejoinder.drafting.extractive import DraftReply
from rejoinder.drafting.written import (
    Brief,
    EditorialAnswer,
    ReplyAnswer,
    edited_draft,
    editorial_values,
    fault_of,
    objection_of,
    offline_answer,
    offline_opinion,
    reply_values,
    written_draft,
)
from rejoinder.llm.requests import LlmReply
from rejoinder.prompts.loader import Prompt
from resources.model_tasks.asked import Desk, ModelTask, Troubled, open_task
from resources.programs import Told
from resources.tuning_models import LOCAL

if TYPE_CHECKING:
    from rejoinder.prompts.program import Program

REPLY, EDITORIAL = "reply", "editorial"
DRAFTER = "local::extractive"


@dataclass(frozen=True, slots=True)
class Written:
    """A draft, and the URI of what wrote it; note says how it came about where a model was asked."""

    draft: DraftReply
    model: str = DRAFTER
    note: str | None = None


@dataclass(frozen=True, slots=True)
class NothingToSay:
    """The model found that the evidence does not bear on the post."""

    reason: str


@dataclass(frozen=True, slots=True)
class Edited:
    """An editor's opinion; draft and its checks are there where a better text was proposed and passed."""

    opinion: Check
    model: str
    draft: DraftReply | None = None
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyWriter:
    """Writes replies by the program ``reply``."""

    task: ModelTask[ReplyAnswer]

    def write(self, brief: Brief, extractive: DraftReply, ref: str) -> Written | NothingToSay | Troubled:
        """A model's draft, or the extractive one where the model gave none that can be used.

        Args:
            brief: what to write from.
            extractive: what stands where no model's draft does.
            ref: what the question belongs to, such as ``post:12``.
        """
        offline = partial(offline_answer, extractive)
        told = self.task.try_to_ask(reply_values(brief), ref, offline)
        if isinstance(told, Troubled):
            return told
        if isinstance(told, str):
            return Written(extractive, note=f"extractive: {told}")
        if told.reply.endpoint == LOCAL:
            return Written(extractive, note="extractive: no model of the chain answered")
        return _taken(told, brief, extractive)


def _taken(told: Told[ReplyAnswer], brief: Brief, extractive: DraftReply) -> Written | NothingToSay:
    if not told.value.text.strip():
        return NothingToSay(f"the evidence does not bear on the post, says {told.reply.model}")
    draft = written_draft(told.value, brief, told.prompt_version)
    if fault := fault_of(draft, brief):
        return Written(extractive, note=f"extractive: the draft of {_by(told.reply)} was not used: {fault}")
    return Written(draft, told.reply.model, f"written by {_by(told.reply)}")


@dataclass(frozen=True, slots=True)
class ReplyEditor:
    """Looks at drafts by the program ``editorial``."""

    task: ModelTask[EditorialAnswer]

    def edit(
        self, brief: Brief, draft: DraftReply, ref: str, earlier_replies: Sequence[str]
    ) -> Edited | Troubled | None:
        """The editor's opinion of a draft that passed our own checks; None where no model gave one.

        Args:
            brief: what the draft was written from.
            draft: the draft.
            ref: what the question belongs to, such as ``post:12``.
            earlier_replies: what no reply may repeat.
        """
        offline = partial(offline_opinion, draft)
        told = self.task.try_to_ask(editorial_values(brief, draft), ref, offline)
        if isinstance(told, Troubled):
            return told
        if isinstance(told, str):
            return Edited(_opinion(True, f"not looked at: {told}"), DRAFTER)
        if told.reply.endpoint == LOCAL:
            return None
        return _opinion_of(told, brief, draft, earlier_replies)


def _opinion_of(
    told: Told[EditorialAnswer], brief: Brief, draft: DraftReply, earlier_replies: Sequence[str]
) -> Edited:
    by = _by(told.reply)
    if objection := objection_of(told.value):
        return Edited(_opinion(False, f"{by}: {objection}"), told.reply.model)
    edited = edited_draft(told.value, draft, brief, told.prompt_version)
    if edited.text == draft.text or not told.value.text.strip():
        return Edited(_opinion(True, f"{by}: nothing to change"), told.reply.model)
    if fault := fault_of(edited, brief):
        return Edited(_opinion(True, f"{by}: its text was not used: {fault}"), told.reply.model)
    checks = check_draft(edited, brief.post, brief.evidence, earlier_replies=earlier_replies, is_written=True)
    if not all(check.passed for check in checks):
        return Edited(_opinion(True, f"{by}: its text repeats an earlier reply"), told.reply.model)
    return Edited(_opinion(True, f"{by}: tightened"), told.reply.model, edited, checks)


def open_writer(desk: Desk, *, item_s: float | None = None) -> ReplyWriter | None:
    """The task on the gateway; None where replies are extractive alone."""
    task = open_task(desk, REPLY, reply_maker, item_s=item_s)
    return None if task is None else ReplyWriter(task)


def open_editor(desk: Desk, *, item_s: float | None = None) -> ReplyEditor | None:
    """The task on the gateway; None where our own checks are all there is."""
    task = open_task(desk, EDITORIAL, editorial_maker, item_s=item_s)
    return None if task is None else ReplyEditor(task)


def reply_maker(prompt: Prompt) -> "Program[ReplyAnswer]":
    """The program of the task ``reply``; DSPy is loaded here."""
    from rejoinder.drafting.program import reply_program

    return reply_program(prompt)


def editorial_maker(prompt: Prompt) -> "Program[EditorialAnswer]":
    """The program of the task ``editorial``; DSPy is loaded here."""
    from rejoinder.drafting.program import editorial_program

    return editorial_program(prompt)


def _by(reply: LlmReply) -> str:
    return f"{reply.model} (endpoint {reply.endpoint})"


def _opinion(passed: bool, detail: str) -> Check:
    return Check("editorial", passed, detail)
