"""A short fault campaign: publishers are killed and paused, PostgreSQL crashes, connections drop: nothing is amiss."""

import sys
from types import ModuleType

import pytest

from bench.publish_faults import measure_publish_faults


def test_nothing_is_lost_doubled_or_unapproved_while_everything_breaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Tests of the review app leave it as the main module, which every publisher would run as its own.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    done = measure_publish_faults(
        publications=40, publishers=2, seed=11, advance=lambda n: None, longest_s=300
    )
    assert done["violations"] == dict.fromkeys(done["violations"], 0)
    assert done["is_clean"] and sum(done["ends"].values()) >= 40
    assert done["pauses_of_a_channel"] >= 1 and done["pauses_of_everything"] >= 1
    assert done["kills"] >= 3 and done["postgres_restarts"] == 1
    assert done["n_faults"] >= 10 and done["clocks_set_wrong"] >= 2
