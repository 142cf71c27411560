"""How far each step of an input is, from where its row stands."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.store.inputs import STEPS, Input, StepState, progress
from resources.store.source_list import SourceRow

FILE = Input(1, "a.vtt", "api", None, None, "completed", "sha256/aa/aa", False)
PAGE = replace(FILE, origin="url", has_address=True)
ROW = SourceRow(
    "a.vtt", 1, 1, "chunk", "pending", None, 0, "new", None, "api", None, None, None, None, None, None, (),
    datetime(2026, 11, 5, tzinfo=UTC), None, None, 0, 0, 0,
)  # fmt: skip


def states(found: Input, **row: Any) -> list[str]:
    return [step.state for step in progress(found, replace(ROW, **row))]


@pytest.mark.parametrize(
    ("found", "row", "expected"),
    [
        (FILE, {"step": "extract", "source_id": None}, ["waiting", "waiting", "waiting", "waiting"]),
        (FILE, {"status": "processing"}, ["done", "under way", "waiting", "waiting"]),
        (PAGE, {"step": "fetch", "status": "failed"}, ["failed", "waiting", "waiting", "waiting", "waiting"]),
        (PAGE, {"step": "embed", "status": "dead"}, ["done", "done", "done", "dead", "waiting"]),
        (FILE, {"step": "ready", "status": "completed"}, ["done", "done", "done", "done"]),
        (
            FILE,
            {"step": "ready", "status": "completed", "twin_name": "b"},
            ["done", "skipped", "skipped", "skipped"],
        ),
    ],
)
def test_steps_follow_each_other(found: Input, row: dict[str, Any], expected: list[str]) -> None:
    assert states(found, **row) == expected


def test_what_was_fetched_before_may_be_refused_where_it_is_fetched_again() -> None:
    """Its bytes of the last time are still kept."""
    gone = replace(PAGE, outcome="quarantined", note="404", raw_key="sha256/aa/aa", refused_step="fetch")
    assert states(gone) == ["quarantined", "done", "done", "done", "done"]


def test_what_was_set_aside_stopped_where_its_bytes_were_to_be_had_or_read() -> None:
    refused = replace(PAGE, outcome="quarantined", note="the server refused it", refused_step="fetch")
    step, *later = progress(refused, replace(ROW, source_id=None))
    assert (step.step, step.state, step.reason) == ("fetch", "quarantined", "the server refused it")
    assert {one.state for one in later} == {"skipped"}
    damaged = replace(refused, refused_step="extract")
    assert states(damaged, source_id=None) == ["done", "quarantined", "skipped", "skipped", "skipped"]
    assert states(damaged) == [
        "done",
        "quarantined",
        "done",
        "done",
        "done",
    ]  # what was read before stays in use


@given(
    step=st.sampled_from([*STEPS, "ready", "done"]),
    status=st.sampled_from(["pending", "processing", "completed", "failed", "dead"]),
    outcome=st.sampled_from([None, "new", "changed", "unchanged", "quarantined"]),
    has_address=st.booleans(),
)
def test_every_place_has_a_state_for_every_step(
    step: str, status: str, outcome: str | None, has_address: bool
) -> None:
    found = replace(FILE, outcome=outcome, has_address=has_address)
    shown = progress(found, replace(ROW, step=step, status=status))
    assert [one.step for one in shown] == list(STEPS if has_address else STEPS[1:])
    assert {one.state for one in shown} <= set(get_args(StepState))
