"""The port to whatever answers golden cases, and how each task's answers are scored and shown.

A program plugs in as an `Answerer`: from a case to the answer in the task's own type (`TASKS`), or an error of ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from rejoinder.drafting.extractive import DraftReply
from rejoinder.evaluation.cases import Case
from rejoinder.evaluation.claim_scores import GivenClaim, score_claims
from rejoinder.evaluation.reply_scores import score_reply
from rejoinder.evaluation.scores import Scored
from rejoinder.evaluation.summary_scores import score_summary
from rejoinder.evaluation.verdict_scores import score_verdict
from resources.evaluation.golden import TaskName


class Answered(NamedTuple):
    """An answer in the task's own type, and its cost in US dollars."""

    answer: Any
    cost_usd: float = 0.0


class Answerer(Protocol):
    """Answers the cases of one task with one model and one prompt."""

    @property
    def model(self) -> str:
        """URI of the model."""

    @property
    def prompt(self) -> str:
        """Name and version of the prompt, or of the rules where there is none."""

    def answer(self, case: Any) -> Answered:
        """Answer one case.

        Raises:
            ReplyInvalid, ModelRefusal, ModelTrouble: there is no answer to this case.
            BudgetSpent, ConfigInvalid: there will be none to any other.
        """


@dataclass(frozen=True, slots=True)
class GoldenTask:
    """How a task's answers are scored, and shown in plain types."""

    score: Callable[[Any, Any], Scored]
    plain: Callable[[Any], object]
    label: Callable[[Any, Any], tuple[str, str]] | None = None


# claims: list of GivenClaim; verdicts: a Verdict; replies: a DraftReply; summaries: a text.
TASKS: dict[TaskName, GoldenTask] = {
    "claims": GoldenTask(score_claims, lambda given: [_plain_claim(one) for one in given]),
    "verdicts": GoldenTask(score_verdict, str, lambda case, given: (case.verdict, given)),
    "replies": GoldenTask(score_reply, lambda given: _plain_reply(given)),
    "summaries": GoldenTask(score_summary, str),
}


@dataclass(frozen=True, slots=True)
class Answering:
    """An answerer made of a function; nothing it answers costs anything."""

    model: str
    prompt: str
    ask: Callable[[Any], Any]

    def answer(self, case: Case) -> Answered:
        """What the function says."""
        return Answered(self.ask(case))


def _plain_claim(claim: GivenClaim) -> dict[str, str]:
    return {"text": claim.text, "kind": claim.kind}


def _plain_reply(draft: DraftReply) -> dict[str, object]:
    quotes = [{"evidence": quote.evidence_index + 1, "text": quote.text} for quote in draft.quotes]
    return {"text": draft.text, "quotes": quotes}
