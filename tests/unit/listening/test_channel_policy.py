"""Channel policies: who may be answered how, and at what price."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.answerable import how_to_publish
from rejoinder.listening.policy import (
    DEFAULT_POLICIES,
    default_policy,
    is_summoned,
    reply_price_usd,
)
from rejoinder.listening.post import Post

X_POST = Post("x", "1", "what do you think?", datetime(2026, 1, 1, tzinfo=UTC), author="ada")
REDDIT_POST = replace(X_POST, platform="reddit", platform_post_id="t3_1", mentions=("me",))


def test_a_mention_or_a_quote_summons_on_x():
    assert is_summoned(replace(X_POST, mentions=("other", "me")), "@Me")
    assert is_summoned(replace(X_POST, quoted_author="me"), "me")
    assert not is_summoned(X_POST, "me")
    assert not is_summoned(replace(X_POST, mentions=("melanie",)), "me")


def test_who_names_the_account_on_reddit_called_it():
    assert is_summoned(REDDIT_POST, "me") and not is_summoned(REDDIT_POST, "you")


@pytest.mark.parametrize(
    ("policy", "post", "way"),
    [
        ("x/self_serve", X_POST, "handoff"),
        ("sandbox/x/self_serve", replace(X_POST, mentions=("me",)), "api"),
        ("sandbox/x/enterprise", X_POST, "api"),
        ("reddit/approved_app", REDDIT_POST, "api"),
        ("sandbox/x/self_serve", X_POST, "handoff"),
    ],
)
def test_how_to_publish(policy, post, way):
    assert how_to_publish(post, default_policy(policy), "me") == way


def test_handoff_stays_handoff_even_when_summoned():
    policy = replace(default_policy("x/enterprise"), reply_mode="handoff")
    assert how_to_publish(replace(X_POST, mentions=("me",)), policy, "me") == "handoff"


def test_platform_content_trains_nothing_unless_someone_says_so():
    real = [policy for name, policy in DEFAULT_POLICIES.items() if not name.startswith("sandbox/")]
    assert real
    assert not any(policy.may_train or policy.may_profile for policy in real)


def test_each_shipped_rule_names_its_source_and_day():
    for policy in DEFAULT_POLICIES.values():
        assert policy.sources
        assert all(rule.rule and rule.source and rule.read_on for rule in policy.sources)


def test_a_link_costs_more_on_x():
    policy = default_policy("x/self_serve")
    assert reply_price_usd(policy, has_link=True) == 0.20
    assert reply_price_usd(policy, has_link=False) == 0.015


def test_unknown_names_and_negative_amounts_are_refused():
    with pytest.raises(ConfigInvalid, match="x/self_serve"):
        default_policy("x/free")
    with pytest.raises(ConfigInvalid, match="negative"):
        replace(default_policy("x/self_serve"), price_per_read_usd=-1)
