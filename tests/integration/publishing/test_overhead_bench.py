"""What the publisher costs, measured over few replies: each goes out once, at the pace of X's limits."""

from bench.publish_overhead import measure_publish_overhead


def test_due_replies_drain_as_fast_as_the_limit_allows_and_no_faster() -> None:
    told: list[int] = []
    found = measure_publish_overhead(110, advance=told.append)
    assert found["is_clean"] and found["drained"] == 110
    assert found["most_in_15_minutes"] == 100 and found["most_in_3_hours"] == 110
    assert found["hours_at_the_limit"] == 0.25 and 0.9 < found["pace_of_limit"] <= 1
    assert found["replies_timed"] == 109
    assert sum(told) == 2 * (110 + 110)
