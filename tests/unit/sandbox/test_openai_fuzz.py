"""Whatever is sent to the sandbox's models, they answer on purpose: an error has its shape, no accident shows (500)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from resources.sandbox.app import build_app, open_world
from resources.sandbox.credentials import ensure_credentials
from resources.sandbox.openai_embeddings import hashed_vector
from resources.sandbox.openai_faults import OrderedFault, parse_order
from resources.sandbox.openai_match import Occasion
from resources.sandbox.openai_models import Minute, Tally, Ticket
from resources.sandbox.state import State

FUZZ = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
SCHEMA_KEYS = st.sampled_from(
    ["type", "properties", "required", "items", "enum", "anyOf", "$ref", "minimum", "maxLength", "allOf"]
)
SCHEMA_TYPES = st.sampled_from(["object", "array", "string", "integer", "#", "#/$defs/x"])
SCHEMAS = st.recursive(
    st.booleans() | SCHEMA_TYPES | JSON,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCHEMA_KEYS, inner, max_size=4),
    max_leaves=8,
)
FORMATS = st.builds(
    lambda kind, schema, strict: {
        "type": kind,
        "json_schema": {"name": "n", "schema": schema, "strict": strict},
    },
    st.sampled_from(["json_schema", "json_object"]),
    SCHEMAS,
    st.booleans(),
)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "system"]), "content": st.text(max_size=30)}),
    min_size=1,
    max_size=3,
)
CHATS = st.fixed_dictionaries(
    {"model": st.just("rehearsal") | JSON, "messages": MESSAGES | JSON},
    optional={
        "response_format": FORMATS | JSON,
        "max_tokens": st.integers(-1, 9) | JSON,
        "stop": st.lists(st.text(max_size=2)) | JSON,
        "n": st.integers(0, 3) | JSON,
        "stream": st.booleans() | JSON,
        "stream_options": JSON,
        "metadata": JSON,
        "tools": JSON,
    },
)
EMBEDDINGS = st.fixed_dictionaries(
    {"model": st.just("rehearsal-embedding"), "input": st.lists(st.text(max_size=9)) | JSON},
    optional={"dimensions": st.integers(0, 64) | JSON, "encoding_format": st.just("base64") | JSON},
)
CONTROL = st.dictionaries(
    st.sampled_from(
        ["id", "kind", "times", "share", "seed", "delay_s", "match", "answers", "then", "parts", "faults"]
    ),
    JSON | st.sampled_from(["503", "chat", "last"]),
    max_size=4,
)


@pytest.fixture(scope="module")
def openai_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    state = State(Path(tmp_path_factory.mktemp("openai")) / "state.db")
    world = open_world(state, "me")
    headers = {"Authorization": f"Bearer {world.credentials.openai['api_key']}"}
    with TestClient(build_app(world), raise_server_exceptions=True, headers=headers) as client:
        yield client
    state.close()


def check(answer: Any) -> None:
    assert answer.status_code in (200, 400, 404)
    if answer.status_code != 200:
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@FUZZ
@given(CHATS | st.binary(max_size=30) | JSON)
def test_chat_takes_anything(openai_app: TestClient, body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    check(openai_app.post("/openai/v1/chat/completions", content=content))
    assert openai_app.get("/sandbox/models/calls").status_code == 200
    assert openai_app.get("/sandbox/models").json()["in_flight"] == 0


@settings(parent=FUZZ, max_examples=150)
@given(FORMATS)
def test_schemas_may_be_anything(openai_app: TestClient, wanted: Any) -> None:
    messages = [{"role": "user", "content": "in JSON"}]
    body = {"model": "rehearsal", "messages": messages, "response_format": wanted}
    check(openai_app.post("/openai/v1/chat/completions", content=json.dumps(body)))


@pytest.mark.parametrize(
    "schema",
    [
        {"minProperties": 10**9},
        {"type": "array", "minItems": 999, "items": {"type": "array", "minItems": 999}},
        {"type": "string", "minLength": 10**12},
        {"minimum": 1e999},
    ],
)
def test_schemas_that_ask_for_too_much_are_refused(openai_app: TestClient, schema: Any) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    body = {"model": "rehearsal", "messages": [{"role": "user", "content": "x"}], "response_format": wanted}
    answer = openai_app.post(
        "/openai/v1/chat/completions", content=json.dumps(body).replace("Infinity", "1e999")
    )
    assert answer.status_code == 400 and "No rehearsed value" in answer.json()["error"]["message"]


@FUZZ
@given(EMBEDDINGS)
def test_embeddings_take_anything(openai_app: TestClient, body: Any) -> None:
    check(openai_app.post("/openai/v1/embeddings", content=json.dumps(body)))


@FUZZ
@given(st.sampled_from(["", "/answers", "/faults", "/script", "/reset", "/release"]), CONTROL | JSON)
def test_control_of_models_takes_anything(openai_app: TestClient, path: str, body: Any) -> None:
    answer = openai_app.post(f"/sandbox/models{path}", content=json.dumps(body))
    assert answer.status_code in (200, 400)
    assert openai_app.get("/sandbox/models/script").status_code == 200
    openai_app.post("/sandbox/models/reset", json={})


def test_a_state_file_of_before_there_were_models_gets_a_key(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    ensure_credentials(state, None)
    known = json.loads(state.meta("credentials") or "")
    del known["openai"], known["others"]
    state.set_meta("credentials", json.dumps(known))
    opened = ensure_credentials(state, None)
    assert opened.openai["api_key"].startswith("sk-rehearsal-") and opened.x == known["x"]
    assert ensure_credentials(state, None) == opened
    state.close()


@given(st.text(max_size=40), st.integers(1, 40))
def test_every_text_has_a_vector_of_length_one(text: str, dimensions: int) -> None:
    vector = hashed_vector(text, dimensions)
    assert len(vector) == dimensions
    assert sum(value * value for value in vector) == pytest.approx(1)


@given(st.floats(0.05, 1), st.integers(0, 5))
def test_a_share_strikes_about_so_often(share: float, seed: int) -> None:
    fault: OrderedFault = parse_order({"kind": "503", "share": share, "seed": seed})
    struck = sum(fault.strikes(Occasion("m", "chat", "", None)) for _ in range(2000))
    assert abs(struck / 2000 - share) < 0.06


def test_a_minute_opens_again() -> None:
    now = [0.0]
    minute = Minute(2, clock=lambda: now[0])
    assert [minute.take(1).is_allowed for _ in range(3)] == [True, True, False]
    now[0] = 59.0
    assert minute.take(1).reset_s == pytest.approx(1)
    now[0] = 60.0
    assert minute.take(2) == (2, 0, 60.0, True)


def test_leaving_twice_counts_once() -> None:
    tally = Tally()
    tally.enter()
    tally.enter()
    ticket = Ticket((tally,))
    ticket.leave()
    ticket.leave()
    assert (tally.in_flight, tally.most_in_flight) == (1, 2)
