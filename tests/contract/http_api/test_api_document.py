"""The OpenAPI document: every route says what it takes, gives and can refuse, and the server keeps to it."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from api.app import build_app
from api.desk import Desk
from api.problems import KINDS, MEDIA_TYPE

PAGE = Path(__file__).resolve().parents[3] / "docs" / "api.md"
OPEN = {"/health", "/ready", "/l/{code}"}
Operation = dict[str, Any]


@cache
def document() -> dict[str, Any]:
    """Made without a database: no route is called."""
    return build_app(Desk(None, None)).openapi()  # type: ignore[arg-type]


def operations() -> list[tuple[str, str, Operation]]:
    return [(path, method, op) for path, ways in document()["paths"].items() for method, op in ways.items()]


NAMES = [f"{method} {path}" for path, method, _ in operations()]


@pytest.mark.parametrize(("path", "method", "operation"), operations(), ids=NAMES)
def test_a_route_documents_its_errors(path: str, method: str, operation: Operation) -> None:
    answers = operation["responses"]
    expected = set() if path == "/health" else {"503"}
    if path not in OPEN:
        expected |= {"401", "403", "422"}
        assert operation["security"]
        assert re.search(r"Scope: `[a-z:]+`", operation["description"])
    if "requestBody" in operation:
        expected |= {"400", "408", "413"}
    if "{id}" in path:
        expected |= {"404"}
    assert expected <= set(answers)
    for status, told in answers.items():
        assert (MEDIA_TYPE in told.get("content", {})) == (int(status) >= 400), status
    assert operation["description"]


@pytest.mark.parametrize(("path", "method", "operation"), operations(), ids=NAMES)
def test_a_route_is_in_the_docs_with_its_scope(path: str, method: str, operation: Operation) -> None:
    (row,) = re.findall(
        rf"^\| `{method.upper()} {re.escape(path)}` \| (.+?) \|", PAGE.read_text("utf-8"), re.M
    )
    scope = re.search(r"Scope: (`[a-z:]+`)", operation["description"])
    assert row == (scope[1] if scope else "-")


def test_every_reference_leads_somewhere() -> None:
    shapes = document()["components"]["schemas"]
    named = set(re.findall(r"#/components/schemas/(\w+)", str(document())))
    assert named <= set(shapes) and {"Problem", "Wrong"} <= named


def test_what_is_taken_and_given_has_examples() -> None:
    shapes = document()["components"]["schemas"]
    for name in ("Search", "Ask", "FromUrl", "Passage", "Source", "Enqueued", "Problem", "Citation"):
        assert shapes[name]["example"]


def test_every_kind_of_problem_is_in_the_docs() -> None:
    page = PAGE.read_text("utf-8")
    assert [kind for kind in KINDS if f"`{kind}`" not in page] == []
