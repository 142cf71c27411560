"""Which rules X refuses, in every way in which it may say so."""

from collections.abc import Sequence
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.listening.rules import ListeningRule
from resources.platforms import x_rules
from resources.platforms.failures import Refused

INVALID = "https://api.x.com/2/problems/invalid-rules"


class Rules:
    """X's rules: takes the good ones of a request, or none where one is bad; names the bad ones, or not."""

    def __init__(self, bad: set[str], *, is_whole: bool, names: bool) -> None:
        self.bad, self.is_whole, self.names = bad, is_whole, names
        self.there: list[dict[str, str]] = []
        self.n_posts = 0

    def __call__(self, method: str, path: str, json: dict[str, Any] | None = None) -> dict[str, Any]:
        if method == "GET":
            return {"data": self.there}
        assert json is not None and path == x_rules.RULES_PATH
        self.n_posts += 1
        wanted: Sequence[dict[str, str]] = json["add"]
        bad = [one for one in wanted if one["value"] in self.bad]
        if bad and not self.names:
            raise Refused("invalid", "one of the rules cannot be read")
        taken = [] if bad and self.is_whole else [one for one in wanted if one not in bad]
        created = [{**one, "id": str(len(self.there) + n)} for n, one in enumerate(taken)]
        self.there += created
        said = {"title": "UnprocessableEntity", "details": ["no viable alternative"], "type": INVALID}
        return {"data": created, "errors": [{"value": one["value"], **said} for one in bad]}


@given(st.sets(st.integers(0, 250), max_size=12), st.integers(1, 250), st.booleans(), st.booleans())
def test_the_good_are_there_and_the_bad_are_named(
    bad: set[int], n_rules: int, is_whole: bool, names: bool
) -> None:
    rules = [ListeningRule(f"tag{n}", f"word{n}") for n in range(n_rules)]
    x = Rules({f"word{n}" for n in bad}, is_whole=is_whole or not names, names=names)
    changes = x_rules.apply(x, rules)
    good = {rule for rule in rules if rule.x_query not in x.bad}
    assert (
        {row["value"] for row in x.there}
        == {rule.x_query for rule in good}
        == {rule.x_query for rule in changes.added}
    )
    assert {one.rule for one in changes.refused} == set(rules) - good
    assert all(one.reason for one in changes.refused)


def test_a_token_that_may_not_is_no_fault_of_a_rule() -> None:
    def ask(method: str, path: str, **_: Any) -> dict[str, Any]:
        if method == "POST":
            raise Refused("usage_capped", "the cap of rules")
        return {}

    with pytest.raises(Refused, match="the cap of rules"):
        x_rules.apply(ask, [ListeningRule("a", "one"), ListeningRule("b", "two")])


@pytest.mark.parametrize(
    ("body", "is_told"),
    [
        (b'{"errors": [{"value": "( OR )", "details": ["no"]}]}', True),
        (b'{"errors": [{"message": "no", "parameters": {}}]}', False),
        (b'{"title": "Invalid Request"}', False),
        (b"Service Unavailable", False),
    ],
)
def test_a_refusal_that_names_rules_is_told_apart(body: bytes, is_told: bool) -> None:
    response = requests.Response()
    response.status_code, response._content = 400, body
    assert (x_rules.told_of_rules(response) is not None) == is_told
