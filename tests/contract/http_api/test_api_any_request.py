"""Whatever is sent is answered: with a problem that the document names, never with an error that nobody foresaw."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# Half a surrogate pair and U+0000 come escaped in JSON, and no database takes them.
TEXT = st.sampled_from(["\0", "\ud800", "salt"]) | st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
QUESTION = st.fixed_dictionaries(
    {"text": TEXT.map("salt {}".format)},
    optional={
        "sources": st.lists(TEXT, max_size=2),
        "speakers": st.lists(TEXT, max_size=2),
        "language": TEXT | st.just("en"),
        "since": TEXT | st.dates().map(str),
        "until": TEXT | st.dates().map(str),
    },
)
ADDRESS = st.fixed_dictionaries({"url": TEXT.map("https://pod.example/{}".format)})
STEP = st.fixed_dictionaries({"step": TEXT | st.sampled_from(["fetch", "extract", "chunk", "summarise"])})
ROUTES = st.sampled_from(
    [
        ("POST", "/internal/search/semantic", QUESTION),
        ("POST", "/ask", QUESTION),
        ("POST", "/sources/from-url", ADDRESS),
        ("POST", "/internal/retry", STEP),
        ("POST", "/internal/sources/1/process", STEP),
        ("PATCH", "/feeds/1", st.fixed_dictionaries({"is_followed": JSON})),
    ]
)
NUL: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/sources?search=%00", {}),
    ("POST", "/internal/search/semantic", {"json": {"text": "salt", "sources": ["\0"]}}),
    ("POST", "/internal/search/semantic", {"json": {"text": "salt", "speakers": ["\0"]}}),
    ("POST", "/ask", {"json": {"text": "salt\0"}}),
    ("POST", "/sources/from-url", {"json": {"url": "https://pod.example/\0"}}),
    ("POST", "/sources/from-url", {"content": b'{"url": "https://pod.example/\\udc80"}'}),
    ("POST", "/sources/from-url", {"content": b'{"\\udc80": 1}'}),
    ("POST", "/sources", {"files": {"file": ("a.srt", b"a")}, "data": {"name": "a\0b"}}),
]


@pytest.fixture
def filled(api: Any) -> Iterator[httpx.Client]:
    """The API with one source."""
    api.upload("on-salt.srt", b"1\n00:00:01,000 --> 00:00:04,000\nWe rub each wheel with salt.\n")
    yield api.client


def test_what_the_database_cannot_hold_is_refused(filled: httpx.Client) -> None:
    for method, path, options in NUL:
        answer = filled.request(method, path, **options)
        assert answer.status_code == 422, (path, options, answer.text)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_body_breaks_a_route(filled: httpx.Client, data: st.DataObject) -> None:
    method, path, likely = data.draw(ROUTES)
    sent = data.draw(likely | likely | JSON)
    answer = filled.request(
        method, path, content=json.dumps(sent), headers={"content-type": "application/json"}
    )
    assert answer.status_code < 500, answer.text


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=12), number=st.integers(), search=st.text(max_size=12))
def test_no_name_nor_number_breaks_a_route(filled: httpx.Client, name: str, number: int, search: str) -> None:
    answers = [
        filled.post("/sources", files={"file": ("a.srt", b"a")}, data={"name": name}),
        filled.get("/sources", params={"search": search}),
        filled.get(f"/sources/{number}"),
        filled.post(f"/internal/sources/{number}/process"),
        filled.patch(f"/feeds/{number}", json={"is_followed": True}),
        filled.get(f"/internal/sources/{number}/content"),
    ]
    assert [answer.text for answer in answers if answer.status_code >= 500] == []
