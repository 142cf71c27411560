"""The loop that all stages share: claim a batch, work outside any transaction, commit item by item."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

import psycopg

from rejoinder.errors import LeaseLost, PassingTrouble, RejoinderError
from resources.living_worker import Worker, living_worker
from resources.postgres import COLLISIONS, Database, Transaction, is_outage, outage
from resources.tuning import BatchTuning, StageTuning
from resources.work.deadline import in_time
from resources.work.stopping import StopSignal

log = logging.getLogger("rejoinder.work")

Progress = Callable[[int], None]

SAVE_TRIES = 3


class Step(Protocol):
    """One step of a stage: what to load, how to work on it, how to save the result.

    ``work`` gets the loaded items of a batch and runs outside any transaction; it returns one result per
    item, in order. ``save`` runs in a transaction of its own per item, which the runner commits together
    with the move that save makes; it must end by moving the item on (raising LeaseLost if another worker
    holds it).
    """

    @property
    def name(self) -> str:
        """The step's name in the column ``step``."""

    @property
    def table(self) -> str:
        """The table of its items."""

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[Any]:
        """The items with these ids, in the order of ids."""

    def work(self, items: Sequence[Any]) -> list[Any]:
        """One result per item."""

    def save(self, tx: Transaction, item: Any, result: Any, worker: int) -> str:
        """Save the result and move the item; the outcome's name for the counts."""


@dataclass(slots=True)
class Report:
    """What a step did: items by outcome, failures by message, seconds."""

    step: str
    outcomes: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    batches: int = 0
    seconds: float = 0.0
    is_stopped: bool = False

    @property
    def items(self) -> int:
        """Items that came to an outcome, failures included."""
        return sum(self.outcomes.values())

    def count(self, outcome: str, error: str | None = None) -> None:
        """Add one item."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        if error:
            self.errors[error] = self.errors.get(error, 0) + 1


def work_side_by_side(
    step: Step,
    *,
    db: Database,
    tuning: StageTuning,
    stop: StopSignal,
    progress: Progress | None = None,
) -> Report:
    """`work_off` in as many threads as the stage's concurrency says, each a worker of its own; one report.

    Raises:
        ServiceUnavailable: as `work_off`.
    """
    if tuning.concurrency == 1:
        return work_off(step, db=db, tuning=tuning, stop=stop, progress=progress)
    call = partial(work_off, step, db=db, tuning=tuning, stop=stop, progress=progress)
    with ThreadPoolExecutor(tuning.concurrency, "stage") as pool:
        reports = [f.result() for f in [pool.submit(call) for _ in range(tuning.concurrency)]]
    return merge_reports(reports)


def merge_reports(reports: Sequence[Report]) -> Report:
    """One report of workers that worked side by side: counts added up, seconds those of the longest."""
    merged = Report(reports[0].step, is_stopped=any(r.is_stopped for r in reports))
    merged.seconds = max(r.seconds for r in reports)
    merged.batches = sum(r.batches for r in reports)
    merged.outcomes = dict(sum((Counter(r.outcomes) for r in reports), Counter()))
    merged.errors = dict(sum((Counter(r.errors) for r in reports), Counter()))
    return merged


def work_off(
    step: Step,
    *,
    db: Database,
    tuning: BatchTuning,
    stop: StopSignal,
    now: Callable[[], datetime] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Work until nothing of this step is due, or a stop is asked for.

    Raises:
        ServiceUnavailable: PostgreSQL went away; what was committed stands, the next run does the rest.
    """
    report = Report(step.name)
    started = time.monotonic()
    loop = _Loop(step, db, tuning, stop, now or _utc_now, progress, report)
    try:
        with living_worker(db.url) as worker:
            while loop.run_batch(worker):
                report.batches += 1
    except psycopg.OperationalError as error:
        raise outage(error) from None
    report.seconds = time.monotonic() - started
    report.is_stopped = stop.is_set()
    return report


