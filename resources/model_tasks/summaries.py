"""Summaries by a model: sentences that rest on passages, or the extractive summary where too few do."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rejoinder.corpus.model_summaries import (
    SummaryAnswer,
    checked_summary,
    is_enough,
    offline_summary,
    summary_values,
)
from rejoinder.corpus.summaries import Material, Statement, Summariser
from rejoinder.prompts.loader import Prompt
from rejoinder.prompts.writer import Writer
from resources.model_tasks.asked import Desk, ModelTask, Troubled, open_task, writer_of

if TYPE_CHECKING:
    from rejoinder.prompts.program import Program

TASK = "summary"
# Counted up when the rules for a model's sentences change: summaries are then made anew.
RULES = "abstractive.v1"


@dataclass(frozen=True, slots=True)
class MadeSummary:
    """A summary's statements; writer is the model that wrote them, None where they are quoted.

    note says what of a model's summary was dropped, and why they are quoted where they are; or is empty.
    """

    statements: tuple[Statement, ...]
    writer: Writer | None = None
    note: str = ""

    @property
    def model(self) -> str | None:
        """URI of the model that wrote it."""
        return self.writer.model if self.writer else None

    @property
    def prompt_version(self) -> str | None:
        """Version of the prompt that the model was asked with."""
        return self.writer.prompt_version if self.writer else None


@dataclass(frozen=True, slots=True)
class ModelSummariser:
    """Summarises in a model's words; implements Summariser. Where too little can be used, extractive does it.

    endpoints are the names of those that may be asked.
    """

    task: ModelTask[SummaryAnswer]
    extractive: Summariser
    endpoints: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """Changes with the rules, with the endpoints and with how quotes are chosen, not with the prompt in force.

        So a new prompt is used for what changes from then on, and no corpus is paid for twice by moving an alias.
        """
        return f"{RULES}/{','.join(self.endpoints)}+{self.extractive.method}"

    def summarise(self, material: Material) -> list[Statement]:
        """The statements of `write`."""
        return list(self.write(material).statements)

    def write(self, material: Material) -> MadeSummary:
        """A summary, and who wrote it.

        Raises:
            PassingTrouble: no model answered, or the money is spent; later it may be otherwise.
            ModelRefusal: a model is not set up as it should be.
        """
        if not material.candidates:
            return MadeSummary(())
        told = self.task.try_to_ask(summary_values(material), material.ref, lambda: self._offline(material))
        if isinstance(told, Troubled):
            raise told.error
        if isinstance(told, str):
            return self._quoted(material, f"quoted, no model's answer could be used: {told}")
        writer = writer_of(told)
        if writer is None:
            return self._quoted(material, "")
        checked = checked_summary(told.value, material)
        n = len(checked.dropped)
        lost = f"{n} sentence{'' if n == 1 else 's'} dropped: {checked.dropped[0]}" if n else ""
        if not is_enough(len(checked.statements), material):
            why = f"quoted, of what {writer.model} wrote too little can be used"
            return self._quoted(material, "; ".join(filter(None, (why, lost))))
        return MadeSummary(checked.statements, writer, lost)

    def _quoted(self, material: Material, note: str) -> MadeSummary:
        return MadeSummary(tuple(self.extractive.summarise(material)), None, note)

    def _offline(self, material: Material) -> str:
        return offline_summary(self.extractive.summarise(material))


def write_summary(summariser: Summariser, material: Material) -> MadeSummary:
    """A summary by whichever summariser, and who wrote it; raises as `ModelSummariser.write`."""
    if isinstance(summariser, ModelSummariser):
        return summariser.write(material)
    return MadeSummary(tuple(summariser.summarise(material)))


def open_summariser(desk: Desk, extractive: Summariser, *, item_s: float | None = None) -> Summariser:
    """Who summarises: a model where the task has one, else the extractive summariser as it is."""
    task = open_task(desk, TASK, program, item_s=item_s)
    if task is None:
        return extractive
    chosen = desk.models.task(TASK)
    return ModelSummariser(task, extractive, tuple(dict.fromkeys((*chosen.endpoints, *chosen.challenger))))


def program(prompt: Prompt) -> "Program[SummaryAnswer]":
    """The task's program; DSPy is loaded here."""
    from rejoinder.corpus.program import summary_program

    return summary_program(prompt)
