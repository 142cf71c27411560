"""Changing a policy: values as people write them, and what a platform does not let pass."""

from dataclasses import fields, replace

import pytest

from rejoinder.errors import ConfigInvalid, NotAllowed
from rejoinder.listening.policy import DEFAULT_POLICIES, ChannelPolicy, PaidAction, default_policy
from rejoinder.listening.policy_changes import KEYS, READERS, change, refuse_loosening, rows, shown

X = default_policy("x/self_serve")


def test_every_rule_can_be_set_and_is_shown():
    assert set(KEYS) == set(READERS) == {f.name for f in fields(ChannelPolicy)} - {"name", "sources"}
    for policy in DEFAULT_POLICIES.values():
        assert [row.key for row in rows(policy)] == list(KEYS)
        assert not any(row.shipped for row in rows(policy))


def test_values_are_read_as_people_write_them():
    given = {
        "operator": "Ada Lovelace", "quiet_hours": "22:00-07:00 Europe/Berlin", "replies_per_conversation": "none",
        "spend_cap_usd_per_month": "100", "allow_links": "no", "retention_s": " 3600 ",
    }  # fmt: skip
    wanted = change(X, given)
    assert (wanted.operator, str(wanted.quiet_hours)) == ("Ada Lovelace", "22:00-07:00 Europe/Berlin")
    assert wanted.replies_per_conversation is None and wanted.spend_cap_usd_per_month == 100
    assert (wanted.allow_links, wanted.retention_s) == (False, 3600)
    assert {row.key for row in rows(wanted) if row.shipped} == set(given)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("colour", "red"), ("name", "x/enterprise"), ("may_train", "maybe"), ("retention_s", "a day"),
        ("price_per_read_usd", "nan"), ("price_per_read_usd", "-1"), ("quiet_hours", "at night"),
        ("reply_mode", "shout"), ("replies_per_author_window", "0"), ("recheck_s", "0"), ("author_window_s", "none"),
    ],
)  # fmt: skip
def test_what_is_no_rule_or_no_value_is_refused(key, value):
    with pytest.raises(ConfigInvalid):
        change(X, {key: value})


@pytest.mark.parametrize(
    "given",
    [
        {"may_train": "yes"}, {"may_profile": "yes"}, {"reply_mode": "api"}, {"retention_s": "90000"},
        {"label": "none"}, {"operator": "none"},
    ],
)  # fmt: skip
def test_what_the_platform_forbids_needs_its_permission(given):
    wanted = change(X, given)
    with pytest.raises(NotAllowed, match="--i-have-permission"):
        refuse_loosening(X, wanted, " ")
    assert len(refuse_loosening(X, wanted, "letter of 2026-11-01")) == 1


def test_stricter_is_always_allowed_and_what_was_permitted_stays():
    strict = change(
        X, {"reply_mode": "handoff", "retention_s": "60", "operator": "Ada", "author_window_s": "0"}
    )
    assert refuse_loosening(X, strict, "") == []
    permitted = replace(X, may_train=True)
    assert refuse_loosening(permitted, replace(permitted, thread_posts=0), "") == []


def test_the_sandbox_forbids_nothing():
    sandbox = default_policy("sandbox/x/self_serve")
    assert refuse_loosening(sandbox, change(sandbox, {"reply_mode": "api", "label": "none"}), "") == []


def test_every_paid_action_has_its_price_and_none_is_free_on_x():
    actions = PaidAction.__args__
    assert {action: X.price_usd(action) for action in actions} == {
        "post_read": 0.005, "user_read": 0.01, "own_read": 0.001, "counts_read": 0.005, "create": 0.015,
        "create_with_link": 0.2, "create_summoned": 0.01, "delete": 0.01,
    }  # fmt: skip
    assert not any(default_policy("sandbox/x/self_serve").prices().values())


def test_amounts_and_times_are_shown_with_their_units():
    assert shown("recheck_s", 43_200) == "12 hours" and shown("author_window_s", 0) == "0 seconds"
    assert shown("author_window_s", 100) == "100 seconds" and shown("spend_cap_usd_per_day", 10.0) == "10 USD"
