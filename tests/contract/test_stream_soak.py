"""A short soak: a fault at random moments while posts flow; every post is stored, none twice."""

from random import Random
from typing import Any

import pytest
from x_listener import XDesk, as_new, wait_for

# What an open connection goes through, and two that keep it from being opened.
FAULTS = ("disconnect", "cut", "duplicate", "disorder", "no_tag", "torn", "unknown", "503", "drop")


@pytest.fixture
def sandbox(shared_x: Any) -> Any:
    """The sandbox of this folder's tests of X."""
    return as_new(shared_x)


@pytest.mark.parametrize("seed", [1, 2])
def test_all_that_was_said_is_stored_once_whatever_breaks(
    db: Any, owner_db: Any, sandbox: Any, seed: int
) -> None:
    chance, desk = Random(seed), XDesk(db, owner_db, sandbox)
    desk.rule("asyncio")
    desk.rule("threads")
    with desk.ear().listening():
        wait_for(lambda: sandbox.get("health")["open_streams"] == 1)
        for number in range(10):
            sandbox.fault("stream", chance.choice(FAULTS), delay_s=0.05)
            wait_for(lambda: not sandbox.get("flow")["running"])
            desk.flow(
                chance.randint(5, 25), text=chance.choice(["asyncio {n}", "threads {n}"]) + f" {number}"
            )
        desk.wait_for_the_flow()
    assert len(desk.flowed()) >= 50
