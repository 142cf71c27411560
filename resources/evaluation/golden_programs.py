"""Golden cases answered by a program: how a case becomes a question, and its answer the task's own type.

What belongs here: one `GoldenProgram` per task that has a program. DSPy is loaded when the first question is asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rejoinder.corpus.model_summaries import SummaryAnswer, summary_values
from rejoinder.corpus.speech import Sentence
from rejoinder.corpus.summaries import Material
from rejoinder.drafting.extractive import DraftReply
from rejoinder.drafting.written import Brief, ReplyAnswer, reply_values, written_draft
from rejoinder.evaluation.cases import Case, ClaimCase, ReplyCase, SummaryCase, VerdictCase
from rejoinder.evaluation.claim_scores import GivenClaim
from rejoinder.evaluation.reply_scores import case_evidence, case_post
from rejoinder.prompts.loader import Prompt
from rejoinder.research.model_verdicts import VerdictAnswer, is_judgeable, judged, verdict_values
from rejoinder.research.verdicts import Verdict
from rejoinder.triage.model_claims import ClaimsAnswer, claims_values
from resources.evaluation.golden import TaskName
from resources.evaluation.golden_answers import Answered
from resources.evaluation.golden_offline import prompt_label
from resources.model_tasks import claims, summaries, verdicts
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


def _claims(answer: ClaimsAnswer, case: ClaimCase) -> list[GivenClaim]:
    return [GivenClaim(told.text, told.kind) for told in answer.claims]


def _quote(case: VerdictCase) -> str:
    """The case's sentences as research quotes them: as one."""
    return " ".join(case.evidence)


def _verdict(answer: VerdictAnswer, case: VerdictCase) -> Verdict:
    # The product asks nothing about a question: whatever was found is related to it.
    if not is_judgeable(case.claim):
        return "related"
    return judged(answer, case.claim, [_quote(case)]).findings[0].verdict


def _material(case: SummaryCase) -> Material:
    """The whole passage; how the extractive summariser weighs it is no matter to a model."""
    told = [Sentence(sentence) for sentence in case.passage]
    return Material(told, [1] * len(told), (), case.n_sentences)


def _summary(answer: SummaryAnswer, case: SummaryCase) -> str:
    return " ".join(told.text for told in answer.sentences)


# Claims, replies and summaries are scored as the model told them, before the product drops what it cannot use;
# verdicts as the product reads them.
PROGRAMS: dict[TaskName, GoldenProgram] = {
    "claims": GoldenProgram(claims.TASK, claims.program, lambda case: claims_values(case.post), _claims),
    "verdicts": GoldenProgram(
        verdicts.TASK, verdicts.program, lambda case: verdict_values(case.claim, [_quote(case)]), _verdict
    ),
    "replies": GoldenProgram("reply", _reply_program, lambda case: reply_values(_brief(case)), _draft),
    "summaries": GoldenProgram(
        summaries.TASK, summaries.program, lambda case: summary_values(_material(case)), _summary
    ),
}
