"""The table of a post's moves: what it holds, what it leads to, what it never allows."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rejoinder.errors import IllegalMove
from rejoinder.review.moves import (
    DONE,
    FINAL_PLACES,
    PLACES,
    POST_MOVES,
    SENDING,
    STAGES,
    START,
    STATUSES,
    WALK_MOVES,
    Place,
    move,
    next_stage,
    targets,
)

ANY_PLACE = st.builds(Place, st.sampled_from(STAGES), st.sampled_from(STATUSES))


def reachable(start: Place, pairs: frozenset[tuple[Place, Place]]) -> set[Place]:
    seen, edge = {start}, {start}
    while edge:
        edge = {after for before, after in pairs if before in edge} - seen
        seen |= edge
    return seen


class PostWalk(RuleBasedStateMachine):
    """A post pushed about at random, legally and not."""

    def __init__(self) -> None:
        super().__init__()
        self.place = START

    @precondition(lambda self: targets(self.place))
    @rule(data=st.data())
    def take_a_legal_move(self, data: st.DataObject) -> None:
        target = data.draw(st.sampled_from(sorted(targets(self.place))))
        self.place = move(self.place, target)
        assert self.place == target

    @rule(wanted=ANY_PLACE)
    def try_any_move(self, wanted: Place) -> None:
        if (self.place, wanted) in POST_MOVES:
            self.place = move(self.place, wanted)
            return
        with pytest.raises(IllegalMove) as refusal:
            move(self.place, wanted)
        assert str(self.place) in str(refusal.value)
        assert str(wanted) in str(refusal.value)

    @invariant()
    def stands_on_the_table(self) -> None:
        assert self.place in PLACES

    @invariant()
    def done_is_the_only_end(self) -> None:
        assert (self.place == DONE) == (not targets(self.place))

    @invariant()
    def can_be_withdrawn_until_done(self) -> None:
        withdrawn = Place(self.place.stage, "withdrawn")
        assert self.place in (DONE, withdrawn) or withdrawn in targets(self.place)


TestPostWalk = PostWalk.TestCase


def test_only_done_is_final() -> None:
    assert {DONE} == FINAL_PLACES


@pytest.mark.parametrize("place", sorted(PLACES), ids=str)
def test_every_place_is_reached_and_leads_to_an_end(place: Place) -> None:
    assert place in reachable(START, POST_MOVES)
    assert reachable(place, POST_MOVES) & FINAL_PLACES


def test_no_move_stands_still() -> None:
    assert not [pair for pair in POST_MOVES if pair[0] == pair[1]]


def test_nothing_is_sent_past_a_review() -> None:
    """Without the one move that an approval makes, no post reaches the queue, nor the end."""
    approved = (Place("review", "pending"), Place("post_queue", "pending"))
    reached = reachable(START, POST_MOVES - {approved})
    assert not [place for place in reached if place.stage in ("post_queue", "done")]


def test_a_reply_under_way_keeps_its_post() -> None:
    assert START not in targets(SENDING)
    assert Place("review", "pending") not in targets(SENDING)


def test_a_withdrawn_post_only_comes_back_from_the_start() -> None:
    for place in PLACES:
        if place.status == "withdrawn":
            assert targets(place) == {START}


def test_the_straight_way_visits_every_stage_in_order() -> None:
    way = [START]
    while way[-1] in {Place(stage, "pending") for stage in STAGES[:4]}:
        working = move(way[-1], Place(way[-1].stage, "processing"))
        way.append(move(working, Place(next_stage(working.stage), "pending")))
    for target in (Place("post_queue", "pending"), SENDING, DONE):
        way.append(move(way[-1], target))
    assert list(dict.fromkeys(place.stage for place in way)) == list(STAGES)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("triage", "pending"), ("research", "pending")),  # unclaimed
        (("triage", "processing"), ("response", "pending")),  # a stage left out
        (("research", "processing"), ("triage", "processing")),
        (("editorial", "processing"), ("post_queue", "pending")),  # past the review
        (("review", "rejected"), ("post_queue", "pending")),
        (("post_queue", "rate_limited"), ("done", "completed")),
        (("post_queue", "failed"), ("post_queue", "processing")),  # no retry without a person
        (("done", "completed"), ("done", "withdrawn")),
    ],
)
def test_moves_that_must_not_exist(before: tuple[str, str], after: tuple[str, str]) -> None:
    with pytest.raises(IllegalMove):
        move(Place(*before), Place(*after))  # type: ignore[arg-type]


def test_the_walk_alone_is_as_large_as_its_rows() -> None:
    assert len(WALK_MOVES) == 4 * 7 + 4 + 17


def test_done_has_no_next_stage() -> None:
    with pytest.raises(IllegalMove):
        next_stage("done")
