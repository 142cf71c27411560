"""The fault campaign's plan and its witness: each thing that may never happen is seen when it does."""

from dataclasses import replace
from typing import Any

import pytest

from bench.publish_pauses import Count, Pause
from bench.publish_plan import Account, Wanted, draw_plan
from bench.publish_witness import Part, Verdict, judge

ALICE = Account("alice", "x")
THREAD = Wanted(7, ALICE, "100", ("One.", "Two."))
CLEAN = Verdict(0, 0, 0, 0, 0, 0, 0, 0, 0)
FIRST = Part(7, 0, "sent", "sent", "900")
SECOND = Part(7, 1, "sent", "sent", "901")


def line(platform_id: str, parent_id: str, text: str, **changes: Any) -> dict[str, Any]:
    accepted = {"platform_id": platform_id, "parent_id": parent_id, "text": text, "accepted": True}
    return {"platform": "x", "endpoint": "create", "account": "alice", **accepted, **changes}


LOG = (line("900", "100", "One."), line("901", "900", "Two."))


def judged(log: Any = LOG, parts: Any = (FIRST, SECOND), over: int = 0) -> Verdict:
    return judge(log, [{"over": over}], {7: THREAD}, parts)


def test_a_thread_that_stands_as_approved_is_clean() -> None:
    assert judged() == CLEAN
    assert judged(log=(line("0", "100", "One.", accepted=False), *LOG)) == CLEAN


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ((*LOG, line("902", "100", "One.")), replace(CLEAN, duplicates=1)),
        ((*LOG, line("902", "901", "Buy this.")), replace(CLEAN, unapproved=1)),
        ((*LOG, line("902", "555", "One.")), replace(CLEAN, unapproved=1)),
        ((line("901", "100", "Two."),), replace(CLEAN, out_of_order=1, lost=1, misnamed=2)),
        (LOG[:1], replace(CLEAN, lost=1, misnamed=1)),
        ((), replace(CLEAN, lost=1, misnamed=2)),
    ],
)
def test_the_log_tells_what_went_wrong(log: Any, expected: Verdict) -> None:
    assert judged(log=log) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((FIRST, replace(SECOND, platform_id="77")), replace(CLEAN, misnamed=1)),
        (
            tuple(
                replace(p, publication_state="refused", state="refused", platform_id=None)
                for p in (FIRST, SECOND)
            ),
            replace(CLEAN, taken_for_refused=2),
        ),
        (
            (
                replace(FIRST, publication_state="unknown"),
                replace(SECOND, publication_state="unknown", state="unknown"),
            ),
            replace(CLEAN, unresolved=1),
        ),
    ],
)
def test_what_is_stored_is_held_against_the_log(parts: Any, expected: Verdict) -> None:
    assert judged(parts=parts) == expected


def test_a_call_over_a_limit_counts() -> None:
    assert judged(over=2) == replace(CLEAN, over_limits=2)


@pytest.mark.parametrize(
    ("after", "broken"),
    [
        (Count(40, 52), 0),  # two requests had left before
        (Count(40, 53), 1),
        (Count(41, 50), 1),
        (Count(41, 53), 2),
        (None, 0),
    ],
)
def test_what_leaves_while_everything_is_paused_counts(after: Count | None, broken: int) -> None:
    pause = Pause(None, 2, Count(40, 50), after=after)
    assert pause.broken == broken
    assert judge(LOG, [], {7: THREAD}, (FIRST, SECOND), [pause]) == replace(CLEAN, while_paused=broken)


def test_every_pause_of_a_channel_is_ended_later() -> None:
    events = draw_plan(2000, 2, 0).events
    begun = [event for event in events if event.kind == "pause_channel"]
    assert len(begun) == 20
    for pause in begun:
        assert any(e.kind == "resume_channel" and e.of == pause.of and e.at > pause.at for e in events)


def test_a_seed_draws_the_same_plan_again() -> None:
    assert draw_plan(200, 2, 5) == draw_plan(200, 2, 5)
    assert draw_plan(200, 2, 5) != draw_plan(200, 2, 6)


def test_a_large_plan_has_every_kind_of_trouble() -> None:
    plan = draw_plan(2000, 2, 0)
    kinds = {event.kind for event in plan.events}
    assert kinds == {
        *("fault", "kill", "kill_in_hand", "postgres", "parent"),
        *("sandbox_clock", "publisher_clock", "database_clock", "reddit_tokens"),
        *("pause_channel", "resume_channel", "pause_everything"),
    }
    assert max(len(one.texts) for one in plan.wanted) == 3
    assert {len({w.parent_id for w in plan.wanted}), len(plan.wanted)} == {2000}
    most = max(sum(w.account == account for w in plan.wanted) for account in plan.accounts)
    assert most <= 500  # a timeline is read back 800 posts deep
