"""What the API refuses to wait for, to hold and to be: too many calls, bodies without end, an open door."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Refusal, handle_problems
from api.sending import Attachment
from api.serve import is_loopback, listen, refuse_open_door
from api.watching import BoundedBodies, Watched
from api.workers import Workers
from rejoinder.errors import ConfigInvalid, ServiceUnavailable
from resources.objects import StorageFailed

Said = dict[str, Any]


async def call(
    app: ASGIApp,
    receive: Receive,
    headers: dict[str, str] | None = None,
    *,
    method: str = "POST",
    path: str = "/x",
) -> Said:
    """What an application answers."""
    said: Said = {}

    async def send(message: Message) -> None:
        said.update(message)

    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope: Scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": raw}
    await app(scope, receive, send)
    return said


async def swallow(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads the whole body and counts it."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await PlainTextResponse(str(size))(scope, receive, send)


def pieces(*bodies: bytes) -> Callable[[], Awaitable[Message]]:
    left = list(bodies)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return receive


def bounded(**bounds: float) -> ASGIApp:
    return BoundedBodies(swallow, lambda path: 10, **bounds)


def test_a_body_within_its_bounds_passes() -> None:
    assert asyncio.run(call(bounded(), pieces(b"12345", b"67890")))["body"] == b"10"


@pytest.mark.parametrize("length", ["11", "1" * 5_000, "-1", "ten", "1_0", ""])
def test_a_length_that_is_too_large_or_none_is_refused_unread(length: str) -> None:
    async def unread() -> Message:
        raise AssertionError("the body was asked for")

    said = asyncio.run(call(bounded(), unread, {"content-length": length}))
    assert b"too-large" in said["body"]


def test_a_body_is_counted_as_it_comes() -> None:
    with pytest.raises(Refusal) as refused:
        asyncio.run(call(bounded(), pieces(b"123456", b"78901", b"never asked for")))
    assert refused.value.kind == "too-large"


@pytest.mark.parametrize("bounds", [{"idle_s": 0.01}, {"whole_s": 0.0}])
def test_a_body_that_does_not_come_is_not_waited_for(bounds: dict[str, float]) -> None:
    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(Refusal) as refused:
        asyncio.run(call(bounded(**bounds), never))
    assert refused.value.kind == "too-slow"


def test_a_path_cannot_write_lines_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def send(message: Message) -> None:
        pass

    scope: Scope = {"type": "http", "method": "GET", "path": "/a\nrefused\x1b[2J", "headers": []}
    with caplog.at_level("INFO", "rejoinder.api"):
        asyncio.run(Watched(PlainTextResponse("ok"))(scope, pieces(b""), send))
    assert "\n" not in caplog.messages[0] and "\x1b" not in caplog.messages[0]


def test_no_line_of_the_log_says_which_link_was_followed_when(caplog: pytest.LogCaptureFixture) -> None:
    async def send(message: Message) -> None:
        pass

    scope: Scope = {"type": "http", "method": "GET", "path": "/l/2b3c4d5f6g7h", "headers": []}
    with caplog.at_level("INFO", "rejoinder.api"):
        asyncio.run(Watched(PlainTextResponse("ok"))(scope, pieces(b""), send))
    assert " GET /l/... 200 " in caplog.messages[0] and "2b3c" not in caplog.text


def test_what_would_wait_behind_too_many_is_refused_at_once() -> None:
    held = threading.Event()

    async def crowd() -> list[object]:
        workers = Workers(2, waiting=1)
        first = [asyncio.create_task(workers.run(held.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        while workers.waiting < 1:
            await asyncio.sleep(0)
        late = await asyncio.gather(workers.run(held.wait), return_exceptions=True)
        held.set()
        return [*late, *await asyncio.gather(*first)]

    late, *done = asyncio.run(crowd())
    assert isinstance(late, Refusal) and late.kind == "busy"
    assert done == [True, True, True]


@pytest.mark.parametrize("bounds", [{"idle_s": 0.01}, {"whole_s": 0.01}])
def test_a_file_that_is_not_taken_is_not_held_for_ever(
    bounds: dict[str, float], caplog: pytest.LogCaptureFixture
) -> None:
    """The server ends a connection whose answer stops short of its last message."""
    sent: list[Message] = []

    async def stuck(message: Message) -> None:
        sent.append(message)
        if len(sent) == 3:
            await asyncio.Event().wait()

    scope: Scope = {"type": "http", "method": "GET", "path": "/x", "asgi": {"spec_version": "2.4"}}
    asyncio.run(Attachment(b"a" * 1_000_000, **bounds)(scope, pieces(b""), stuck))
    assert len(sent) == 3 and all(len(message.get("body", b"")) <= 65_536 for message in sent)
    assert "not taken in time" in caplog.text


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("host.example", False),
    ],
)
def test_only_this_machine_is_let_in_unless_somebody_says_so(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
    refuse_open_door(host, may_be_remote=True)
    if not expected:
        with pytest.raises(ConfigInvalid, match=r"could reach") as refused:
            refuse_open_door(host, may_be_remote=False)
        assert "--expose" in str(refused.value.fix)


def test_a_taken_port_says_what_to_change() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(ConfigInvalid, match="cannot listen") as refused:
        listen("127.0.0.1", first.getsockname()[1])
    assert "--port" in str(refused.value.fix)


def test_trouble_is_told_without_the_words_of_the_driver(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    handle_problems(app)
    words = "connection to server on socket /run/secret failed"

    @app.get("/away")
    def away() -> None:
        raise ServiceUnavailable(words)

    @app.get("/store")
    def store() -> None:
        raise StorageFailed(words)

    @app.get("/bug")
    def bug() -> None:
        raise LookupError(words)

    for path, status in (("/away", 503), ("/store", 503), ("/bug", 500)):
        said = asyncio.run(call(Watched(app), pieces(b""), method="GET", path=path))
        assert (said["status"], words in caplog.text) == (status, True)
        assert words.encode() not in said["body"] and b'"fix"' in said["body"]
        caplog.clear()
