"""Policies as rows keep them: what an earlier release stored, or a later one, is read all the same."""

from dataclasses import replace

import pytest

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.policy import DEFAULT_POLICIES, default_policy
from rejoinder.listening.quiet_hours import read_quiet_hours
from resources.store.channels import read_policy, write_policy

X = default_policy("x/self_serve")
# The fields that the first release stored.
FIRST = (
    "name", "reply_mode", "may_train", "may_profile", "retention_s", "allow_links", "label", "operator",
    "price_per_create_usd", "price_with_link_usd", "price_per_read_usd", "spend_cap_usd_per_day", "sources",
)  # fmt: skip


@pytest.mark.parametrize("policy", DEFAULT_POLICIES.values(), ids=list(DEFAULT_POLICIES))
def test_what_is_written_is_read_again(policy):
    assert read_policy(write_policy(policy)) == policy
    changed = replace(policy, quiet_hours=read_quiet_hours("22:00-07:00 Asia/Kolkata"), author_window_s=7)
    assert read_policy(write_policy(changed)) == changed


@pytest.mark.parametrize("policy", DEFAULT_POLICIES.values(), ids=list(DEFAULT_POLICIES))
def test_what_the_first_release_stored_is_completed_by_what_is_shipped(policy):
    stored = {key: value for key, value in write_policy(policy).items() if key in FIRST}
    assert read_policy(stored) == policy


def test_a_sandbox_stored_before_operators_had_names_needs_none():
    twin = default_policy("sandbox/x/self_serve")
    assert read_policy(write_policy(twin) | {"operator": "required"}) == twin
    assert read_policy(write_policy(X) | {"operator": "required"}).operator == "required"
    assert read_policy(write_policy(X) | {"operator": None}).operator is None


def test_a_field_of_a_later_release_is_left_out():
    assert read_policy(write_policy(X) | {"colour": "red"}) == X


@pytest.mark.parametrize("change", [{"name": None}, {"reply_mode": "shout"}, {"retention_s": -1}])
def test_what_is_no_policy_is_refused_with_its_place(change):
    with pytest.raises(ConfigInvalid, match="policy"):
        read_policy(write_policy(X) | change)
