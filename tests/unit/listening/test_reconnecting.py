"""X's schedule of reconnecting, as a table, and the mark up to which a stream is stored."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.listening.coverage import Watermark, merged_cursor
from rejoinder.listening.post import Post
from rejoinder.listening.reconnecting import Ladder

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("trouble", "waits"),
    [
        ("closed", [0, 0.25, 0.5, 0.75]),
        ("network", [0, 0.25, 0.5, 0.75]),
        ("silent", [0, 0.25, 0.5, 0.75]),
        ("http", [5, 10, 20, 40, 80, 160, 320, 320]),
        ("rate_limited", [60, 120, 240, 480, 900, 900]),
        ("slot_taken", [60, 120, 240, 480, 900, 900]),
        ("refused", [320, 320]),
    ],
)
def test_each_kind_of_failure_has_its_waits(trouble: str, waits: list[float]) -> None:
    ladder, found = Ladder(), []
    for _ in waits:
        wait_s, ladder = ladder.climb(trouble)
        found.append(wait_s)
    assert found == waits


def test_the_network_waits_sixteen_seconds_at_most() -> None:
    ladder, found = Ladder(), []
    for _ in range(100):
        wait_s, ladder = ladder.climb("network")
        found.append(wait_s)
    assert max(found) == 16 and all(0 <= b - a <= 0.25 for a, b in pairwise(found))


def test_what_the_platform_asks_for_goes_first_and_kinds_are_counted_apart() -> None:
    wait_s, ladder = Ladder().climb("rate_limited", told_s=431.5)
    assert wait_s == 431.5
    assert ladder.climb("http")[0] == 5 and ladder.climb("rate_limited")[0] == 120
    assert ladder.climb("rate_limited", told_s=-3)[0] == 0


def test_the_top_of_a_ladder_is_known() -> None:
    ladder = Ladder()
    for _ in range(6):
        assert not ladder.is_at_top("http")
        _, ladder = ladder.climb("http")
    assert ladder.is_at_top("http")


def post(number: int) -> Post:
    return Post("x", str(1000 + number), "text", START + timedelta(seconds=number))


@given(st.lists(st.integers(0, 300), unique=True, min_size=1), st.data())
def test_nothing_below_the_mark_is_still_to_come(numbers: list[int], data: st.DataObject) -> None:
    """However posts come, out of order by less than the disorder, the mark never passes one that has not come."""
    late = {n: data.draw(st.floats(0, 59)) for n in numbers}
    arrival = sorted(numbers, key=lambda n: n + late[n])
    mark, come = Watermark(timedelta(seconds=60)), set()
    for number in arrival:
        come.add(number)
        found = mark.pass_by([post(number)])
        missing = [n for n in numbers if n not in come]
        assert found is None or not missing or int(found) < 1000 + min(missing)


@given(
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from("123")),
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from("123")),
)
def test_a_poll_alone_leaves_the_cursor_as_it_says(before: dict[str, str], after: dict[str, str]) -> None:
    assert merged_cursor(before, before, after) == after
