"""Golden cases answered by a program: how a case becomes a question, and its answer the task's own type.

What belongs here: one `GoldenProgram` per task that has a program. DSPy is loaded when the first question is asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rejoinder.drafting.extractive import DraftReply
from rejoinder.drafting.written import Brief, ReplyAnswer, reply_values, written_draft
from rejoinder.evaluation.cases import Case, ReplyCase
from rejoinder.evaluation.reply_scores import case_evidence, case_post
from rejoinder.prompts.loader import Prompt
from resources.evaluation.golden import TaskName
from resources.evaluation.golden_answers import Answered
from resources.evaluation.golden_offline import prompt_label
from resources.programs import Item, OpenProgram

if TYPE_CHECKING:
    from rejoinder.prompts.program import Program

# Who the replies are written for; nobody of that name exists.
ACCOUNT = "the show"


@dataclass(frozen=True, slots=True)
class GoldenProgram:
    """A task's program on golden cases.

    task is its name at the gateway and that of its prompts. values are the prompt's variables for a case; taken makes
    of the program's answer what is scored.
    """

    task: str
    make: "Callable[[Prompt], Program[Any]]"
    values: Callable[[Any], Mapping[str, str]]
    taken: Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class ProgramAnswerer:
    """Asks a program about cases; implements `Answerer`."""

    model: str
    asked: Prompt
    program: OpenProgram[Any]
    golden: GoldenProgram

    @property
    def prompt(self) -> str:
        """Name and version of the prompt."""
        return prompt_label(self.asked)

    def answer(self, case: Case) -> Answered:
        """Ask about one case; errors are the gateway's."""
        item = Item(f"golden:{case.id}", f"golden:{case.id}")
        told = self.program.ask(self.asked, self.golden.values(case), item)
        return Answered(self.golden.taken(told.value, case), told.reply.cost_usd)


def _reply_program(prompt: Prompt) -> "Program[Any]":
    from rejoinder.drafting.program import reply_program

    return reply_program(prompt)


def _brief(case: ReplyCase) -> Brief:
    return Brief(case_post(case), case_evidence(case), case.strategy, ACCOUNT, allow_links=False)


def _draft(answer: ReplyAnswer, case: ReplyCase) -> DraftReply:
    return written_draft(answer, _brief(case), "")


PROGRAMS: dict[TaskName, GoldenProgram] = {
    "replies": GoldenProgram("reply", _reply_program, lambda case: reply_values(_brief(case)), _draft),
}
