"""Kinds of notices: all that the code tells of are in the table, and choices take what they say."""

import ast
from pathlib import Path

import pytest

from rejoinder.notices.kinds import KINDS, SEVERITIES, Choice, kind_of

ROOT = Path(__file__).resolve().parents[3]
# What tells of something, and where its kind stands among the arguments.
TELLERS = {"notify", "_notify"}


def kinds_told() -> set[str]:
    """The kinds that stand as literals in calls that tell people something."""
    found = set()
    for package in ("resources", "sensors", "assets", "jobs", "api", "cli"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and getattr(node.func, "id", getattr(node.func, "attr", "")) in TELLERS
                ):
                    found |= set(literals(node.args[:2]))
    return found


def literals(arguments: list[ast.expr]) -> list[str]:
    values = [a.value for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return [value for value in values if value.replace("_", "").isalpha() and value.islower()]


def test_every_kind_that_is_told_is_in_the_table() -> None:
    told = kinds_told()
    assert {"refused", "auth_expired", "spend_cap", "run_failed"} <= told
    assert told - set(KINDS) == set()


def test_every_kind_has_a_row_in_the_docs() -> None:
    page = (ROOT / "docs" / "notifications.md").read_text("utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    missing = {n for n, k in KINDS.items() if n != "test" and f"| {k.severity} |" not in rows.get(n, "")}
    assert missing == set()


def test_an_unknown_kind_is_a_warning() -> None:
    assert kind_of("something new").severity == "warning"


@pytest.mark.parametrize("at_least", SEVERITIES)
def test_a_choice_takes_what_is_grave_enough(at_least: str) -> None:
    choice = Choice(at_least)  # type: ignore[arg-type]
    for name, kind in KINDS.items():
        assert choice.takes(name) == (SEVERITIES.index(kind.severity) >= SEVERITIES.index(at_least))  # type: ignore[arg-type]


def test_named_kinds_go_before_severity() -> None:
    choice = Choice("critical", frozenset({"refused"}))
    assert choice.takes("refused") and not choice.takes("auth_expired")
