"""A link is proposed or not before a word is written, by the policy and by what it costs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.drafting.link_proposals import propose_link
from rejoinder.listening.policy import default_policy

X, REDDIT = default_policy("x/self_serve"), default_policy("reddit/approved_app")


def proposed(policy, *, way="api", is_summoned=False, has_address=True):
    return propose_link(policy, way=way, is_summoned=is_summoned, has_address=has_address)


def test_on_x_a_link_is_left_out_because_it_costs_thirteen_times_as_much():
    found = proposed(X)
    assert not found.is_proposed
    assert (found.price_usd, found.price_with_link_usd) == (0.015, 0.2)
    assert found.price_with_link_usd > 13 * found.price_usd
    summoned = proposed(X, is_summoned=True)
    assert (summoned.price_usd, summoned.reason) == (0.01, "a link costs 0.19 USD more, 0.2 instead of 0.01")


def test_where_it_costs_nothing_more_it_is_proposed():
    for found in (
        proposed(REDDIT),
        proposed(X, way="handoff"),
        proposed(default_policy("sandbox/x/self_serve")),
    ):
        assert (found.is_proposed, found.reason) == (True, "a link costs nothing more")
        assert found.extra_usd == 0


@pytest.mark.parametrize(
    ("changes", "is_proposed"),
    [
        ({"links": "never"}, False),
        ({"links": "when_free"}, False),
        ({"links": "when_worth"}, False),
        ({"links": "when_worth", "link_worth_usd": 0.184}, False),
        ({"links": "when_worth", "link_worth_usd": 0.185}, True),
        ({"links": "always"}, True),
        ({"links": "always", "allow_links": False}, False),
    ],
)
def test_the_policy_decides(changes, is_proposed):
    assert proposed(replace(X, **changes)).is_proposed == is_proposed


def test_without_an_address_there_is_nothing_to_propose():
    found = proposed(replace(REDDIT, links="always"), has_address=False)
    assert (found.is_proposed, "title and time" in found.reason) == (False, True)


PRICES = st.floats(0, 5)


@given(
    PRICES, PRICES, PRICES, st.sampled_from(["never", "when_free", "when_worth", "always"]), st.booleans(),
    st.sampled_from(["api", "handoff"]), st.booleans(),
)  # fmt: skip
def test_every_proposal_says_why_at_both_prices(plain, linked, worth, links, is_summoned, way, has_address):
    policy = replace(
        X,
        price_per_create_usd=plain,
        price_summoned_usd=plain,
        price_with_link_usd=linked,
        link_worth_usd=worth,
        links=links,
    )
    found = proposed(policy, way=way, is_summoned=is_summoned, has_address=has_address)
    assert found.reason
    assert (found.price_usd, found.price_with_link_usd) == ((plain, linked) if way == "api" else (0, 0))
    if found.is_proposed and links != "always":
        allowed = worth if links == "when_worth" else 0
        assert found.extra_usd <= max(allowed, 0) + 1e-6
