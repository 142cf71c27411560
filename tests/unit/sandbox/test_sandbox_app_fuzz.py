"""Whatever is sent to the sandbox, it answers on purpose: never with an accident (500)."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from resources.sandbox.app import build_app, open_world
from resources.sandbox.exchange import Call, World
from resources.sandbox.posts import SandboxPost, insert_post
from resources.sandbox.state import State
from resources.sandbox.tokens import issue_token
from resources.sandbox.x_reading import Reading
from resources.sandbox.x_stream import stream_lines
from resources.sandbox.x_stream_faults import KEEP_ALIVE

FUZZ = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
CREATE_KEYS = st.sampled_from(["text", "reply", "quote_tweet_id", "colour"])
REPLY = st.dictionaries(
    st.sampled_from(["in_reply_to_tweet_id", "exclude_reply_user_ids", "x"]), JSON, max_size=2
)
PARAMETERS = (
    "query",
    "since_id",
    "until_id",
    "max_results",
    "next_token",
    "start_time",
    "ids",
    "tweet.fields",
    "after",
)
READS = (
    "/2/tweets/search/recent",
    "/2/tweets",
    "/r/sample/new",
    "/r/all/comments/",
    "/api/info",
    "/comments/1/_/2",
)


@pytest.mark.parametrize(
    ("address", "is_here"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("192.0.2.7", False), ("::2", False)],
)
def test_keys_are_shown_to_this_machine_only(tmp_path: Path, address: str, is_here: bool) -> None:
    state = State(tmp_path / "state.db")
    client = TestClient(build_app(open_world(state, "me")), client=(address, 5000))
    expected = 200 if is_here else 403
    for answer in (
        client.get("/sandbox/credentials"),
        client.post("/sandbox/accounts", json={"account": "me"}),
        client.post("/sandbox/accounts", json={"account": "second"}),
    ):
        assert answer.status_code == expected and ("bearer_token" in answer.text) == is_here
    state.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    state = State(Path(tmp_path_factory.mktemp("fuzz")) / "state.db")
    insert_post(state.db, SandboxPost("x", "1", "@me hi", 1.0, author="a"))
    insert_post(state.db, SandboxPost("reddit", "t3_1", "hi", 1.0, community="sample"))
    yield open_world(state, "me")
    state.close()


@pytest.fixture(scope="module")
def sandbox_app(world: World) -> Iterator[TestClient]:
    with TestClient(build_app(world), raise_server_exceptions=True) as client:
        yield client


@pytest.fixture(scope="module")
def x_token(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.credentials.x['oauth2_user_token']}"}


@pytest.fixture(scope="module")
def app_token(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.credentials.x['bearer_token']}"}


@pytest.fixture(scope="module")
def reddit_token(world: World) -> dict[str, str]:
    return {"Authorization": f"bearer {issue_token(world.state, 'me')}"}


@FUZZ
@given(st.one_of(st.binary(max_size=30), st.dictionaries(CREATE_KEYS, JSON | REPLY, max_size=3), JSON))
def test_create_takes_anything(sandbox_app: TestClient, x_token: dict[str, str], body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = sandbox_app.post("/2/tweets", content=content, headers=x_token)
    assert answer.status_code in (201, 400, 403, 429)
    assert sandbox_app.get("/sandbox/log").status_code == 200


@FUZZ
@given(
    st.dictionaries(
        st.sampled_from(["add", "delete"]), JSON | st.lists(st.fixed_dictionaries({"value": JSON}))
    )
)
def test_rules_take_anything(sandbox_app: TestClient, app_token: dict[str, str], body: Any) -> None:
    answer = sandbox_app.post("/2/tweets/search/stream/rules", content=json.dumps(body), headers=app_token)
    assert answer.status_code in (200, 201, 400, 429)


@FUZZ
@given(st.sampled_from(READS), st.dictionaries(st.sampled_from(PARAMETERS), st.text(max_size=12), max_size=3))
def test_reads_take_anything(
    sandbox_app: TestClient,
    x_token: dict[str, str],
    reddit_token: dict[str, str],
    path: str,
    query: dict[str, str],
) -> None:
    headers = x_token if path.startswith("/2/") else reddit_token
    answer = sandbox_app.get(path, params=query, headers=headers)
    assert answer.status_code in (200, 400, 404, 429)


@FUZZ
@given(st.dictionaries(st.sampled_from(["thing_id", "text", "id", "api_type"]), st.text(max_size=12)))
def test_comment_takes_anything(
    sandbox_app: TestClient, reddit_token: dict[str, str], form: dict[str, str]
) -> None:
    for path in ("/api/comment", "/api/del/", "/api/v1/access_token"):
        assert sandbox_app.post(path, data=form, headers=reddit_token).status_code in (200, 401, 403)


@FUZZ
@given(st.sampled_from(["clock", "faults", "posts/1"]), JSON)
def test_control_takes_anything(sandbox_app: TestClient, path: str, body: Any) -> None:
    answer = sandbox_app.post(f"/sandbox/{path}", content=json.dumps(body))
    assert answer.status_code in (200, 400)


def test_torn_characters_are_refused(
    sandbox_app: TestClient, x_token: dict[str, str], app_token: dict[str, str]
) -> None:
    body = '{"add": [{"value": "a \\ud800"}, {"value": "b", "tag": "\\udfff"}]}'
    answer = sandbox_app.post("/2/tweets/search/stream/rules", content=body, headers=app_token)
    assert answer.status_code == 400
    answer = sandbox_app.post("/2/tweets", content='{"text": "a \\ud800"}', headers=x_token)
    assert answer.status_code == 400


def test_silent_stream_keeps_alive(world: World) -> None:
    call = Call(world, 1.0, "GET", "/", {}, {}, {}, b"", {}, "")
    connection = world.connections.open(1.0, "")

    async def nothing() -> None:
        """There is no socket to close."""

    async def first_lines() -> list[bytes]:
        lines = stream_lines(Reading(call, connection, nothing, 10**9, keep_alive_s=0.15))
        found = [await anext(lines) for _ in range(3)]
        assert world.open_streams == 1
        await lines.aclose()  # type: ignore[attr-defined]
        return found

    assert asyncio.run(first_lines()) == [KEEP_ALIVE] * 3
    assert world.open_streams == 0
