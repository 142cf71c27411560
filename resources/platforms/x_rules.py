"""The rules of X's filtered stream, brought in line with ours by difference, and the connections X lists.

A tag cannot be changed on X, so a rule of ours with another tag is deleted and added again. What has no tag of ours is
another program's: it stays.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import requests

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.rules import MAX_RULES, ListeningRule, is_ours, rule_set_problems
from resources.platforms.failures import Refused
from resources.platforms.port import RefusedRule
from resources.platforms.streaming import RuleChanges

RULES_PATH = "/2/tweets/search/stream/rules"
CONNECTIONS_PATH = "/2/connections"
# One request of X takes more, but an answer of a thousand errors helps nobody.
RULES_PER_REQUEST = 100

T = TypeVar("T")
Ask = Callable[..., dict[str, Any]]


def plan(ask: Ask, rules: Sequence[ListeningRule]) -> tuple[RuleChanges, list[str]]:
    """What to change, and the ids of the rules to delete; what other programs put there is left alone.

    Raises:
        ConfigInvalid: the rules are more than X's stream takes, or one is there twice.
    """
    there = {_rule(row): str(row["id"]) for row in ask("GET", RULES_PATH).get("data") or []}
    wanted = {ListeningRule(rule.tag, rule.x_query) for rule in rules}
    foreign = sorted((rule for rule in there if rule not in wanted and not is_ours(rule.tag)), key=_by_tag)
    _refuse_too_many(rules, foreign)
    extra = [rule for rule in there if rule not in wanted and is_ours(rule.tag)]
    # X takes a query once: where another program asks for the same, it is delivered already.
    asked = {rule.x_query for rule in foreign}
    kept = {rule for rule in wanted if rule in there or rule.x_query in asked}
    changes = RuleChanges(
        added=tuple(sorted(wanted - kept, key=_by_tag)),
        removed=tuple(extra),
        kept=tuple(sorted(kept, key=_by_tag)),
        foreign=tuple(foreign),
    )
    return changes, [there[rule] for rule in extra]


def _by_tag(rule: ListeningRule) -> str:
    return rule.tag


def _refuse_too_many(rules: Sequence[ListeningRule], foreign: Sequence[ListeningRule]) -> None:
    problems = rule_set_problems(rules)
    if not problems and len(rules) + len(foreign) > MAX_RULES:
        problems = [
            f"there are {len(rules)} rules and {len(foreign)} of other programs, X's stream takes {MAX_RULES}"
        ]
    if problems:
        raise ConfigInvalid(
            "; ".join(problems), fix="Change the keywords, or disable a channel of this token."
        )


def _rule(row: Mapping[str, Any]) -> ListeningRule:
    return ListeningRule(str(row.get("tag") or ""), str(row["value"]))


def apply(ask: Ask, rules: Sequence[ListeningRule]) -> RuleChanges:
    """Make X's rules equal to these; those that X does not take are told of, the others are there.

    Raises:
        Refused: X takes no rules at all, or no more of them.
    """
    changes, extra = plan(ask, rules)
    for part in batched(extra):
        ask("POST", RULES_PATH, json={"delete": {"ids": list(part)}})
    refused = tuple(one for part in batched(changes.added) for one in _add(ask, part))
    unwanted = {one.rule for one in refused}
    taken = tuple(rule for rule in changes.added if rule not in unwanted)
    return replace(changes, added=taken, refused=refused)


def batched(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """The items in parts that one request takes."""
    return (items[start : start + RULES_PER_REQUEST] for start in range(0, len(items), RULES_PER_REQUEST))


def _add(ask: Ask, rules: Sequence[ListeningRule]) -> list[RefusedRule]:
    """Add rules; those that X does not take, whether it then took the others of the request or none of them."""
    try:
        answer = ask("POST", RULES_PATH, json={"add": [{"value": r.x_query, "tag": r.tag} for r in rules]})
    except Refused as refusal:
        if refusal.code != "invalid":
            raise
        return _add_halves(ask, rules, refusal.detail)
    problems = {str(one.get("value")): one for one in answer.get("errors") or []}
    refused = [
        RefusedRule(rule, _words(problems[rule.x_query]))
        for rule in rules
        if rule.x_query in problems and not _is_duplicate(problems[rule.x_query])
    ]
    there = {str(row.get("value")) for row in answer.get("data") or []} | problems.keys()
    left = [rule for rule in rules if rule.x_query not in there]
    return refused + (_add(ask, left) if refused and left else [])


def _add_halves(ask: Ask, rules: Sequence[ListeningRule], detail: str) -> list[RefusedRule]:
    """Add rules of which X does not say which it refuses: half by half, down to those."""
    if len(rules) == 1:
        return [RefusedRule(rules[0], detail)]
    half = len(rules) // 2
    return _add(ask, rules[:half]) + _add(ask, rules[half:])


def _is_duplicate(problem: Mapping[str, Any]) -> bool:
    return problem.get("title") == "DuplicateRule"


def _words(problem: Mapping[str, Any]) -> str:
    said = problem.get("details") or problem.get("detail") or problem.get("title") or "no reason given"
    return "; ".join(map(str, said)) if isinstance(said, list) else str(said)


def none_taken(refused: Sequence[RefusedRule]) -> Refused:
    """The failure that names the rules which X does not take."""
    detail = "; ".join(f"{rule.x_query}: {reason}" for rule, reason in refused)
    return Refused("invalid", f"X does not take a listening rule: {detail}")


def told_of_rules(response: requests.Response) -> dict[str, Any] | None:
    """The body of a refusal that names the rules which X does not take; None where it names none.

    X answers 400 where it took no rule of a request, and says the same of each rule as it does beside a success.
    """
    try:
        body = read_answer(response)
    except ValueError:
        return None
    errors = body.get("errors")
    if not isinstance(errors, list) or not errors:
        return None
    return body if all(isinstance(one, dict) and "value" in one for one in errors) else None


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
