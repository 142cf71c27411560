"""Who may do what."""

import itertools

import pytest

from rejoinder.errors import NotAllowed
from rejoinder.review.roles import ACTIONS, ROLE_NEEDED, ROLES, Action, Role, may, require

EVERY_PAIR = list(itertools.product(ROLES, ACTIONS))


def test_every_action_names_a_role() -> None:
    assert set(ROLE_NEEDED) == set(ACTIONS)
    assert set(ROLE_NEEDED.values()) == set(ROLES)


def test_a_higher_role_may_all_that_a_lower_one_may() -> None:
    allowed = [{action for action in ACTIONS if may(role, action)} for role in ROLES]
    assert all(lower < higher for lower, higher in itertools.pairwise(allowed))


@pytest.mark.parametrize(("role", "action"), EVERY_PAIR)
def test_require_refuses_exactly_what_may_denies(role: Role, action: Action) -> None:
    if may(role, action):
        require(role, action)
        return
    with pytest.raises(NotAllowed, match=f"needs the role {ROLE_NEEDED[action]}; .* as {role}"):
        require(role, action)


@pytest.mark.parametrize("action", ["approve", "record_handoff", "settle_unknown", "resend"])
def test_no_editor_speaks_for_the_account(action: Action) -> None:
    assert not may("editor", action)
    assert may("approver", action)


def test_only_an_admin_touches_people_and_channels() -> None:
    assert not may("approver", "manage_people")
    assert not may("approver", "manage_channels")


def test_a_viewer_only_views() -> None:
    assert [action for action in ACTIONS if may("viewer", action)] == ["view"]
