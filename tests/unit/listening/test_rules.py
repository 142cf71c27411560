"""Rules from keywords: the grammar, the limits, the mention rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.reddit_search import reddit_query
from rejoinder.listening.rules import (
    MAX_QUERY_CHARS,
    ListeningRule,
    query_problems,
    rules_from_keywords,
    validate_rule,
)


@given(st.lists(st.text(max_size=100), max_size=60))
def test_any_keywords_give_valid_tagged_rules(keywords):
    rules = rules_from_keywords(keywords, account="rejoinder")
    assert rules[0].x_query.startswith("@rejoinder ")
    for rule in rules:
        assert rule.tag
        assert len(rule.x_query) <= MAX_QUERY_CHARS
        assert query_problems(rule.x_query) == []


def test_every_keyword_is_listened_for_once_and_in_order():
    keywords = [f"keyword number {i}" for i in range(60)]
    rules = rules_from_keywords([*keywords, "KEYWORD number 3"], account="me")
    text = " ".join(rule.x_query for rule in rules)
    assert [text.count(f'"{keyword}"') for keyword in keywords] == [1] * 60
    assert len(rules) > 2
    assert len({rule.tag for rule in rules}) == len(rules)


def test_keywords_are_listened_for_in_the_singular_and_the_plural():
    query = rules_from_keywords(["heat pump", "LLMs", "heat pumps"], account="me")[1].x_query
    assert query == '("heat pump" OR "heat pumps" OR "LLMs" OR "LLM") -from:me -is:retweet'


def test_the_same_keywords_give_the_same_tags():
    first = rules_from_keywords(["asyncio", "types"], account="me")
    assert first == rules_from_keywords(["asyncio", "types"], account="@me")


def test_quotes_inside_a_keyword_cannot_break_out():
    rules = rules_from_keywords(['a" OR from:someone OR "b'], account="me")
    assert rules[1].x_query == '("a OR from:someone OR b") -from:me -is:retweet'


def test_communities_go_with_keyword_rules():
    mention, keyword = rules_from_keywords(["asyncio"], account="me", communities=["Python"])
    assert mention.communities == ()
    assert keyword.communities == ("Python",)


def test_a_handle_is_one_of_its_platform():
    name = "long-name_of_reddit"
    _, rule = rules_from_keywords(["asyncio"], account=name, platform="reddit")
    assert reddit_query(rule.x_query) == f'("asyncio" OR "asyncios") AND NOT author:{name}'
    assert rules_from_keywords(["asyncio"], account="@me@forum.example", platform="forum")[0].tag
    for platform, wrong in [("x", name), ("reddit", "me"), ("reddit", "a b"), ("forum", "me OR you")]:
        with pytest.raises(ConfigInvalid, match="is not a"):
            rules_from_keywords(["asyncio"], account=wrong, platform=platform)


@pytest.mark.parametrize("account", ["", "a b", "@", "x" * 16, "me OR you"])
def test_an_account_that_is_no_handle_is_refused(account):
    with pytest.raises(ConfigInvalid):
        rules_from_keywords(["asyncio"], account=account)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", "empty"),
        ("x" * 513, "513 characters"),
        ('"open', "not closed"),
        ("(a OR b", "do not match"),
        (")a(", "do not match"),
        ('a OR ""', "phrase is empty"),
        ("a OR OR b", "OR needs"),
        ("OR a", "OR needs"),
        ("(a OR) b", "OR needs"),
        ("-(a b) c", "negated"),
        ("lang:en -is:retweet", "stand alone"),
    ],
)
def test_bad_queries_are_named(query, problem):
    with pytest.raises(ConfigInvalid, match=problem):
        validate_rule(ListeningRule("tag", query))


def test_a_rule_without_a_tag_is_refused():
    with pytest.raises(ConfigInvalid, match="no tag"):
        validate_rule(ListeningRule(" ", "python"))
