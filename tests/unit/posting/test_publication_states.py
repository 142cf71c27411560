"""The table of a publication's moves."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rejoinder.errors import IllegalMove
from rejoinder.posting.states import (
    BIRTH_STATES,
    PUBLICATION_MOVES,
    STATES,
    PublicationState,
    move,
)


def targets(state: PublicationState) -> list[PublicationState]:
    return sorted(after for before, after in PUBLICATION_MOVES if before == state)


def is_final(state: PublicationState) -> bool:
    return not targets(state)


def reachable(starts: set[PublicationState]) -> set[PublicationState]:
    seen = set(starts)
    while more := {after for before, after in PUBLICATION_MOVES if before in seen} - seen:
        seen |= more
    return seen


class PublicationLife(RuleBasedStateMachine):
    """A publication pushed about at random, legally and not."""

    @initialize(state=st.sampled_from(sorted(BIRTH_STATES)))
    def is_born(self, state: PublicationState) -> None:
        self.state = state
        self.history = [state]

    @precondition(lambda self: not is_final(self.state))
    @rule(data=st.data())
    def take_a_legal_move(self, data: st.DataObject) -> None:
        self.state = move(self.state, data.draw(st.sampled_from(targets(self.state))))
        self.history.append(self.state)

    @rule(wanted=st.sampled_from(STATES))
    def try_any_move(self, wanted: PublicationState) -> None:
        if (self.state, wanted) in PUBLICATION_MOVES:
            self.state = move(self.state, wanted)
            self.history.append(self.state)
            return
        with pytest.raises(IllegalMove, match=f"from {self.state} to {wanted}"):
            move(self.state, wanted)

    @invariant()
    def nothing_follows_a_final_state(self) -> None:
        assert not any(is_final(state) for state in self.history[:-1])

    @invariant()
    def no_second_request_without_a_settled_first(self) -> None:
        """Between two sendings the publication was queued again: the first is known or judged."""
        sendings = [i for i, state in enumerate(self.history) if state == "sending"]
        assert all(self.history[i - 1] == "queued" for i in sendings)


TestPublicationLife = PublicationLife.TestCase


def test_every_state_is_reached_and_leads_to_a_final_one() -> None:
    assert reachable(set(BIRTH_STATES)) == set(STATES)
    for state in STATES:
        assert any(is_final(end) for end in reachable({state})), state


def test_final_states_are_these() -> None:
    assert [state for state in STATES if is_final(state)] == ["sent", "cancelled", "abandoned"]


def test_unknown_never_goes_straight_to_sending() -> None:
    assert ("unknown", "sending") not in PUBLICATION_MOVES


def test_what_is_being_sent_cannot_be_cancelled_or_handed_off() -> None:
    assert targets("sending") == ["queued", "refused", "sent", "unknown"]
