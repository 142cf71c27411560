"""X's filtered stream: posts that appear after connecting and match a rule, one JSON a line.

The state is asked for new posts fifty times a second, because another process may add them; an
item leaves some 20 ms after its post was stored. Nothing is kept for a client that is away.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from resources.sandbox.exchange import Answer, Call, Endpoint, Refused, World
from resources.sandbox.faults import Fault, take_fault
from resources.sandbox.gate import dropper, read_call, to_response
from resources.sandbox.x_gate import enter, faulted, spelled
from resources.sandbox.x_reading import KEEP_ALIVE_S, Reading, new_items, newest_seq, with_held
from resources.sandbox.x_rules import count_rules
from resources.sandbox.x_settings import read_settings
from resources.sandbox.x_shapes import PROBLEMS, problem
from resources.sandbox.x_stream_faults import (
    CHANGES,
    KEEP_ALIVE,
    OPEN_KINDS,
    PIECES,
    as_line,
    disconnect_line,
    disconnected,
    next_fault,
)
from resources.sandbox.x_usage import capped, is_used_up

POLL_S = 0.02
MOST_CONNECTIONS = 1


def opened(call: Call) -> Answer:
    """What an open stream is answered with before its lines."""
    return Answer(200, "")


STREAM = Endpoint("stream", "GET", "/2/tweets/search/stream", opened, needs="app", app_limit=50)


def stream_route(world: World, keep_alive_s: float = KEEP_ALIVE_S) -> Route:
    """The route of the stream."""

    async def serve(request: Request) -> Response:
        call = await read_call(world, request)
        drop = dropper(request)
        try:
            headers = await connect(call, drop)
        except Refused as refusal:
            return to_response(call, spelled(call, refusal.answer))
        address = request.client.host if request.client else ""
        connection = world.connections.open(world.clock.now(), address)
        reading = Reading(call, connection, drop, newest_seq(world), keep_alive_s)
        return StreamingResponse(stream_lines(reading), headers=headers, media_type="application/json")

    return Route(STREAM.path, serve, methods=["GET"])


async def connect(call: Call, drop: Callable[[], Awaitable[None]]) -> dict[str, str]:
    """Check token, limits, rules and that no other stream is open; the headers to send."""
    fault = take_fault(call.world.state, STREAM.name, but=OPEN_KINDS)
    if fault is not None:
        await refuse_or_wait(call, fault, drop)
    headers = enter(call, STREAM)
    if is_used_up(call):
        raise capped()
    if not count_rules(call.world.state.db):
        raise no_rules()
    if len(call.world.connections.places()) >= MOST_CONNECTIONS:
        raise too_many_connections()
    return headers


async def refuse_or_wait(call: Call, fault: Fault, drop: Callable[[], Awaitable[None]]) -> None:
    """Let a fault happen to a connection that is being made; a slow one goes on after its delay."""
    if fault.kind.startswith("slow"):
        await asyncio.sleep(fault.delay_s)
        return
    if fault.kind.endswith("drop"):
        await drop()
    by_kind = {"409": no_rules, "too_many": too_many_connections}
    if fault.kind in by_kind:
        raise by_kind[fault.kind]()
    raise Refused(fault.kind, faulted(call, fault.kind))


def no_rules() -> Refused:
    """The refusal of a stream that nothing would match."""
    detail = "You must define rules before connecting."
    return problem(409, "RuleConfigurationIssue", detail, "rule-configuration")


def too_many_connections() -> Refused:
    """The refusal of a second connection."""
    detail = "This stream is currently at the maximum allowed connection limit."
    issue = "TooManyConnections"
    return problem(429, "ConnectionException", detail, "streaming-connection", connection_issue=issue)


async def stream_lines(reading: Reading) -> AsyncIterator[bytes]:
    """Matching posts as they appear, and a keep-alive after every silence."""
    loop, reason = asyncio.get_running_loop(), "client_disconnected"
    try:
        yield KEEP_ALIVE
        sent_at = loop.time()
        while not reading.is_over:
            async for piece in next_pieces(reading):
                yield with_host(reading, piece)
                sent_at = loop.time()
            if loop.time() - sent_at >= reading.keep_alive_s:
                yield KEEP_ALIVE
                sent_at = loop.time()
            await asyncio.sleep(POLL_S)
        reason = "operational_disconnect"
    finally:
        reading.world.connections.close(reading.connection, reading.world.clock.now(), reason)


def with_host(reading: Reading, piece: bytes) -> bytes:
    """A piece whose problems name the host that they have now."""
    host = read_settings(reading.world.state).problem_host
    if PROBLEMS.encode() not in piece:
        return piece
    return piece.replace(PROBLEMS.encode(), PROBLEMS.replace("api.twitter.com", host).encode())


async def next_pieces(reading: Reading) -> AsyncIterator[bytes]:
    """What is to be sent now, after the faults that were ordered."""
    if reading.connection.ended.is_set():
        reading.is_over = True
        yield disconnect_line("ForceDisconnect")
        return
    reading.items = with_held(reading, new_items(reading))
    if reading.items and is_used_up(reading.call_now()):
        reading.is_over = True
        yield as_line({"errors": [capped().answer.body]})
        return
    done: set[str] = (
        set()
    )  # what happens to an item happens to one of a batch, so that two do not undo each other
    while not reading.is_over and (
        fault := next_fault(reading.world.state, has_items=bool(reading.items), but=done)
    ):
        if fault.kind in CHANGES:
            CHANGES[fault.kind](reading)
            done.add(fault.kind)
            continue
        async for piece in PIECES.get(fault.kind, disconnected)(reading, fault):
            yield piece
    if reading.items and not reading.is_over:
        yield b"".join(map(as_line, reading.items))
