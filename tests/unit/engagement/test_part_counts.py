"""A reply in several parts: deeds are added up, readers are counted once, our own continuation is nobody's answer."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rejoinder.engagement.counts import PartCounts, whole

COUNTS = st.integers(0, 10**6)
TOLD = st.none() | COUNTS
PARTS = st.builds(PartCounts, TOLD, st.integers(-50, 10**6), COUNTS, COUNTS, TOLD, TOLD, st.booleans())


@given(PARTS.map(lambda part: replace(part, is_gone=False)))
def test_a_reply_of_one_part_counts_as_it_is(part: PartCounts) -> None:
    one = whole([part])
    assert (one.impressions, one.likes, one.replies, one.reposts) == (
        part.impressions, part.likes, part.replies, part.reposts)  # fmt: skip
    assert (one.link_clicks, one.profile_clicks) == (part.link_clicks, part.profile_clicks)
    assert (one.n_parts, one.n_parts_gone, one.is_gone) == (1, 0, False)


@given(st.lists(PARTS, min_size=1, max_size=6))
def test_what_is_gone_counts_nothing_and_no_count_is_below_none(parts: list[PartCounts]) -> None:
    together = whole(parts)
    standing = [part for part in parts if not part.is_gone]
    assert together.likes == sum(part.likes for part in standing)
    assert 0 <= together.replies <= sum(part.replies for part in standing)
    assert together.n_parts_gone == len(parts) - len(standing) and together.is_gone == parts[0].is_gone


def test_the_parts_that_follow_are_not_answers() -> None:
    parts = [PartCounts(100, 0, 1, 0), PartCounts(50, 0, 1, 0), PartCounts(20, 0, 2, 0)]
    assert whole(parts).replies == 2
    assert whole([*parts[:2], replace(parts[2], is_gone=True)]).replies == 1


def test_clicks_that_nobody_tells_are_not_none_at_all() -> None:
    assert whole([PartCounts(1, 0, 0, 0, None, 0)]).link_clicks is None
    assert whole([PartCounts(1, 0, 0, 0, None, 0), PartCounts(1, 0, 0, 0, 2, None)]).link_clicks == 2
