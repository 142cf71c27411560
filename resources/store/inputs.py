"""Inputs by their number, as other programs ask for them: how far each is, and what went wrong."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from resources.postgres import Transaction
from resources.store.source_list import SourceFilter, SourceRow, list_sources

InputStep = Literal["fetch", "extract", "chunk", "embed", "keywords"]
StepState = Literal["done", "waiting", "under way", "failed", "dead", "quarantined", "skipped"]
STEPS: tuple[InputStep, ...] = ("fetch", "extract", "chunk", "embed", "keywords")
AT_WORK: dict[str, StepState] = {
    "pending": "waiting",
    "processing": "under way",
    "failed": "failed",
    "dead": "dead",
}


@dataclass(frozen=True, slots=True)
class Input:
    """One row of the queue; raw_key is None while its bytes are not kept, has_address where it is fetched.

    refused_step is where it was set aside; None where it was not.
    """

    id: int
    name: str
    origin: str
    outcome: str | None
    note: str | None
    status: str
    raw_key: str | None
    has_address: bool
    refused_step: InputStep | None = None


@dataclass(frozen=True, slots=True)
class StepProgress:
    """How far one step is; attempts and reason are of the tries that failed."""

    step: InputStep
    state: StepState
    attempts: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DeadInput:
    """An input that was given up at a step."""

    input_id: int
    name: str
    step: str
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class QuarantinedInput:
    """An input that could not be read."""

    id: int
    name: str
    reason: str
    since_at: datetime


def find_input(tx: Transaction, project_id: int, input_id: int) -> Input | None:
    """The input of this number in the project, if there is one."""
    row = tx.row("input_by_id", project_id=project_id, id=input_id)
    return Input(**row) if row else None


def number_of(tx: Transaction, project_id: int, name: str) -> int | None:
    """The number of the input of this name."""
    found: int | None = tx.value("input_id", project_id=project_id, name=name)
    return found


def find_row(tx: Transaction, project_id: int, input_id: int) -> SourceRow | None:
    """Where an input stands on the list of sources; None for a feed, which is none itself."""
    return next(iter(list_sources(tx, project_id, SourceFilter(ingestion_id=input_id, top=1)).rows), None)


def list_dead(tx: Transaction, project_id: int, top: int) -> tuple[DeadInput, ...]:
    """Inputs that were given up, the latest first."""
    rows = tx.rows("list_dead_inputs", project_id=project_id, top=top)
    return tuple(DeadInput(**row) for row in rows)


def list_quarantined(tx: Transaction, project_id: int, top: int) -> tuple[QuarantinedInput, ...]:
    """Inputs that could not be read, the latest first."""
    rows = tx.rows("list_quarantined_inputs", project_id=project_id, top=top)
    return tuple(QuarantinedInput(**row) for row in rows)


def progress(found: Input, row: SourceRow) -> tuple[StepProgress, ...]:
    """How far each step of an input is, in their order; fetch only for what has an address."""
    steps = STEPS if found.has_address else STEPS[1:]
    if found.outcome == "quarantined":
        return _quarantined(steps, found, row)
    if row.step not in steps:  # ready
        return tuple(StepProgress(step, _after_all(step, row)) for step in steps)
    at = steps.index(row.step)
    state = AT_WORK.get(row.status, "done")
    return (
        *(StepProgress(step, "done") for step in steps[:at]),
        StepProgress(steps[at], state, row.attempts, row.last_error),
        *(StepProgress(step, "waiting") for step in steps[at + 1 :]),
    )


def _after_all(step: InputStep, row: SourceRow) -> StepState:
    """A twin is never cut nor searched itself."""
    return "skipped" if row.twin_name and step not in ("fetch", "extract") else "done"


def _quarantined(steps: tuple[InputStep, ...], found: Input, row: SourceRow) -> tuple[StepProgress, ...]:
    """It stopped where its bytes were to be had or read; what was read of it before stays as it is."""
    at = found.refused_step if found.refused_step in steps else "extract"
    before, after = steps[: steps.index(at)], steps[steps.index(at) + 1 :]
    return (
        *(StepProgress(step, "done") for step in before),
        StepProgress(at, "quarantined", reason=found.note),
        *(StepProgress(step, "done" if row.source_id else "skipped") for step in after),
    )
