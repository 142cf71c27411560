"""Places of a model: who waits, who is told what, and when a place is free again."""

from threading import Event

import pytest

from rejoinder.errors import ModelTrouble
from resources.llm.providers.places import Deadline, Places

LONG_S = 30.0


def test_an_answer_comes_back_and_an_error_as_itself() -> None:
    places = Places(2, "test")
    assert places.run(lambda deadline: deadline.timeout_s, LONG_S) == LONG_S
    with pytest.raises(ZeroDivisionError):
        places.run(lambda _deadline: 1 / 0, LONG_S)


def test_late_work_is_told_to_end_and_keeps_its_place_until_it_does() -> None:
    places, may_end, seen = Places(1, "test"), Event(), Event()

    def work(deadline: Deadline) -> str:
        may_end.wait(LONG_S)
        if deadline.is_over():
            seen.set()
        return "too late"

    with pytest.raises(ModelTrouble) as late:
        places.run(work, 0.01)
    assert late.value.kind == "timeout"
    with pytest.raises(ModelTrouble) as waiting:
        places.run(lambda _deadline: "never begun", 0.01)
    assert waiting.value.kind == "busy"
    may_end.set()
    assert seen.wait(LONG_S)
    assert places.run(lambda _deadline: "free again", LONG_S) == "free again"


def test_a_deadline_is_over_when_its_time_is_or_when_nobody_waits() -> None:
    now = [0.0]
    deadline = Deadline(5, clock=lambda: now[0])
    deadline.check()
    now[0] = 5.0
    assert deadline.is_over()
    with pytest.raises(ModelTrouble, match="5 s"):
        deadline.check()
    left = Deadline(5, clock=lambda: 0.0)
    left.leave()
    assert left.is_over()


def test_work_that_was_left_is_over_though_its_time_is_not() -> None:
    places = Places(1, "test")
    deadlines: list[Deadline] = []
    places.run(deadlines.append, LONG_S)
    assert deadlines[0].is_over()
