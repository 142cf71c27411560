"""Aliases of prompts: who gets the challenger, and what holds where two registries differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.llm.choosing import arm_of
from rejoinder.prompts.aliases import Aliases, InForce, settle
from rejoinder.prompts.loader import load_prompt

CHAMPION, CHALLENGER = load_prompt("reply", 1), load_prompt("claims", 1)
BOTH = InForce(CHAMPION, CHALLENGER)
versions = st.sampled_from(["a", "b", "c", None])


def test_a_unit_keeps_its_side_and_a_larger_share_keeps_those_that_a_smaller_one_had() -> None:
    units = [f"post:{n}" for n in range(2_000)]
    few = {unit for unit in units if BOTH.choose("reply", unit, 0.1)[1] == "challenger"}
    more = {unit for unit in units if BOTH.choose("reply", unit, 0.3)[1] == "challenger"}
    assert few == {unit for unit in units if BOTH.choose("reply", unit, 0.1) == (CHALLENGER, "challenger")}
    assert few < more
    # Five standard deviations of 2,000 draws.
    assert 133 <= len(few) <= 267 and 498 <= len(more) <= 702


def test_who_gets_the_challenger_says_nothing_about_who_gets_another_model() -> None:
    units = [f"post:{n}" for n in range(4_000)]
    prompt = {unit for unit in units if BOTH.choose("reply", unit, 0.5)[1] == "challenger"}
    model = {unit for unit in units if arm_of("reply", unit, 0.5) == "challenger"}
    assert 860 <= len(prompt & model) <= 1_140, "a quarter of all, were the two independent"


def test_without_a_challenger_the_share_means_nothing() -> None:
    assert InForce(CHAMPION).choose("reply", "post:1", 1.0) == (CHAMPION, "champion")
    assert BOTH.choose("reply", "post:1", 0.0) == (CHAMPION, "champion")


def test_no_version_carries_both_aliases() -> None:
    with pytest.raises(ValueError, match="at once"):
        Aliases("a", "a")
    assert Aliases("a", "b").with_champion("c") == Aliases("c", "b")


@given(versions, versions, versions)
def test_two_registries_come_to_the_same_whoever_moved(agreed: str, ours: str, theirs: str) -> None:
    version, is_conflict = settle(agreed, ours, theirs)
    assert version in (ours, theirs)
    assert is_conflict == (len({agreed, ours}) == 2 and theirs not in (agreed, ours))
    if ours != agreed:
        assert version == ours, "what was moved here is never overruled"
    # Once both have it, nothing moves any more.
    assert settle(version, version, version) == (version, False)


@given(st.lists(st.tuples(st.booleans(), versions), max_size=8))
def test_looked_at_after_each_move_the_last_one_counts(moves: list[tuple[bool, str]]) -> None:
    agreed = ours = theirs = "a"
    for is_here, version in moves:
        ours, theirs = (version, theirs) if is_here else (ours, version)
        ours = theirs = agreed = settle(agreed, ours, theirs)[0]
        assert ours == version
