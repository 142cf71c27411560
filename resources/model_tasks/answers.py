"""Answers to questions by a model: sentences that rest on evidence lines, beside the quotes that need no model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rejoinder.corpus.shaping.citations import Statement
from rejoinder.corpus.shaping.prompt_context import PromptContext
from rejoinder.errors import ModelRefusal, PassingTrouble, ReplyInvalid
from rejoinder.ids import sha256_hex
from rejoinder.prompts.loader import Prompt
from rejoinder.prompts.writer import Writer
from rejoinder.research.model_answers import (
    SynthesisAnswer,
    offline_answer,
    synthesis_values,
    written_answer,
)
from resources.model_tasks.asked import Desk, ModelTask, open_task, writer_of

if TYPE_CHECKING:
    from rejoinder.prompts.program import Program

TASK = "synthesis"


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """What a model wrote, each statement with its citations; none where nothing could be used, and note says why."""

    statements: tuple[Statement, ...] = ()
    writer: Writer | None = None
    note: str = ""


def write_answer(
    task: ModelTask[SynthesisAnswer] | None, context: PromptContext, quoted: str
) -> WrittenAnswer:
    """An answer in a model's words; whatever goes wrong, the quotes are there already.

    Args:
        task: the model's; None: nothing is written.
        context: question, evidence and summaries.
        quoted: the answer without a model, ids of evidence lines behind its statements.
    """
    if task is None:
        return WrittenAnswer()
    ref = f"question:{sha256_hex(context.question)[:12]}"
    try:
        told = task.ask(synthesis_values(context), ref, lambda: offline_answer(quoted, context))
    except (ReplyInvalid, ModelRefusal, PassingTrouble) as error:
        return WrittenAnswer(note=f"No model wrote an answer: {error}")
    writer = writer_of(told)
    if writer is None:
        return WrittenAnswer()
    written = written_answer(told.value, context)
    if not written.statements:
        why = f": {written.dropped[0]}" if written.dropped else ""
        return WrittenAnswer(note=f"Nothing that {writer.model} wrote can be shown{why}.")
    n = len(written.dropped)
    lost = (
        f"Of what {writer.model} wrote {n} of {n + len(written.statements)} sentences are left out: "
        if n
        else ""
    )
    return WrittenAnswer(written.statements, writer, f"{lost}{written.dropped[0]}." if n else "")


def open_answers(desk: Desk) -> ModelTask[SynthesisAnswer] | None:
    """The task on the gateway; None where answers are quotes alone."""
    return open_task(desk, TASK, program)


def program(prompt: Prompt) -> "Program[SynthesisAnswer]":
    """The task's program; DSPy is loaded here."""
    from rejoinder.research.program import synthesis_program

    return synthesis_program(prompt)
