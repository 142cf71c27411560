"""Runs golden cases through an answerer and says what came of it, case by case and in all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rejoinder.errors import ModelRefusal, ModelTrouble, RefusalKind, ReplyInvalid
from rejoinder.evaluation.cases import Case
from rejoinder.evaluation.regression import Comparison
from rejoinder.evaluation.scores import ANSWERED, CaseResult, Totals, no_answer, total
from resources.evaluation.golden import TaskName, case_hash
from resources.evaluation.golden_answers import TASKS, Answerer

SEED = 20_260_101
# Refusals that every other case would meet too.
HOPELESS: frozenset[RefusalKind] = frozenset({"key", "unknown_model", "price", "request"})
# A model that was not there for so many cases in a row is not there.
AWAY_AFTER = 3


@dataclass(frozen=True, slots=True)
class GoldenReport:
    """One run of a task's cases.

    baseline names the model and the prompt that it was compared with; both it and comparison are None without one.
    """

    task: TaskName
    model: str
    prompt: str
    split: str
    totals: Totals
    cases: tuple[CaseResult, ...]
    comparison: Comparison | None = None
    baseline: str | None = None

    @property
    def cost_usd(self) -> float:
        """What all answers cost."""
        return sum(case.cost_usd for case in self.cases)


def run_golden(
    task: TaskName,
    cases: Sequence[Case],
    answerer: Answerer,
    *,
    split: str,
    clock: Callable[[], float],
    progress: Callable[[int], None] = lambda _n: None,
) -> GoldenReport:
    """Answer and score every case; one that gets no answer scores 0 and says why.

    Args:
        task: whose cases.
        cases: at least one.
        answerer: the model and prompt to look at.
        split: which cases these are, for the report.
        clock: seconds, rising; for latencies.
        progress: called with 1 after each case.

    Raises:
        ModelRefusal: the model refuses for a reason that no other case would change, such as its key.
        ModelTrouble: the model was away for three cases in a row.
        BudgetSpent: the money for today is spent.
    """
    results: list[CaseResult] = []
    away = 0
    for case in cases:
        started = clock()
        try:
            result, away = _answered(task, case, answerer), 0
        except ModelTrouble as error:
            away += 1
            if away >= AWAY_AFTER:
                raise
            result = _failed(case, error)
        except ModelRefusal as error:
            if error.kind in HOPELESS:
                raise
            result = _failed(case, error)
        except ReplyInvalid as error:
            result = _failed(case, error)
        results.append(replace(result, latency_ms=round((clock() - started) * 1000, 1)))
        progress(1)
    return GoldenReport(
        task, answerer.model, answerer.prompt, split, total(results, seed=SEED), tuple(results)
    )


def _answered(task: TaskName, case: Case, answerer: Answerer) -> CaseResult:
    how = TASKS[task]
    given = answerer.answer(case)
    scored = how.score(case, given.answer)
    return CaseResult(
        id=case.id,
        case_hash=case_hash(case),
        tags=_tags(case),
        scored=replace(scored, checks={ANSWERED: 1.0, **scored.checks}),
        answer=how.plain(given.answer),
        cost_usd=given.cost_usd,
        label=how.label(case, given.answer) if how.label else None,
    )


def _failed(case: Case, error: Exception) -> CaseResult:
    kind = type(error).__name__
    label = (case.verdict, "no answer") if hasattr(case, "verdict") else None
    return CaseResult(
        case.id, case_hash(case), _tags(case), no_answer(), failure=f"{kind}: {error}", label=label
    )


def _tags(case: Case) -> tuple[str, ...]:
    """The case's tags, its language among them where it is not English."""
    return case.tags if case.language == "en" else (*case.tags, case.language)
