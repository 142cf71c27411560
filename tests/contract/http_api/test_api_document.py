"""The OpenAPI document: every route says what it takes, gives and can refuse, and the server keeps to it."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.app import build_app
from api.desk import Desk
from api.problems import KINDS, MEDIA_TYPE

PAGE = Path(__file__).resolve().parents[3] / "docs" / "api.md"
OPEN = {"/health", "/ready"}
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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["text", "k", "sources", "language", "since", "url", "step", "is_followed", "x"])


@given(data=st.data())
def test_no_body_breaks_a_route(data: st.DataObject) -> None:
    """Whatever is sent, the answer is one that the document names: shapes are judged before anything is looked up."""
    from pydantic import ValidationError

    from api.schemas import searching, sources

    shape = data.draw(
        st.sampled_from([searching.Search, searching.Ask, sources.FromUrl, sources.Process, sources.Retry])
    )
    sent = data.draw(JSON | st.dictionaries(FIELDS, JSON, max_size=5))
    try:
        taken = shape.model_validate(sent)
    except ValidationError:
        return
    if isinstance(taken, searching.Filters):
        assert taken.question().text == taken.text