def in_words(error: Exception) -> str:
    r"""A failure as it is kept: of what PostgreSQL says only the first line, the rest may quote a whole row.

    >>> in_words(psycopg.errors.NotNullViolation("null value\nDETAIL:  Failing row contains (1, what Ada said)."))
    'NotNullViolation: null value'
    """
    said = str(error).partition("\n")[0] if isinstance(error, psycopg.Error) else str(error)
    return f"{type(error).__name__}: {said}"[:500]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Loop:
    """The parts of one work_off call."""

    step: Step
    db: Database
    tuning: BatchTuning
    stop: StopSignal
    now: Callable[[], datetime]
    progress: Progress | None
    report: Report

    def run_batch(self, worker: Worker) -> bool:
        """Claim and finish one batch; False when nothing was due or a stop was asked for."""
        if self.stop.is_set():
            return False
        claimed = self._claim(worker)
        if not claimed:
            return False
        living = self._bury_the_deadly(claimed, worker)
        groups = [living[i : i + self.tuning.group] for i in range(0, len(living), self.tuning.group)]
        for index, group in enumerate(groups):
            if self.stop.is_set():
                self._free([i for rest in groups[index:] for i in rest], worker)
                return False
            self._finish_group(group, worker)
        return True

    def _claim(self, worker: Worker) -> list[dict[str, Any]]:
        lease_s = self.tuning.timeout_s * self.tuning.batch
        with self.db.transaction() as tx:
            return tx.rows(
                "claim_items",
                table=self.step.table,
                step=self.step.name,
                now=self.now(),
                batch=self.tuning.batch,
                worker=worker.number,
                lease_s=lease_s,
            )

    def _bury_the_deadly(self, claimed: list[dict[str, Any]], worker: Worker) -> list[int]:
        """Give up items that were in hand at too many crashes; the ids of the others, best first."""
        living = []
        for row in sorted(claimed, key=lambda r: (r["crashes"], -r["priority"], r["id"])):
            if row["crashes"] < self.tuning.max_crashes:
                living.append(row["id"])
                continue
            reason = f"the worker died {row['crashes']} times with this item in hand"
            with self.db.transaction() as tx:
                tx.execute(
                    "bury_item", table=self.step.table, id=row["id"], worker=worker.number, error=reason
                )
                self._dead_letter(tx, row["id"], reason)
            self.report.count("dead", reason)
        return living

    def _finish_group(self, ids: list[int], worker: Worker) -> None:
        self._take_in_hand(ids, worker)
        try:
            worked = self._load_and_work(ids)
        except Exception as error:
            if is_outage(error):
                self._free(ids, worker)
                raise
            if len(ids) == 1:
                self._fail(ids[0], error, worker)
            else:  # one bad item must not sink the others: each on its own
                for item_id in ids:
                    self._finish_group([item_id], worker)
            return
        for item_id, item, result in worked:
            self._save(item_id, item, result, worker)

    def _take_in_hand(self, ids: list[int], worker: Worker) -> None:
        """Committed before anything is tried, so that a death while loading counts as well."""
        with self.db.transaction() as tx:
            tx.connection.execute("set local synchronous_commit = off")
            tx.execute("take_in_hand", table=self.step.table, ids=ids, worker=worker.number)

    def _load_and_work(self, ids: list[int]) -> list[tuple[int, Any, Any]]:
        """Id, item and result of each."""
        with self.db.transaction() as tx:
            items = self.step.load(tx, ids)
        results = in_time(partial(self.step.work, items), self.tuning.timeout_s * len(ids))
        return list(zip(ids, items, results, strict=True))

    def _save(self, item_id: int, item: Any, result: Any, worker: Worker) -> None:
        try:
            outcome = self._commit(item, result, worker)
        except LeaseLost as error:
            self.report.count("lease_lost", str(error))
        except Exception as error:
            if is_outage(error):
                raise
            self._fail(item_id, error, worker)
        else:
            self.report.count(outcome)
        if self.progress:
            self.progress(1)

    def _commit(self, item: Any, result: Any, worker: Worker) -> str:
        """Save in a transaction; once more where it collided with another, for nothing of it was kept."""
        for _ in range(SAVE_TRIES - 1):
            try:
                return self._commit_once(item, result, worker)
            except COLLISIONS:
                continue
        return self._commit_once(item, result, worker)

    def _commit_once(self, item: Any, result: Any, worker: Worker) -> str:
        with self.db.transaction() as tx:
            return self.step.save(tx, item, result, worker.number)

    def _fail(self, item_id: int, error: Exception, worker: Worker) -> None:
        text = in_words(error)
        if not isinstance(error, RejoinderError | TimeoutError):
            told = None if isinstance(error, psycopg.Error) else error
            log.error("%s: %s %s failed: %s", self.step.name, self.step.table, item_id, text, exc_info=told)
        statement = "postpone_item" if isinstance(error, PassingTrouble) else "fail_item"
        with self.db.transaction() as tx:
            row = tx.row(
                statement,
                table=self.step.table,
                id=item_id,
                worker=worker.number,
                max_attempts=self.tuning.max_attempts,
                now=self.now(),
                backoff_s=self.tuning.backoff_s,
                asked_s=getattr(error, "retry_after_s", None) or 0.0,
                error=text,
            )
            if row and row["status"] == "dead":
                self._dead_letter(tx, item_id, text)
        self.report.count(row["status"] if row else "lease_lost", text)

    def _dead_letter(self, tx: Transaction, item_id: int, reason: str) -> None:
        tx.execute(
            "insert_dead_letter",
            item_table=self.step.table,
            item_id=item_id,
            step=self.step.name,
            reason=reason,
        )

    def _free(self, ids: list[int], worker: Worker) -> None:
        with self.db.transaction() as tx:
            tx.execute("free_items", table=self.step.table, ids=ids, worker=worker.number)
