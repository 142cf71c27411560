"""From rankings to rows of a report: figures, gains and latencies by hand."""

import pytest

from resources.evaluation.beir import Benchmark, Document
from resources.evaluation.peers import Ranked
from resources.evaluation.report import SystemRun, report_runs
from resources.evaluation.task import Task, document_task


@pytest.fixture
def task() -> Task:
    documents = tuple(Document(key, "", f"text {key}") for key in "abc")
    judged = {"q1": {"a": 1.0}, "q2": {"b": 1.0}}
    return document_task(
        Benchmark("tiny", "test", documents, {"q1": "?", "q2": "!"}, judged), count_tokens=len
    )


def ranked(*keys: str, ms: float = 1.0) -> Ranked:
    return Ranked(tuple(f"{key}#0" for key in keys), {"embed_ms": 2.0, "search_ms": ms})


def test_figures_gains_and_latencies_by_hand(task: Task) -> None:
    base = SystemRun("base", {"q1": ranked("b", "a"), "q2": ranked("b", ms=3.0)})
    better = SystemRun("bet-ter: new", {"q1": ranked("a"), "q2": ranked("b")}, over=("base",))
    report = report_runs(task, [base, better], {"k": 1})
    first, second = report.systems
    assert first.figures["mrr"].mean == pytest.approx(0.75)
    assert second.figures["ndcg@10"].mean == 1.0
    assert second.gains["base"].mean == pytest.approx((1 - 0.6309) / 2, abs=1e-4)
    assert first.latency["search_ms"].p50_ms == 2.0
    assert first.latency["total_ms"].p50_ms == 4.0
    assert report.metrics()["bet_ter_new.ndcg_at_10"] == 1.0
    assert report.metrics()["bet_ter_new.over_base"] == second.gains["base"].mean


def test_names_of_metrics_are_those_that_a_tracker_takes(task: Task) -> None:
    found = {"q1": ranked("a"), "q2": ranked("b")}
    runs = [SystemRun("bm25s", found), SystemRun("engine: re-scored", found, over=("bm25s",))]
    names = report_runs(task, runs, {}).metrics()
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.") for name in names)


def test_a_run_that_lacks_a_question_is_an_error(task: Task) -> None:
    with pytest.raises(KeyError):
        report_runs(task, [SystemRun("half", {"q1": ranked("a")})], {})
