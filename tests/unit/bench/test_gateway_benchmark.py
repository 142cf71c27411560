"""The figures of the gateway's benchmark, from times that are known."""

import itertools

import pytest

from bench.gateway import _asked, _compared, _memory, n_steps


def test_what_is_added_is_measured_pair_by_pair() -> None:
    bare = [100.0 + n for n in range(40)]
    ours = [time + 2.0 for time in bare]
    ours[0] += 500.0  # one hiccup
    found = _compared(ours, bare)
    assert (found["value"], found["unit"], found["baseline"]) == (2.0, "ms", 119.5)
    assert found["ratio"] == pytest.approx(122 / 119.5, abs=0.01)
    assert found["p95_added_ms"] == pytest.approx(2.0, abs=1.1)


def test_no_two_calls_ask_the_same() -> None:
    assert len({_asked(number).messages for number in range(100)}) == 100


def test_memory_is_looked_at_twice_and_every_call_is_told() -> None:
    held: list[bytes] = []
    told = itertools.count()
    found = _memory(
        lambda number: held.append(b"x" * 400_000), 500, itertools.count(), lambda n: (next(told), None)[1]
    )
    assert {"memory_mib_at_100", "memory_mib_at_500"} <= set(found)
    # 400 kB per call that are never let go are 400 MB in 1,000 calls; some may lie where other tests had their memory.
    assert found["memory_growth_kib_per_1000_calls"] > 50_000
    assert next(told) == 500 and n_steps(10, 500) == 710
