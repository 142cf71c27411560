"""The rules of X's filtered stream, brought in line with ours by difference, and the connections X lists.

A tag cannot be changed on X, so a rule with another tag is deleted and added again; a rule that somebody added
without a tag is none of ours and goes too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.rules import ListeningRule, rule_set_problems
from resources.platforms.failures import Refused
from resources.platforms.streaming import RuleChanges

RULES_PATH = "/2/tweets/search/stream/rules"
CONNECTIONS_PATH = "/2/connections"
# One request of X takes more, but an answer of a thousand errors helps nobody.
RULES_PER_REQUEST = 100

Ask = Callable[..., dict[str, Any]]


def plan(ask: Ask, rules: Sequence[ListeningRule]) -> tuple[RuleChanges, list[str]]:
    """What to change, and the ids of the rules to delete.

    Raises:
        ConfigInvalid: the rules are more than X's stream takes, or one is there twice.
    """
    problems = rule_set_problems(rules)
    if problems:
        raise ConfigInvalid(
            "; ".join(problems), fix="Change the keywords, or disable a channel of this token."
        )
    there = {_rule(row): str(row["id"]) for row in ask("GET", RULES_PATH).get("data") or []}
    wanted = {ListeningRule(rule.tag, rule.x_query) for rule in rules}
    extra = [rule for rule in there if rule not in wanted]
    changes = RuleChanges(
        added=tuple(sorted(wanted - there.keys(), key=lambda rule: rule.tag)),
        removed=tuple(extra),
        kept=tuple(sorted(wanted & there.keys(), key=lambda rule: rule.tag)),
    )
    return changes, [there[rule] for rule in extra]


def _rule(row: Mapping[str, Any]) -> ListeningRule:
    return ListeningRule(str(row.get("tag") or ""), str(row["value"]))


def apply(ask: Ask, rules: Sequence[ListeningRule]) -> RuleChanges:
    """Make X's rules equal to these.

    Raises:
        Refused: X does not take a rule.
    """
    changes, extra = plan(ask, rules)
    for start in range(0, len(extra), RULES_PER_REQUEST):
        ask("POST", RULES_PATH, json={"delete": {"ids": extra[start : start + RULES_PER_REQUEST]}})
    for start in range(0, len(changes.added), RULES_PER_REQUEST):
        part = changes.added[start : start + RULES_PER_REQUEST]
        answer = ask("POST", RULES_PATH, json={"add": [{"value": r.x_query, "tag": r.tag} for r in part]})
        problems = [error for error in answer.get("errors", []) if error.get("title") != "DuplicateRule"]
        if problems:
            raise refused_rules(problems)
    return changes


def refused_rules(problems: Sequence[Mapping[str, Any]]) -> Refused:
    """The failure that names the rules which X does not take."""
    detail = "; ".join(f"{error.get('value')}: {error.get('details')}" for error in problems)
    return Refused("invalid", f"X does not take a listening rule: {detail}")


def open_connections(ask: Ask) -> list[Mapping[str, Any]]:
    """The connections of the token to the filtered stream that X believes to stand."""
    found = ask("GET", CONNECTIONS_PATH, params={"status": "active"}).get("data") or []
    # One that broke may be told of as gone and still take the place: the status alone counts.
    return [one for one in found if "filtered" in str(one.get("endpoint_name", "filtered"))]


def end_connection(ask: Ask, connection_id: str) -> None:
    """Have X end a connection."""
    ask("DELETE", CONNECTIONS_PATH, json={"uuids": [connection_id]})


def read_answer(response: requests.Response) -> dict[str, Any]:
    """The body of an answer; an empty one is an empty object.

    Raises:
        ValueError: it is not a JSON object.
    """
    body = response.json() if response.content else {}
    if not isinstance(body, dict):
        raise ValueError("the answer is not a JSON object")
    return body
